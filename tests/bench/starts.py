"""Engine starts: what it takes to have an engine for each of RUNS runs, in one go.

    make bench BENCH=starts STUDY=results/world

Ours starts one engine, which takes one adapter after the other; the baseline starts one a run. Both
merge adapters and count from the start of the process.
"""

import os
import sys
import time
from pathlib import Path

START = time.monotonic()

from ratios import Work, compare, finished, grow, serve  # noqa: E402

RUNS, OTHERS, ROUNDS, BAR = 9, (3, 27), 5, 4


def ours(model: str, runs: str) -> Work:
    def work() -> dict[str, float]:
        return {"rate": 1 / seconds_a_run(Path(model), int(runs))}

    return work


def baseline(model: str, _: str) -> Work:
    return ours(model, "1")


def seconds_a_run(model: Path, runs: int) -> float:
    from knowpack.engine import Engine

    adapters = sorted(path.parent for path in model.parent.glob("*/adapter/run.json"))
    options = {"dtype": "auto", "max_model_len": 1024, "kv_cache_gib": 2}
    engine = Engine(model, os.cpu_count() or 1, "merged", gpu_memory_utilization=0.9, **options)
    for number in range(1, runs):
        engine.count_anew()
        engine.use(adapters[number % len(adapters)])
    return (time.monotonic() - START) / runs


def main(study: Path) -> None:
    model = next(study.glob("*/model/model.json")).parent
    size = f"{RUNS} runs, {model.parent.name}"
    named = ("engine start", "runs/s", __file__)
    rate = compare(*named, [model, RUNS], ROUNDS, BAR, size, anew=True)
    sizes = {runs: [model, runs] for runs in OTHERS}
    grow(*named, "runs", sizes, anew=True, measured={RUNS: rate})


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(finished(sys.argv[1]))
    else:
        serve({"ours": ours, "baseline": baseline})
