"""What a configuration is made of: strict sections and values, and their faults in words.

Imported while Snakemake builds its graph, so it needs pydantic and the standard library only.
"""

import re
from collections.abc import Mapping
from reprlib import repr as short
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from knowpack.errors import ConfigError, suggest

# A password in an address, as https://user:password@host or ?token=...; a token of the hub.
SECRET = re.compile(
    r"://[^/\s@]*@|[?&][\w-]*(?:token|secret|signature|password|key)=|\bhf_[A-Za-z0-9]{30}",
    re.IGNORECASE,
)
SLUG = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"
IDENTIFIER = r"^[A-Za-z0-9_]+$"
SHA256 = r"^[0-9a-f]{64}$"
LANGUAGE = r"^[a-z]{2,3}$"
PATTERNS = {
    SHA256: "64 hexadecimal digits",
    LANGUAGE: "a code such as `en`",
    SLUG: "letters, digits, dot, dash and underscore; at most 64, no dot or dash first or last",
    IDENTIFIER: "letters, digits and underscore only",
}
# By pydantic's type of fault, the braces filled from its context.
WORDS = {
    "literal_error": "{expected}",
    "string_type": "text (in quotes where it looks like something else)",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list, in brackets or as lines that begin with a dash",
    "dict_type": "`key: value` lines below it",
    "model_type": "`key: value` lines below it",
    "model_attributes_type": "`key: value` lines below it",
    "invalid_key": "its name in quotes",
    "too_short": "at least one value",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
}


def _exponent(value: Any) -> Any:
    """YAML 1.1, which Snakemake reads, takes 1e-3 (without a dot) for text."""
    written = isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value)
    return float(value) if written else value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from error
    return value


Slug = Annotated[str, Field(pattern=SLUG)]
Identifier = Annotated[str, Field(pattern=IDENTIFIER)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Positive = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Files = Annotated[
    list[str],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value, str | list[str]),
]
EXPONENT = BeforeValidator(_exponent)  # stands last, so that the schema keeps the limits


class Strict(BaseModel):
    """Base of every section: no unknown keys, no other types, no change after loading."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


def refuse_secrets(value: Any, where: str = "") -> None:
    """Refuse a password or token anywhere in a configuration, which stands in many records.

    Raises:
        ConfigError: there is one; the key is named, the value is not shown.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_secrets(key, where or "the configuration")
            refuse_secrets(inner, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            refuse_secrets(inner, f"{where}.{number}")
    elif isinstance(value, str) and SECRET.search(value):
        raise ConfigError(
            f"{where}: holds a password or a token, which would stand in the study's records; write it "
            "without, and put a password into ~/.netrc, or a token of the hub into HF_TOKEN"
        )


def explain(error: ValidationError, root: type[BaseModel], where: str = "") -> ConfigError:
    """Return ``error``, of the model ``root``, with one line a fault; ``where`` leads to ``root``."""
    lines = [_line(fault, root, [where] * bool(where)) for fault in error.errors()]
    return ConfigError("the configuration cannot be used:\n  " + "\n  ".join(lines))


def _line(fault: Mapping[str, Any], root: type[BaseModel], where: list[str]) -> str:
    path, variants = _resolve(fault["loc"], root)
    kind, found, context = fault["type"], fault["input"], fault.get("ctx", {})
    choice = kind in ("union_tag_invalid", "union_tag_not_found")
    key = ".".join(map(str, where + path + ["source"] * choice))
    if kind == "extra_forbidden":
        known = {name for section in variants for name in section.model_fields}
        return f"{key}: unknown key{suggest(str(path[-1]), sorted(known))}"
    if kind == "missing":
        return f"{key}: this key is needed"
    if kind == "value_error":  # of the model's own validators, which say all there is to say
        return ": ".join(filter(None, [key, str(context["error"])]))
    if choice:
        *tags, last = [repr(tag) for section in variants for tag in _tags(section)]
        due = f"{', '.join(tags)} or {last}"
        found = found.get("source") if isinstance(found, Mapping) else found
    elif kind == "string_pattern_mismatch":
        due = PATTERNS[context["pattern"]]
    else:
        due = WORDS.get(kind, "another value").format(**context)
    return f"{key}: write {due} (found {short(found)})"


def _resolve(
    loc: tuple[int | str, ...], root: type[BaseModel]
) -> tuple[list[int | str], list[type[BaseModel]]]:
    """The path as a user writes it, and the section (or its variants) in which its end stands."""
    path: list[int | str] = []
    here = within = [root]
    for part in loc:
        if len(here) > 1:  # pydantic names the variant that it chose, the user's file does not
            here = [section for section in here if part in _tags(section)]
            continue
        if part == "[key]":  # pydantic's word for a name rather than what stands below it
            continue
        path.append(part)
        if isinstance(part, str):
            within = here
            field = here[0].model_fields.get(part) if here else None
            here = (
                sections(field.annotation) if field else here
            )  # a name of the user's stays within
    return path, here if len(here) > 1 else within


def _tags(section: type[BaseModel]) -> tuple[str, ...]:
    """The values of ``source`` that choose a variant of a section."""
    return get_args(section.model_fields["source"].annotation)


def sections(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections that a field's type names, inside lists and unions too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in sections(part)]
