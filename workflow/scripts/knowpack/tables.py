"""Reading and writing of every table: one schema each, checked, and never half written."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from knowpack.errors import DataError


def write_table(
    frame: pd.DataFrame,
    path: str | Path,
    schema: pa.Schema,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write ``frame`` as parquet with exactly the columns of ``schema``, in its order.

    The file appears whole or not at all (temporary file, then rename). A column whose field is not
    nullable may hold no null. ``metadata`` goes into the parquet footer.

    Raises:
        DataError: a column is missing, unknown, of another type, or null where it may not be.
    """
    missing = [name for name in schema.names if name not in frame]
    extra = [str(name) for name in frame if name not in schema.names]
    if missing or extra:
        raise DataError(f"{path}: columns missing: {missing}, unknown: {extra}")
    for field in schema:
        nulls = int(frame[field.name].isna().sum())
        if nulls and not field.nullable:
            raise DataError(f"{path}: column '{field.name}' is null in {nulls} rows")
    try:
        table = pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"{path}: {error}") from error
    table = table.replace_schema_metadata(dict(metadata or {}))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(table, temporary, compression="zstd")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_table(path: str | Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a parquet table, or the named columns of it.

    Raises:
        DataError: the file cannot be read as parquet or lacks a named column.
    """
    try:
        return pq.read_table(path, columns=list(columns) if columns else None).to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error


def read_metadata(path: str | Path) -> dict[str, str]:
    """Return the footer metadata that ``write_table`` was given.

    Raises:
        DataError: the file cannot be read as parquet.
    """
    try:
        found = pq.read_schema(path).metadata or {}
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    return {key.decode(): value.decode() for key, value in found.items()}


def write_text(text: str, path: str | Path) -> None:
    """Write a text file whole or not at all (UTF-8)."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _unreadable(path: str | Path, error: Exception) -> DataError:
    return DataError(f"{path}: not a readable parquet table ({error}); delete it and run again")
