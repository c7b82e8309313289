"""A table in its three forms: parquet to compute with, Markdown and LaTeX to print."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from knowpack.markup import to_latex, to_markdown
from knowpack.tables import write_table, write_text


def write_forms(
    table: pd.DataFrame, schema: pa.Schema, printed: pd.DataFrame, caption: str, path: str | Path
) -> None:
    """Write ``table`` as ``path`` (parquet) and ``printed`` beside it as ``.md`` and ``.tex``.

    Raises:
        DataError: as `knowpack.tables.write_table`.
    """
    path = Path(path)
    write_text(to_markdown(printed, caption), path.with_suffix(".md"))
    write_text(to_latex(printed, caption, f"tab:{path.stem}"), path.with_suffix(".tex"))
    write_table(table, path, schema)
