"""Other accepted answers: aliases of the facts' objects, from a table of the user's or elsewhere."""

from pathlib import Path
from typing import Any

import pandas as pd

from knowpack.cells import reader
from knowpack.errors import DataError, suggest
from knowpack.facts import plain, without_given_aliases

UNKNOWN_LISTED = 20


def read_aliases(path: str | Path) -> pd.DataFrame:
    """Read a user's table of aliases: the columns object and alias; others are ignored.

    An object may stand in several rows, and one cell may hold several aliases: separated by ``|``
    in CSV and TSV, as a list in JSONL and Parquet.

    Returns:
        Columns object and alias, one alias a row, in the table's order; texts are stripped.

    Raises:
        DataError: the file cannot be read, lacks a column or rows, or a cell is empty or not text.
    """
    path = Path(path)
    read, separator = reader(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; give the path of a table of aliases")
    table = read(path)
    for name in ("object", "alias"):
        if name not in table.columns:
            has = ", ".join(f"'{column}'" for column in table.columns) or "none"
            raise DataError(
                f"{path}: lacks the column '{name}'{suggest(name, table.columns)}; it needs "
                f"'object' and 'alias', and has {has}"
            )
    if not table.rows:
        raise DataError(f"{path}: has no rows; write an object and its aliases in each")
    pairs = []
    cells = zip(table.rows, table.columns["object"], table.columns["alias"], strict=True)
    for row, name, cell in cells:
        where = f"{path}, row {row}"
        split = cell.split(separator) if separator else cell
        aliases = split if isinstance(split, list) and split else [split]
        known = _text(where, "object", name, "write one or remove the row")
        remedy = "it would match every text; write one, or remove it"
        pairs += [(known, _text(where, "alias", alias, remedy)) for alias in aliases]
    return pd.DataFrame(pairs, columns=["object", "alias"], dtype="str")


def _text(where: str, name: str, value: Any, remedy: str) -> str:
    if value is None or value == [] or value != value:  # what is not itself is NaN
        value = ""
    if not isinstance(value, str):
        raise DataError(f"{where}: the {name} {value!r} is not text; put it in quotes")
    if not value.strip():
        raise DataError(f"{where}: the {name} is empty; {remedy}")
    return value.strip()


def with_aliases(facts: pd.DataFrame, aliases: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Add to each fact's ``answers`` the aliases of its ``object``; the label stays the first.

    ``facts`` has the columns of `facts.FACTS`, ``aliases`` object and alias, neither null. Texts
    that differ in case, white space or Unicode compatibility form alone are the same, so an alias
    that is an answer already is not added; nor is one that stands in the question.

    Returns:
        The facts, and the counts objects (distinct ones of the facts), found (of them, those that
        got an alias), added (aliases), unknown (the first objects of ``aliases`` that no fact has)
        and unknown_count.

    Raises:
        DataError: no fact has an object, or none of ``aliases``' objects is one of a fact.
    """
    objects = facts["object"].map(plain, na_action="ignore")
    if not objects.notna().any():
        raise DataError(
            "aliases: no fact has an object, so none can get an alias; give the facts as subject, "
            "relation and object, or take 'aliases' out of the configuration"
        )
    keys = aliases["object"].map(plain)
    unknown = aliases["object"][~keys.isin(objects) & ~keys.duplicated()].tolist()
    if unknown and not keys.isin(objects).any():
        here = facts["object"].dropna().unique().tolist()
        raise DataError(
            f"aliases: none of the {len(unknown)} objects of the aliases is one of a fact: they "
            f"have '{unknown[0]}'{suggest(unknown[0], here)}, the facts have '{here[0]}'; write "
            "the objects as the facts do"
        )
    known: dict[str, dict[str, str]] = {}
    for key, alias in zip(keys, aliases["alias"], strict=True):
        known.setdefault(key, {}).setdefault(plain(alias), alias)
    pairs = zip(facts["answers"], objects, strict=True)
    longer = [_longer(list(answers), known.get(key, {})) for answers, key in pairs]
    grown = facts.assign(answers=pd.Series(longer, index=facts.index, dtype=object))
    grown, _ = without_given_aliases(grown)
    gain = grown["answers"].str.len() - facts["answers"].str.len()
    counts = {
        "objects": int(objects.nunique()),
        "found": int(objects[gain > 0].nunique()),
        "added": int(gain.sum()),
        "unknown": unknown[:UNKNOWN_LISTED],
        "unknown_count": len(unknown),
    }
    return grown, counts


def _longer(answers: list[str], aliases: dict[str, str]) -> list[str]:
    """Return the answers and those aliases, given by their plain form, that are none of them."""
    forms = {plain(answer) for answer in answers} if aliases else set()
    return answers + [alias for form, alias in aliases.items() if form not in forms]
