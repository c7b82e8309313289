"""The tables of `make bench`: what is compared (ratios.parquet), and how ours grows (growth.parquet)."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from knowpack.tables import read_table, write_table

TABLE = Path("results/bench/ratios.parquet")
GROWTH = Path("results/bench/growth.parquet")
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

RATES = pa.schema(
    [
        pa.field("what", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("of", pa.string(), nullable=False),
        pa.field("rate", pa.float64(), nullable=False),
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
    _replace([row], path, RATIOS)


def _replace(rows: list[list[Any]], path: Path, schema: pa.Schema) -> None:
    """Write rows about one thing in place of those that are there; print the table."""
    table = pd.DataFrame(rows, columns=schema.names)
    if path.exists():
        known = read_table(path)
        table = pd.concat([known[known["what"] != rows[0][0]], table])
        table = table.sort_values("what", kind="stable")
    write_table(table, path, schema)
    print(f"\n{path}\n{table.to_string(index=False, float_format='{:,.1f}'.format)}\n", flush=True)


def compare(
    what: str,
    unit: str,
    script: str,
    arguments: Sequence[object],
    rounds: int,
    bar: float,
    size: str,
) -> None:
    """Run both sides of a script in turn, each in a process of its own, and record the medians.

    ``script`` takes the side, `ours` or `baseline`, before its arguments; the last line that it prints
    is a JSON object with its ``rate`` and whatever else is to be seen.
    """
    rates: dict[str, list[float]] = {"ours": [], "baseline": []}
    for number in range(rounds):
        for side, found in rates.items():
            made = run_side(script, side, *arguments)
            found.append(made.pop("rate"))
            more = "".join(f", {name} {value:.4g}" for name, value in made.items())
            print(f"{what}, round {number + 1}, {side}: {found[-1]:.3g} {unit}{more}", flush=True)
    record(what, unit, *map(statistics.median, rates.values()), bar, size, device())


def grow(
    what: str,
    unit: str,
    script: str,
    of: str,
    arguments: Mapping[int, Sequence[object]],
    rounds: int = 3,
) -> None:
    """Run our side at each size, in turn, and record the medians.

    ``arguments`` are the script's by size, which counts ``of``.
    """
    rates: dict[int, list[float]] = {size: [] for size in arguments}
    for _ in range(rounds):
        for size, given in arguments.items():
            rates[size].append(run_side(script, "ours", *given)["rate"])
            print(f"{what}, {size:,} {of}: {rates[size][-1]:.3g} {unit}", flush=True)
    rows = [
        [what, unit, size, of, statistics.median(found), device()] for size, found in rates.items()
    ]
    _replace(rows, GROWTH, RATES)


def run_side(script: str, *arguments: object) -> dict[str, Any]:
    """Run a script to its end and return what its last line says.

    Raises:
        SystemExit: it failed; with what it said.
    """
    command = [sys.executable, script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-4000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def finished(study: str) -> Path:
    """Return the folder of a finished study's results.

    Raises:
        SystemExit: it is none.
    """
    if not (Path(study) / "report.html").exists():
        sys.exit(f"this is timed on a finished study, and {study} is none: `make study` makes it")
    return Path(study)


def device() -> str:
    """Return the name of what computes."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else cpu()


def cpu() -> str:
    """Return the processor's name and how many cores this process may use."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{names[0] if names else 'CPU'}, {cores} cores"
