"""How long Snakemake plans: the paper's two models with all suites, and studies of up to 2,000 runs.

    make bench BENCH=load

Each study is planned from nothing (a dry run) and once more when it is finished (nothing to be done),
in a process of its own that is timed from its start to its end, in a copy of the checkout. A finished
study is one of empty files, of which Snakemake's own --touch wrote the records that a run writes; a
real one's files are larger, and no dry run reads them while their times are in order.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from ratios import cpu
from study_tree import LEFT_OUT, ROOT

from knowpack.config import load
from knowpack.runs import run_table
from knowpack.tables import write_table

TABLE = Path("results/bench/load.parquet")
TOUCH = "tests/workflow/touch_all.py"
PAPER, GROWING = "the paper's two models", "growing"
# Seconds that are asked for: of the paper's study, and of one of 2,000 runs.
BARS = {(PAPER, "dry run"): 15.0, (PAPER, "no-op"): 20.0}
LARGE, BAR = 2000, 60.0
# 5 levels, each without extras, and with 1 and 10 of 2 kinds, for 2 models: 50 runs a seed.
GRID = {
    "unknown": [1, 10, 50, 100, 500],
    "extra": ["none", "highly_known", "paraphrase"],
    "per_unknown": [1, 10],
}
RUNS_A_SEED = 50
LOADS = pa.schema(
    [
        pa.field("study", pa.string(), nullable=False),
        pa.field("what", pa.string(), nullable=False),
        pa.field("runs", pa.int64(), nullable=False),
        pa.field("jobs", pa.int64(), nullable=False),
        pa.field("seconds", pa.float64(), nullable=False),
        pa.field("cpu_seconds", pa.float64(), nullable=False),
        pa.field("mb", pa.float64(), nullable=False),
        pa.field("bar", pa.float64()),
        pa.field("device", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Run:
    """One process: what it said, its seconds, those of the processor, its peak memory in MB."""

    text: str
    seconds: float
    cpu_seconds: float
    mb: float


def timed(command: list[str], folder: Path) -> Run:
    """Run a command to its end.

    Raises:
        SystemExit: it failed; with what it said.
    """
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryFile("w+") as said:
        start = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if process.returncode:
        sys.exit(f"{' '.join(command)}\n{text[-4000:]}")
    return Run(text, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def paper(runs: int | None) -> dict[str, Any]:
    """The paper's two studies as one; with ``runs``, on a grid that has so many."""
    first, second = (
        yaml.safe_load((ROOT / f"config/paper-{name}.yaml").read_text(encoding="utf-8"))
        for name in ("llama-3.1-8b", "mistral-7b")
    )
    study = {**first, "study": "load", "models": first["models"] + second["models"]}
    if runs:
        seeds = list(range(1, runs // RUNS_A_SEED + 1))
        study |= {"grid": [{**GRID, "seeds": seeds}], "dynamics": [500]}
    return study


def measure(study: dict[str, Any], name: str, folder: Path, rounds: int) -> list[list[Any]]:
    """Plan a study from nothing and when it is finished; return the rows of `LOADS`."""
    for made in ("results", ".snakemake"):
        shutil.rmtree(folder / made, ignore_errors=True)
    (folder / "load.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    runs = len(run_table(load(study)))
    chosen = ["--configfile", "load.yaml", "--quiet", "rules", "--cores"]
    plan = [sys.executable, "-m", "snakemake", *chosen, "2"]
    found = {"dry run": [timed([*plan, "--dry-run"], folder) for _ in range(rounds)]}
    jobs = int(found["dry run"][0].text.split("\ntotal")[1].split()[0])
    # Many at a time: whenever Snakemake chooses jobs, it looks at all that could start.
    touch = ["100000", "--resources", "gpu=100000", "--touch", "--forceall"]
    made = timed([sys.executable, TOUCH, *chosen, *touch], folder)
    print(f"{jobs:,} jobs taken for finished in {made.seconds:.0f} s", flush=True)
    finished = timed([*plan, "--dry-run"], folder).text
    if "Nothing to be done" not in finished:  # or the next line would start to fetch and to train
        sys.exit(f"the finished study is not finished:\n{finished[-4000:]}")
    found["no-op"] = [timed(plan, folder) for _ in range(rounds)]
    rows = []
    for what, times in found.items():
        best = min(times, key=lambda run: run.seconds)
        bar = BARS.get((name, what), BAR if runs == LARGE else None)
        figures = [best.seconds, best.cpu_seconds, max(run.mb for run in times)]
        rows.append([name, what, runs, jobs, *figures, bar, cpu()])
    return rows


def show(loads: pd.DataFrame) -> None:
    """Print the table, and how much more a thousand jobs more take."""
    print(loads.drop(columns="device").to_string(index=False, float_format="{:,.1f}".format))
    for what, points in loads.groupby("what"):
        if len(points) > 1:
            slope, _ = np.polyfit(points["jobs"] / 1000, points[["seconds", "mb"]], 1)
            print(f"{what}: a thousand jobs more take {slope[0]:.1f} s and {slope[1]:.0f} MB")


def main(sizes: list[int], rounds: int) -> None:
    studies = [(PAPER, paper(None)), *((GROWING, paper(size)) for size in sizes)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "checkout"
        shutil.copytree(ROOT, folder, symlinks=True, ignore=LEFT_OUT)
        rows = [row for name, study in studies for row in measure(study, name, folder, rounds)]
    loads = pd.DataFrame(rows, columns=LOADS.names)
    write_table(loads, TABLE, LOADS)
    print(f"\n{TABLE}, load average {os.getloadavg()[0]:.1f}")
    show(loads)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, nargs="*", default=[250, 500, 1000, LARGE])
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    main(given.runs, given.rounds)
