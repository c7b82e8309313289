"""Benchmark questions a second: Knowpack's scoring against lm-eval's Hugging Face backend, in one go.

    make bench BENCH=scoring STUDY=results/world
    DATA=folder make bench BENCH=scoring   # lm-eval finds datasets such as cais/mmlu in that folder

Each side is a process of its own and scores the same questions of each of TASKS with the model of a
finished study, in bfloat16; loading of model and data is not counted. A task whose data cannot be had is
left out. In bfloat16 some questions are judged otherwise by rounding alone: the share that is judged
alike is printed. That float32 gives equal scores question by question is a test's (tests/study).
"""

import contextlib
import json
import operator
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from ratios import compare, finished, grow

from knowpack.errors import KnowpackError

ROOT = Path(__file__).parents[2]
ROUNDS, BAR = 5, 4
# Task, shots (None: its own) and questions of each of its subtasks.
TASKS = [
    ("mmlu", 5, 4),
    ("arc_easy", None, 100),
    ("truthfulqa_mc1", None, 100),
    (str(ROOT / "resources/benchmarks/reasoning.yaml"), None, 100),
    (str(ROOT / "resources/benchmarks/misconceptions.yaml"), None, 100),
]
GROWING, SIZES = TASKS[-1][0], (30, 60, 120)
LONGEST = 4096


def suite_of(task: str, shots: str, limit: str) -> Any:
    from knowpack.tasks import load

    with contextlib.chdir(os.environ.get("DATA", ".")):
        count = None if shots == "None" else int(shots)
        return load([{"task": task, "shots": count, "limit": int(limit), "chat": False}])


def ours(model: Path, *task: str) -> tuple[pd.Series, float]:
    from knowpack.benchmarks import score_suite
    from knowpack.engine import Engine
    from knowpack.harness import ask_suite

    suite = suite_of(*task)
    options = {"dtype": "bfloat16", "max_model_len": LONGEST, "kv_cache_gib": 2}
    engine = Engine(model, os.cpu_count() or 1, gpu_memory_utilization=0.9, **options)
    start = time.monotonic()
    responses, _ = ask_suite(engine, suite, LONGEST, False)
    seconds = time.monotonic() - start
    questions, _ = score_suite(responses, suite)
    acc = questions[questions.metric == "acc"]
    return acc.set_index(["task", "question"]).value, seconds


def baseline(model: Path, *task: str) -> tuple[pd.Series, float]:
    import published

    return published.score(model, suite_of(*task))


def main(study: Path) -> None:
    model = next(study.glob("*/model/model.json")).parent
    for task, shots, limit in TASKS:
        try:
            questions = sum(one.questions for one in suite_of(task, str(shots), str(limit)))
        except KnowpackError as error:
            print(f"{task} is left out: {str(error).splitlines()[0]}")
            continue
        size = f"{questions} questions, {model.parent.name}"
        with tempfile.TemporaryDirectory() as folder:
            given = [folder, model, task, shots, limit]
            name = f"scoring {Path(task).stem}"
            compare(name, "questions/s", __file__, given, ROUNDS, BAR, size)
            if task == GROWING:
                sizes = {size: [folder, model, task, shots, size] for size in SIZES}
                grow(name, "questions/s", __file__, "questions", sizes)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(finished(sys.argv[1]))
    else:
        side, folder, model, *task = sys.argv[1:]
        acc, seconds = {"ours": ours, "baseline": baseline}[side](Path(model), *task)
        judged = [int(right) for right in acc.sort_index()]
        (Path(folder) / side).write_text(json.dumps(judged))
        other = json.loads((Path(folder) / "ours").read_text())
        alike = sum(map(operator.eq, judged, other)) / len(judged)
        print(json.dumps({"rate": len(acc) / seconds, "acc": acc.mean(), "alike": alike}))
