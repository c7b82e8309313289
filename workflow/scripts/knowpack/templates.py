"""The relations a study asks about: domain, range and question templates of each."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowpack.errors import DataError, suggest

SLOT = "{subject}"
EXAMPLE = (
    "'capital: {domain: country, range: city, templates: [\"What is the capital of {subject}?\"]}'"
)


@dataclass(frozen=True)
class Relation:
    """A relation, the classes of its subject and object, and its question templates.

    The first template asks, the rest paraphrase.
    """

    name: str
    domain: str | None
    range: str | None
    templates: tuple[str, ...]

    def question(self, subject: str, index: int = 0) -> str:
        """Return template number ``index`` asked about ``subject``."""
        return self.templates[index].replace(SLOT, subject)


def load_templates(path: str | Path) -> dict[str, Relation]:
    """Read a YAML mapping from a relation's name to its ``domain``, ``range`` and ``templates``.

    ``domain`` and ``range`` may be left out or null. Every template holds ``{subject}`` once and no
    other brace.

    Raises:
        DataError: the file cannot be read, or a relation or template is wrong; names which.
    """
    found = _read_mapping(Path(path))
    return {name: _relation(f"{path}, relation '{name}'", name, found[name]) for name in found}


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        found = yaml.safe_load(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; give a YAML file of relations") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise DataError(f"{path}: not YAML: {error}") from error
    if not isinstance(found, dict) or not found:
        raise DataError(f"{path}: not a mapping of relations; write lines such as {EXAMPLE}")
    names = [name for name in found if not isinstance(name, str)]
    if names:
        raise DataError(f"{path}: the relation name {names[0]!r} is not text; put it in quotes")
    seen: set[str] = set()
    # YAML itself lets a second entry of the same name silently replace the first.
    for key, _ in node.value if node else ():
        if key.value in seen:
            line = key.start_mark.line + 1
            raise DataError(f"{path}, line {line}: relation '{key.value}' stands twice; keep one")
        seen.add(key.value)
    return found


def _relation(where: str, name: str, entry: Any) -> Relation:
    if not isinstance(entry, dict):
        raise DataError(f"{where}: not a mapping; write it as {EXAMPLE}")
    known = ("domain", "range", "templates")
    for key in entry:
        if key not in known:
            raise DataError(f"{where}: unknown key '{key}'{suggest(str(key), known)}")
    for key in ("domain", "range"):
        value = entry.get(key)
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise DataError(f"{where}: {key} {value!r} is not a name; write a word or leave it out")
    templates = entry.get("templates")
    if not isinstance(templates, list) or not templates:
        raise DataError(
            f"{where}: templates is not a list of questions; write at least one, such as "
            '["What is the capital of {subject}?"]'
        )
    for position, template in enumerate(templates, start=1):
        _check_template(f"{where}, template {position}", template)
        if template in templates[: position - 1]:
            raise DataError(f"{where}, template {position}: {template!r} stands twice; keep one")
    return Relation(name, entry.get("domain"), entry.get("range"), tuple(templates))


def _check_template(where: str, template: Any) -> None:
    if not isinstance(template, str):
        raise DataError(f"{where}: {template!r} is not text; put the question in quotes")
    slots = template.count(SLOT)
    if slots != 1:
        raise DataError(f"{where}: {template!r} holds {SLOT} {slots} times; write it exactly once")
    if re.search(r"[{}]", template.replace(SLOT, "")):
        raise DataError(
            f"{where}: {template!r} holds another brace; {SLOT} is the only one allowed"
        )
