"""The tables of `make bench`: what is compared (ratios.parquet), and how ours grows (growth.parquet)."""

import atexit
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from knowpack.tables import read_table, write_table

Work = Callable[[], dict[str, float]]
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
    print(f"\n{path}\n{table.to_string(index=False, float_format=_three_digits)}\n", flush=True)


def compare(
    what: str,
    unit: str,
    script: str,
    arguments: Sequence[object],
    rounds: int,
    bar: float,
    size: str,
    anew: bool = False,
) -> float:
    """Let both sides of a script work in turn and record the medians; return ours.

    ``script`` serves (see `serve`) the side, `ours` or `baseline`, with its ``arguments``: one process
    for all rounds, or with ``anew`` one a round.
    """
    rates: dict[str, list[float]] = {"ours": [], "baseline": []}
    begin = started_anew if anew else started
    with ExitStack() as kept:
        works = {side: kept.enter_context(begin(script, side, *arguments)) for side in rates}
        for number in range(rounds):
            for side, work in works.items():
                made = work()
                rates[side].append(made.pop("rate"))
                said = ", ".join([f"{rates[side][-1]:.3g} {unit}", *_said(made)])
                print(f"{what}, round {number + 1}, {side}: {said}", flush=True)
    medians = [statistics.median(each) for each in rates.values()]
    record(what, unit, *medians, bar, size, device())
    return medians[0]


def grow(
    what: str,
    unit: str,
    script: str,
    of: str,
    arguments: Mapping[int, Sequence[object]],
    rounds: int = 3,
    anew: bool = False,
    measured: Mapping[int, float] | None = None,
) -> None:
    """Let our side work at each size, and record the medians.

    ``arguments`` are the script's by size, which counts ``of``; ``anew`` is that of `compare`, and
    ``measured`` has by size what it found already.
    """
    begin = started_anew if anew else started
    medians = dict(measured or {})
    for size, given in arguments.items():
        with begin(script, "ours", *given) as work:
            rates = [work()["rate"] for _ in range(rounds)]
        said = ", ".join(f"{rate:.3g}" for rate in rates)
        print(f"{what}, {size:,} {of}: {said} {unit}", flush=True)
        medians[size] = statistics.median(rates)
        rows = [[what, unit, count, of, rate, device()] for count, rate in sorted(medians.items())]
        _replace(rows, GROWTH, RATES)


@contextmanager
def started(script: str, *arguments: object) -> Iterator[Work]:
    """Start a side of a script, of which ``arguments`` begin with the name; yield what lets it work.

    Raises:
        SystemExit: it failed; with what it said.
    """
    command = [sys.executable, script, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stderr=log, **pipes) as side,
    ):

        def work() -> dict[str, float]:
            with suppress(BrokenPipeError):
                print(file=side.stdin, flush=True)
            line = side.stdout.readline()
            if not line:
                log.seek(0)
                sys.exit(f"{' '.join(command)}\n{log.read()[-4000:]}")
            return dict(json.loads(line))

        yield work


@contextmanager
def started_anew(script: str, *arguments: object) -> Iterator[Work]:
    """Yield what starts a side, lets it work once, and ends it."""

    def work() -> dict[str, float]:
        with started(script, *arguments) as once:
            return once()

    yield work


def side_by_side(script: str, *arguments: object) -> Work:
    """Return the work of two processes of a script, with half of the cores each, at the same time.

    So a study's jobs run on a CPU. Rates are added up; of all else the first one's is returned. On a GPU it
    is one process.
    """
    import torch

    count = 1 if torch.cuda.is_available() else 2
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // count))
    kept = ExitStack()
    atexit.register(kept.close)
    works = [kept.enter_context(started(script, *arguments)) for _ in range(count)]

    def work() -> dict[str, float]:
        with ThreadPoolExecutor() as pool:
            found = [done.result() for done in [pool.submit(each) for each in works]]
        return {**found[0], "rate": sum(each["rate"] for each in found)}

    return work


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 99.95 else f"{value:#.3g}"


def _said(values: Mapping[str, float]) -> list[str]:
    return [f"{name} {value:.4g}" for name, value in values.items()]


def serve(sides: Mapping[str, Callable[..., Work]]) -> None:
    """Be the side that the command line names: prepare it, then work at each line of standard input.

    A side takes the arguments behind its name, as text, and returns the work, which is timed and says
    its ``rate``. Whatever else is printed goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    work = sides[sys.argv[1]](*sys.argv[2:])
    for _ in sys.stdin:
        print(json.dumps(work()), file=answers, flush=True)


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
