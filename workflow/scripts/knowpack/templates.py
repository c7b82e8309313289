"""The relations a study asks about: domain, range and question templates of each."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from knowpack.errors import DataError, suggest

SLOT, BACK = "{subject}", "{object}"
THING = "thing"  # the class of everything, which an ontology means where it leaves a class open
ONTOLOGY = "http://dbpedia.org/ontology/"
# Ten times as fast where PyYAML has it, and as safe.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
EXAMPLE = (
    "'capital: {domain: country, range: city, templates: [\"What is the capital of {subject}?\"]}'"
)
JSON_EXAMPLE = '\'"<http://dbpedia.org/ontology/capital>": "What is the capital of _?"\''


@dataclass(frozen=True)
class Relation:
    """A relation, the classes of its subject and object, and its question templates.

    The first template asks, the rest paraphrase. ``reverse`` asks for the subject, given the object.
    """

    name: str
    domain: str | None
    range: str | None
    templates: tuple[str, ...]
    reverse: str | None = None

    @property
    def topic(self) -> str | None:
        """The class by which facts are grouped: the domain, or the range where that is open (paper)."""
        return self.range if self.domain in (None, THING) else self.domain

    def question(self, subject: str, index: int = 0) -> str:
        """Return template number ``index`` asked about ``subject``."""
        return self.templates[index].replace(SLOT, subject)


def load_templates(paths: Sequence[Path]) -> dict[str, Relation]:
    """Read the relations of several files; a later file replaces those that it has too.

    A YAML file maps a relation's name to its ``domain``, ``range``, ``templates`` and ``reverse``,
    of which only the templates are needed. Every template holds ``{subject}`` once and no other
    brace; the reverse, one question, holds ``{object}`` instead.

    A JSON file maps a relation's address to one question with ``_`` for the subject, as
    Head-to-Tail publishes it (https://github.com/facebookresearch/head-to-tail); an empty question
    is none. A relation there keeps all else that an earlier file gives it.

    Raises:
        DataError: a file cannot be read, or a relation or template is wrong; names which.
    """
    relations: dict[str, Relation] = {}
    for path in paths:
        if path.suffix == ".json":
            for name, question in _read_questions(path).items():
                known = relations.get(name)
                known = known or Relation(name, None, None, ())
                relations[name] = replace(known, templates=(question,))
        else:
            for name, entry in _read_mapping(path).items():
                relations[name] = _relation(f"{path}, relation '{name}'", name, entry)
    return relations


def address(name: str) -> str:
    """Return the address of a relation that goes by ``name``: in DBpedia's ontology, or its own."""
    return name if "://" in name else f"{ONTOLOGY}{name}"


def local_name(address: str) -> str:
    """Return a relation's name: what follows DBpedia's ontology in its address, else all of it."""
    return address.removeprefix("<").removesuffix(">").removeprefix(ONTOLOGY)


def _read_questions(path: Path) -> dict[str, str]:
    try:
        found = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: not JSON ({error.msg})") from error
    if not isinstance(found, dict) or not found:
        raise DataError(f"{path}: not a mapping of relations; write lines such as {JSON_EXAMPLE}")
    questions = {}
    for address, question in found.items():
        where = f"{path}, relation '{address}'"
        if not isinstance(question, str):
            raise DataError(f"{where}: {question!r} is not text; write it as {JSON_EXAMPLE}")
        if question and question.count("_") != 1:
            raise DataError(
                f"{where}: {question!r} holds the subject's place, an underscore, "
                f"{question.count('_')} times; write it exactly once, as in {JSON_EXAMPLE}"
            )
        if question:
            template = question.replace("_", SLOT)
            _check_template(where, template)
            questions[local_name(address)] = template
    return questions


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; give a file of relations") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _read_mapping(path: Path) -> dict[str, Any]:
    text = _read_text(path)
    try:
        found = yaml.load(text, Loader=LOADER)
        node = yaml.compose(text, Loader=LOADER)
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
    known = ("domain", "range", "templates", "reverse")
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
    reverse = entry.get("reverse")
    if reverse is not None:
        _check_template(f"{where}, reverse", reverse, BACK)
    return Relation(name, entry.get("domain"), entry.get("range"), tuple(templates), reverse)


def _check_template(where: str, template: Any, slot: str = SLOT) -> None:
    if not isinstance(template, str):
        raise DataError(f"{where}: {template!r} is not text; put the question in quotes")
    slots = template.count(slot)
    if slots != 1:
        raise DataError(f"{where}: {template!r} holds {slot} {slots} times; write it exactly once")
    if re.search(r"[{}]", template.replace(slot, "")):
        raise DataError(
            f"{where}: {template!r} holds another brace; {slot} is the only one allowed"
        )
