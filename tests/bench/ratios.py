"""The table of comparisons, results/bench/ratios.parquet: one row for each thing compared."""

import os
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from knowpack.tables import read_table, write_table

TABLE = Path("results/bench/ratios.parquet")
RATIOS = pa.schema(
    [
        pa.field("what", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("ours", pa.float64(), nullable=False),
        pa.field("baseline", pa.float64(), nullable=False),
        pa.field("ratio", pa.float64(), nullable=False),
        pa.field("bar", pa.float64(), nullable=False),
        pa.field("size", pa.string(), nullable=False),
        pa.field("device", pa.string(), nullable=False),
    ]
)


def record(
    what: str,
    unit: str,
    ours: float,
    baseline: float,
    bar: float,
    size: str,
    device: str,
    path: Path = TABLE,
) -> None:
    """Write the row ``what`` in place of the one that is there, keep the others, print them all.

    ``ours`` and ``baseline`` are rates in ``unit``; ``bar`` is the ratio that is asked for.
    """
    row = [what, unit, ours, baseline, ours / baseline, bar, size, device]
    rows = pd.DataFrame([row], columns=RATIOS.names)
    if path.exists():
        others = read_table(path).query("what != @what")
        rows = pd.concat([others, rows]).sort_values("what")
    write_table(rows, path, RATIOS)
    print(f"\n{path}\n{rows.to_string(index=False, float_format='{:,.1f}'.format)}")


def cpu() -> str:
    """Return the processor's name and how many cores this process may use."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{names[0] if names else 'CPU'}, {cores} cores"
