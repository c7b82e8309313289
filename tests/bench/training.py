"""Training rows a second: Knowpack against the Trainer as published, on the same rows in one go.

    make bench BENCH=training STUDY=results/world

Each side trains the rows of a finished run; loading is not counted. On a CPU a study trains two runs
at a time, each on half of the cores, and so does our side, whose rates are added up; the published
scripts train one after the other, on all cores.
"""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from ratios import Work, compare, finished, grow, serve, side_by_side

from knowpack.tables import read_table

EPOCHS, ROUNDS = 2, 5
BARS = {"row": 2, "answer": 4}


def spec_of(run: Path, **changed: Any) -> dict[str, Any]:
    recorded = json.loads((run / "adapter/run.json").read_text())["spec"]
    return {**recorded, "epochs": EPOCHS, **changed}


def one(run: str, loss: str) -> Work:
    from knowpack.training import train

    class Silent:
        def __init__(self, **_: Any) -> None: ...
        def update(self, _: int) -> None: ...
        def set_postfix(self, **_: Any) -> None: ...
        def close(self) -> None: ...

    place = Path(run)
    rows = read_table(place / "rows.parquet")
    spec = spec_of(place, loss=loss, keep_epochs=False)

    def work() -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            made = train(place.parent / "model", rows, spec, "bench", Path(folder), Silent)
        return _found(len(rows), made["seconds"], [value for _, value in made["loss"]])

    return work


def baseline(run: str, _: str) -> Work:
    import published

    place = Path(run)
    spec = spec_of(place)
    rows = tokens(place, spec)

    def work() -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            made = published.train(place.parent / "model", rows, spec, Path(folder))
        return _found(len(rows), made["seconds"], made["loss"])

    return work


def tokens(run: Path, spec: dict[str, Any]) -> list[list[int]]:
    """The rows of a run as tokens."""
    from transformers import AutoTokenizer

    from knowpack.prompts import Prompter

    tokenizer = AutoTokenizer.from_pretrained(run.parent / "model", trust_remote_code=False)
    prompter = Prompter(tokenizer, spec["system"], spec["style"])
    rows = read_table(run / "rows.parquet")
    return [prompter.row_ids(*pair)[0] for pair in zip(rows.question, rows.answer, strict=True)]


def _found(rows: int, seconds: float, loss: list[float]) -> dict[str, float]:
    steps = len(loss) // EPOCHS
    return {
        "rate": rows * EPOCHS / seconds,
        "first loss": sum(loss[:steps]) / steps,
        "last loss": sum(loss[-steps:]) / steps,
    }


def runs_by_rows(study: Path) -> dict[int, Path]:
    """A run of each number of rows, the fewest first."""
    runs = {
        len(read_table(path.parents[1] / "rows.parquet")): path.parents[1]
        for path in sorted(study.glob("*/*/adapter/run.json"))
    }
    return dict(sorted(runs.items()))


def middle(runs: dict[int, Path]) -> int:
    """The number of rows that both sides train; the most take minutes without bfloat16."""
    return list(runs)[len(runs) // 2]


def main(study: Path) -> None:
    runs = runs_by_rows(study)
    rows = middle(runs)
    run = runs[rows]
    size = f"{rows} rows of {run.name}, {run.parent.name}"
    for loss, bar in BARS.items():
        named = (f"training, {loss} loss", "rows/s", __file__)
        rate = compare(*named, [run, loss], ROUNDS, bar, size)
        growing = {count: [runs[count], loss] for count in {min(runs), max(runs)} - {rows}}
        grow(*named, "rows", growing, measured={rows: rate})


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(finished(sys.argv[1]))
    else:
        serve({"ours": partial(side_by_side, __file__, "one"), "one": one, "baseline": baseline})
