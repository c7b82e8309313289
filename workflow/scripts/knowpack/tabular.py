"""Tables of facts that users bring: from a file (CSV, TSV, JSONL or Parquet), or as columns."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from knowpack.cells import reader
from knowpack.draws import POPULARITIES
from knowpack.errors import DataError, suggest

COLUMNS = (
    "subject", "relation", "object", "question", "answer", "answers", "aliases", "score",
    "popularity", "domain",
)  # fmt: skip
MAPPED = ("category", "correct")  # elsewhere these names mean other things: read where mapped only
CATEGORIES = {
    "uk": "Unknown", "mk": "MaybeKnown", "hk": "HighlyKnown", "wk": "WeaklyKnown",
    "unknown": "Unknown", "maybeknown": "MaybeKnown", "highlyknown": "HighlyKnown",
    "weaklyknown": "WeaklyKnown",
}  # fmt: skip
NEEDED = "'question' and 'answer' (or 'answers'), or 'subject', 'relation' and 'object'"


@dataclass(frozen=True)
class _Table:
    """A table's columns under our names; ``separator`` splits a cell that holds a list."""

    where: str
    columns: Mapping[str, list[Any]]
    rows: list[int]
    separator: str | None

    def cells(self, name: str) -> Iterator[tuple[int, Any]]:
        """Yield each row's number and its value of a column, None where the column is absent."""
        values = self.columns.get(name, [None] * len(self.rows))
        return zip(self.rows, values, strict=True)

    def error(self, row: int, message: str) -> DataError:
        return DataError(f"{self.where}, row {row}: {message}")

    def text(self, row: int, name: str, value: Any) -> str | None:
        """Return the stripped text of a cell, None for an empty one."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if not isinstance(value, str):
            raise self.error(row, f"the {name} {value!r} is not text; put it in quotes")
        return value.strip() or None

    def texts(self, name: str, required: bool) -> list[str | None]:
        found = [self.text(row, name, value) for row, value in self.cells(name)]
        if required and None in found:
            row = self.rows[found.index(None)]
            raise self.error(row, f"the {name} is empty; write one or remove the row")
        return found

    def lists(self, name: str) -> Iterator[list[str]]:
        """Yield each row's texts; a million lists are not kept where one cell after another does."""
        return (self._items(row, name, value) for row, value in self.cells(name))

    def _items(self, row: int, name: str, value: Any) -> list[str]:
        if not isinstance(value, list):
            whole = self.text(row, name, value)
            if whole is None:
                return []
            value = whole.split(self.separator) if self.separator else [whole]
        items = [self.text(row, name, item) for item in value]
        kept = [item for item in items if item]
        if len(kept) < len(items):
            what = "alias" if name == "aliases" else "answer"
            raise self.error(
                row, f"'{name}' holds an empty {what}, which would match every text; remove it"
            )
        return kept

    def categories(self) -> list[str | None]:
        """Return the published category of each row: the one that stands there, or of its answers."""
        given = zip(self.texts("category", required=False), self.cells("correct"), strict=True)
        found = [self._category(row, text, correct) for text, (row, correct) in given]
        mapped = [name for name in MAPPED if name in self.columns]
        if mapped and not any(found):
            raise DataError(
                f"{self.where}: columns maps {' and '.join(mapped)}, but no row has a category; "
                "write some there, or take it out of 'columns'"
            )
        return found

    def _category(self, row: int, text: str | None, correct: Any) -> str | None:
        if text is not None:
            found = CATEGORIES.get(re.sub(r"[\s_-]+", "", text.casefold()))
            if found is None:
                names = list(dict.fromkeys(CATEGORIES.values()))
                hint = suggest(text, names)
                raise self.error(row, f"the category {text!r} is none of {', '.join(names)}{hint}")
            return found
        if correct is None:
            return None
        if not isinstance(correct, list) or not {type(one) for one in correct} == {bool}:
            raise self.error(
                row, f"'correct' is {correct!r}, not a list of true and false, one an answer"
            )
        return "HighlyKnown" if all(correct) else "MaybeKnown" if any(correct) else "Unknown"

    def scores(self) -> list[float | None]:
        return [self._score(row, value) for row, value in self.cells("score")]

    def _score(self, row: int, value: Any) -> float | None:
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            return None
        try:
            score = float(value)
        except (TypeError, ValueError):
            score = math.nan
        if not 0 <= score < math.inf:
            raise self.error(
                row,
                f"the score {value!r} is not a number of 0 or more; write one or leave it empty",
            )
        return score


def read_table_source(path: str | Path, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read a user's table, one fact a row: a question with its answers, or a triple.

    It needs the columns question and answer (or answers), or subject, relation and object. Others
    are optional: question, aliases, score (popularity as a number), popularity (head, torso, tail)
    and domain. Where ``columns`` names them, category (Unknown, UK and so on) or correct (a list,
    whether each of a model's answers was right) give what others found of the fact.
    ``columns`` maps our names to the file's where they differ. In CSV and TSV a cell of answer,
    answers or aliases holds several separated by ``|``; elsewhere it is a list or one text.

    Returns:
        subject, relation, object, question, popularity, domain, published_category (text or null),
        answers (list, label first, each once), score (float or null), row (CSV and TSV: the header
        is row 1; JSONL: the line; Parquet: from 1).

    Raises:
        DataError: the file cannot be read, lacks columns, or a cell is empty or of another type.
    """
    path = Path(path)
    read, separator = reader(path)
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give the path of one table in it")
    if not path.exists():
        raise DataError(f"{path}: no such file; give the path of a table of facts")
    if not path.stat().st_size:
        raise DataError(f"{path}: is empty; it needs the columns {NEEDED}")
    found = read(path)
    named = name_columns(path, list(found.columns), columns or {})
    table = {ours: found.columns[theirs] for ours, theirs in named.items()}
    return facts_of_columns(str(path), table, found.rows, separator)


def name_columns(
    where: str | Path, present: list[str], columns: Mapping[str, str]
) -> dict[str, str]:
    """Map each of our names that a table has to the table's own; ``columns`` are those that differ.

    Raises:
        DataError: a name in ``columns`` is not ours, or not the table's, or not enough are there.
    """
    check_columns(where, columns)
    for ours, theirs in columns.items():
        if theirs not in present:
            raise DataError(
                f"{where}: columns maps {ours} to '{theirs}', which the table lacks"
                f"{suggest(theirs, present)}; it has {_listed(present)}"
            )
    named = {name: name for name in COLUMNS if name in present and name not in columns.values()}
    named.update(columns)
    triple = {"subject", "relation", "object"} <= named.keys()
    if not triple and not ("question" in named and named.keys() & {"answer", "answers"}):
        hints = [
            f"'{name}'{suggest(name, COLUMNS) if name not in COLUMNS else ''}" for name in present
        ]
        raise DataError(
            f"{where}: lacks columns: it needs {NEEDED}, and has {', '.join(hints)}; rename them "
            "there, or map our names to yours under 'columns'"
        )
    return named


def check_columns(where: str | Path, columns: Mapping[str, str]) -> None:
    """Refuse a name in ``columns`` that is none of ours."""
    names = (*COLUMNS, *MAPPED)
    for ours in columns:
        if ours not in names:
            raise DataError(
                f"{where}: columns maps the unknown name '{ours}'{suggest(ours, names)}; "
                f"the names are {', '.join(names)}"
            )


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def facts_of_columns(
    where: str, columns: Mapping[str, list[Any]], rows: list[int], separator: str | None = None
) -> pd.DataFrame:
    """Return the facts in columns under our names; ``rows`` number them for messages.

    ``separator`` splits a cell that holds several answers. Returns what `read_table_source` does.

    Raises:
        DataError: there are no rows, or a cell is empty or of another type.
    """
    if not rows:
        raise DataError(f"{where}: has no rows; write one fact a row")
    return _facts(_Table(where, columns, rows, separator))


def _facts(table: _Table) -> pd.DataFrame:
    asked = "question" in table.columns and bool(table.columns.keys() & {"answer", "answers"})
    triple = {"subject", "relation", "object"} <= table.columns.keys()
    # A table of facts without triples, written by Knowpack itself, has those columns all null.
    if asked and triple and all(not value for _, value in table.cells("object")):
        triple = False
    frame: dict[str, list[Any]] = {
        "subject": table.texts("subject", required=triple),
        "relation": table.texts("relation", required=triple),
        "object": table.texts("object", required=triple) if triple else [None] * len(table.rows),
        "question": table.texts("question", required="question" in table.columns),
        "popularity": table.texts("popularity", required=False),
        "domain": table.texts("domain", required=False),
        "published_category": table.categories(),
    }
    for row, popularity in zip(table.rows, frame["popularity"], strict=True):
        if popularity is not None and popularity not in POPULARITIES:
            hint = suggest(popularity, POPULARITIES)
            raise table.error(
                row, f"the popularity '{popularity}' is none of {', '.join(POPULARITIES)}{hint}"
            )
    frame["answers"] = list(_answers(table, frame["object"]))
    facts = pd.DataFrame({name: pd.Series(frame[name], dtype=object) for name in frame})
    return facts.assign(score=pd.Series(table.scores(), dtype="float64"), row=table.rows)


def _answers(table: _Table, labels: list[str | None]) -> Iterator[list[str]]:
    lists = (table.lists(name) for name in ("answer", "answers", "aliases"))
    for row, label, answer, answers, aliases in zip(table.rows, labels, *lists, strict=True):
        first = [*([label] if label else []), *answer, *answers]
        if not first:
            raise table.error(row, "the answer is empty; write one or remove the row")
        yield list(dict.fromkeys(first + aliases))
