"""The cells of a table file a user may bring, whatever its format: CSV, TSV, JSONL or Parquet."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from knowpack.errors import DataError

HALF = re.compile(r"[\ud800-\udfff]")  # of a pair of surrogates, which is no text by itself


@dataclass(frozen=True)
class Cells:
    """A table's columns under the file's names, and each row's number as its reader counts it.

    CSV and TSV: the header is row 1; JSONL: the line; Parquet: from 1.
    """

    columns: Mapping[str, list[Any]]
    rows: list[int]


def _decode(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, row {row}: not UTF-8 at byte {error.start}; save the table as UTF-8"
        ) from error


def _read_delimited(delimiters: str) -> Callable[[Path], Cells]:
    def read(path: Path) -> Cells:
        text = _decode(path)
        # Spreadsheets write semicolons where the decimal point is a comma; the header tells.
        header_line = re.sub(r'"[^"]*"', "", text.lstrip().partition("\n")[0])
        delimiter = max(delimiters, key=header_line.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        header: list[str] = []
        columns: list[list[str]] = []
        rows: list[int] = []
        try:
            for number, record in enumerate(reader, start=1):
                if not record:
                    continue
                if not header:
                    header = [name.strip() for name in record]
                    _check_header(path, header)
                    columns = [[] for _ in header]
                    continue
                if len(record) != len(header):
                    raise DataError(
                        f"{path}, row {number}: has {len(record)} cells, the header {len(header)}; "
                        f"put a cell that holds {delimiter!r} in double quotes"
                    )
                for column, cell in zip(columns, record, strict=True):
                    column.append(cell)
                rows.append(number)
        except csv.Error as error:
            raise DataError(
                f"{path}, line {reader.line_num}: {error}; close every double quote, and write one "
                "inside a cell as two"
            ) from error
        return Cells(dict(zip(header, columns, strict=True)), rows)

    return read


def _check_header(path: Path, header: list[str]) -> None:
    for name in header:
        if header.count(name) > 1:
            raise DataError(f"{path}: the column '{name}' stands twice; keep one")


def _read_jsonl(path: Path) -> Cells:
    columns: dict[str, list[Any]] = {}
    rows: list[int] = []
    for number, line in enumerate(_decode(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{path}, row {number}: not JSON: {error}") from error
        if not isinstance(record, dict):
            raise DataError(f"{path}, row {number}: not a JSON object; write one a line")
        if "\\ud" in line.lower() and HALF.search(json.dumps(record, ensure_ascii=False)):
            raise DataError(
                f"{path}, row {number}: holds half a character (\\ud...); write it whole"
            )
        for name in record:
            if name not in columns:
                columns[name] = [None] * len(rows)
        for name, column in columns.items():
            column.append(record.get(name))
        rows.append(number)
    return Cells(columns, rows)


class _Parquet(Mapping[str, list[Any]]):
    """The columns of a Parquet file; each is read when it is asked for, the others never."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _readable(path):
            self.file = pq.ParquetFile(path)
        self.names = self.file.schema_arrow.names
        _check_header(path, self.names)

    def __getitem__(self, name: str) -> list[Any]:
        with _readable(self.path):
            cells: list[Any] = self.file.read([name])[name].to_pylist()
        return cells

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _read_parquet(path: Path) -> Cells:
    columns = _Parquet(path)
    return Cells(columns, list(range(1, columns.file.metadata.num_rows + 1)))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: holds text that is not UTF-8; write it as UTF-8") from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file ({error}); write it again") from error


def reader(path: Path) -> tuple[Callable[[Path], Cells], str | None]:
    """Return what reads a table of this kind, and what separates several texts in one of its cells.

    Raises:
        DataError: the name ends in none of the known kinds.
    """
    kind = path.suffix.lower()
    if kind not in READERS:
        raise DataError(f"{path}: unknown kind of table; give a {', '.join(READERS)} file")
    return READERS[kind], "|" if kind in (".csv", ".tsv") else None


READERS: dict[str, Callable[[Path], Cells]] = {
    ".csv": _read_delimited(",;\t"),
    ".tsv": _read_delimited("\t"),
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
