"""config/README.md and config/schema.json, made from the model of the configuration: `make docs`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from knowpack.config import Study
from knowpack.strict import PATTERNS, sections
from knowpack.tables import write_text

FOLDER = Path(__file__).parents[3] / "config"
HEAD = """\
<!-- Made by `make docs` from workflow/scripts/knowpack/config.py; change that instead. -->
# The configuration

One YAML file is one study. `config.yaml` is the default; any other stands alone, without what is
written in the default:

    make study CONFIG=my-study.yaml

Unknown keys, wrong types and impossible values are errors, all named before any job starts. With
`# yaml-language-server: $schema=<path to>/config/schema.json` as its first line, editors complete
and check a file as it is written.
"""
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}
TYPES["object"] = "`key: value` lines"
LIMITS = {
    "minimum": "{} or more",
    "exclusiveMinimum": "more than {}",
    "maximum": "{} or less",
    "exclusiveMaximum": "less than {}",
}


def schema_text() -> str:
    """Return the JSON schema of a configuration."""
    return json.dumps(Study.model_json_schema(), indent=2) + "\n"


def readme_text() -> str:
    """Return the description of every key, a table a section."""
    return "\n".join([HEAD, *_table(Study, ""), *_below(Study, "", {})])


def _table(model: type[BaseModel], name: str) -> Iterator[str]:
    """The table of one section, a row a key."""
    properties = model.model_json_schema()["properties"]
    tag = properties.get("source", {}).get("const")
    heading = f"`{name}`{f', source `{tag}`' if tag else ''}" if name else "Top level"
    yield f"## {heading}\n\n{model.__doc__}\n\n| key | type | default | meaning |\n| - | - | - | - |"
    for key, field in model.model_fields.items():
        shown = field.default is not None and not sections(field.annotation)
        default = f"`{json.dumps(properties[key].get('default'))}`" if shown else ""
        default = "needed" if field.is_required() else default
        meaning = " ".join((field.description or "").split())
        cells = (f"`{key}`", _type(properties[key]), default, meaning)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _below(model: type[BaseModel], name: str, places: dict[type[BaseModel], str]) -> Iterator[str]:
    """The tables of the sections below ``model``; of one with a place already, where that is."""
    for key, field in model.model_fields.items():
        path, found = f"{name}.{key}" if name else key, sections(field.annotation)
        if found and places.get(found[0], path) != path:
            yield f"## `{path}`\n\nThe keys are those of `{places[found[0]]}`, above.\n"
        new = [section for section in found if section not in places]
        places |= dict.fromkeys(new, path)
        for section in new:
            yield from _table(section, path)
        for section in new:
            yield from _below(section, path, places)


def _type(schema: dict[str, Any]) -> str:
    """The type of a key in words."""
    if "anyOf" in schema:  # null is for a key that may be left out
        return " or ".join(_type(part) for part in schema["anyOf"] if part.get("type") != "null")
    if schema.get("type") == "array":
        return f"list: {_type(schema['items'])}"
    if "patternProperties" in schema:
        (inner,) = schema["patternProperties"].values()
        return f"`name:` lines, each with a {_type(inner)}"
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    if "pattern" in schema:
        return PATTERNS[schema["pattern"]].replace(";", ",")
    limits = [words.format(schema[name]) for name, words in LIMITS.items() if name in schema]
    return ", ".join([TYPES.get(schema.get("type", ""), "a section, below"), *limits])


if __name__ == "__main__":
    write_text(readme_text(), FOLDER / "README.md")
    write_text(schema_text(), FOLDER / "schema.json")
