"""What a job is made with: digests of its code, and pinned versions (design, rule 4).

Snakemake tracks a script by its time stamp and its imports not at all, so every rule carries these
as parameters instead: a changed statement reruns what it reaches, a comment or a clone nothing.
"""

import ast
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SCRIPTS = Path(__file__).parents[1]
ENVIRONMENTS = Path(__file__).parents[3] / "envs"
# They say how a job talks to people, in which process it works and what is told of it afterwards,
# never what it makes.
AROUND = {f"knowpack.{name}" for name in ("errors", "job", "living", "outlook", "records", "usage")}

# A name by which another package imports something of the library.
LOADED = re.compile(r"knowpack(\.\w+)+:\w+")

# Each reads one source, of facts or of aliases, and is named like it.
READERS = {"dbpedia", "hub", "wikidata", "world"}
# They draw, print or fetch, or show how far a job is; no fact, answer or adapter comes of them.
SHOWING = {"altair", "jinja2", "matplotlib", "requests", "tabulate", "tenacity", "tqdm"}
SHOWING |= {"vl-convert-python"}


def code_digest(script: str, unread: frozenset[str] = frozenset()) -> str:
    """Digest of a script and of every library module that it reaches through imports.

    Comments, docstrings and layout do not count; imports inside functions do, but for those of
    the modules ``unread``.
    """
    modules = reached(script, unread)
    whole = "\n".join(f"{name} {_statements(modules[name])}" for name in sorted(modules))
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def unread(spec: Mapping[str, Any]) -> frozenset[str]:
    """Modules that read other sources than those that facts are made from (`specs.facts_spec`)."""
    used = {spec["source"], (spec.get("aliases") or {}).get("source")}
    return frozenset(f"knowpack.{reader}" for reader in READERS - used)


def reached(script: str, unread: frozenset[str] = frozenset()) -> dict[str, Path]:
    """Return the files of the script itself and of the modules that it reaches, by name."""
    found: dict[str, Path] = {}
    waiting = {script: SCRIPTS / script}
    while waiting:
        name, path = waiting.popitem()
        found[name] = path
        names = _imports(path) - AROUND - unread - found.keys()
        waiting |= {module: SCRIPTS / f"{module.replace('.', '/')}.py" for module in names}
    return found


@cache
def pins(kind: str) -> list[str]:
    """Return the pinned packages of a kind of environment (engine, train, analysis), sorted.

    Those that only show things are left out: another version of them makes nothing new. The CPU
    and the CUDA build of a version count as the same, so that results can move.
    """
    files = [ENVIRONMENTS / f"{kind}{device}.yaml" for device in ("", ".cpu")]
    text = next(file for file in files if file.is_file()).read_text(encoding="utf-8")
    lists = [item["pip"] for item in yaml.safe_load(text)["dependencies"] if isinstance(item, dict)]
    found = [pin.split("+")[0].replace("-cpu==", "==") for pip in lists for pin in pip]
    return sorted(pin for pin in found if "==" in pin and pin.split("==")[0] not in SHOWING)


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _statements(path: Path) -> str:
    """A module's code as text, from which its digest is made."""
    return _serialise(_parse(path))


@cache
def _imports(path: Path) -> frozenset[str]:
    """Names of the library's modules that a module imports or has imported, anywhere in it."""
    found = set()
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "knowpack":
                found |= {f"knowpack.{alias.name}" for alias in node.names}
            elif node.module.startswith("knowpack."):
                found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("knowpack.")}
        elif isinstance(node, ast.Constant) and LOADED.fullmatch(text := str(node.value)):
            found.add(text.partition(":")[0])
    return frozenset(found)


def _serialise(node: object) -> str:
    """A syntax tree as text: node types and non-empty fields (`ast.dump` differs by Python version)."""
    if isinstance(node, list):
        return "[" + ",".join(_serialise(item) for item in node) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            value = [item for item in value if not _is_text(item, node)]
        if value not in (None, []) and name not in ("type_comment", "kind"):
            fields.append(f"{name}={_serialise(value)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _is_text(node: object, parent: ast.AST) -> bool:
    """Whether a node is a docstring, or the empty end that Python 3.12.1 gives a format."""
    if isinstance(parent, ast.JoinedStr):
        return isinstance(node, ast.Constant) and node.value == ""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
