"""Plain text of a fixed width: terms with texts beside them, and values in words."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WIDTH = 100
INDENT = 16
Line = tuple[str, str]


def section(title: str, lines: Iterable[Line]) -> str:
    """Return a title, and under it each text beside its term, wrapped."""
    starts = [(f"  {term}".ljust(INDENT - 1) + " ", text) for term, text in lines]
    return "\n".join([title, *(_filled(text, start, INDENT) for start, text in starts)])


def items(title: str, sentences: Iterable[str]) -> str:
    """Return a title, and under it each sentence, wrapped."""
    return "\n".join([title, *(_filled(sentence, "  ", 4) for sentence in sentences)])


def columns(title: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a title, and under it rows of cells as columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([title, *(f"  {line}" for line in lines)])


def settings(values: Mapping[str, Any]) -> str:
    """Return settings in words: `rank 1, rslora no`; empty ones are left out."""
    return ", ".join(f"{k} {_value(v)}" for k, v in values.items() if v not in (None, "", [], {}))


def counted(count: int, what: str) -> str:
    """Return a count of things: `1 fact`, `2 facts`."""
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def listed(names: Sequence[str], most: int = 12) -> str:
    """Return the first names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def duration(seconds: float) -> str:
    """Return a time in words: `0.455 s`, `17 min`, `3.2 h`."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes, hours = seconds / 60, seconds / 3600
    return f"{minutes:.0f} min" if minutes < 120 else f"{hours:.1f} h"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return f"({settings(value)})"
    if isinstance(value, list):
        return " + ".join(map(_value, value))
    return f'"{value}"' if " " in str(value) else str(value)


def _filled(text: str, start: str, indent: int) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )
