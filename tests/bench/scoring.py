"""Benchmark questions a second: Knowpack's scoring against lm-eval's Hugging Face backend, in one go.

    make bench BENCH=scoring STUDY=results/world
    DATA=folder make bench BENCH=scoring   # lm-eval finds datasets such as cais/mmlu in that folder

Each side is a process of its own, which in every round scores the same questions of each of TASKS with
the model of a finished study; loading of model and data is not counted. Ours are two processes on a CPU,
as in asking.py. A task whose data cannot be had is left out. In bfloat16 some questions are judged
otherwise by rounding alone: the share that is judged alike is printed. That float32 gives equal scores
question by question is a test's (tests/study).
"""

import contextlib
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from ratios import Work, compare, finished, grow, serve, side_by_side

from knowpack.errors import KnowpackError
from knowpack.tables import read_table, write_table

ROOT = Path(__file__).parents[2]
ROUNDS, BAR = 5, 4
# Task, shots (None: its own, and prompts are short) and questions of each of its subtasks. Of MMLU 12
# subjects: all 57 take the baseline ten minutes a round.
TASKS = [
    ("mmlu_social_sciences", 5, 4),
    ("arc_easy", None, 100),
    ("truthfulqa_mc1", 0, 40),
    (str(ROOT / "resources/benchmarks/reasoning.yaml"), None, 100),
    (str(ROOT / "resources/benchmarks/misconceptions.yaml"), None, 100),
]
GROWING, SIZES = TASKS[-1][0], (30, 60, 120)
LONGEST = 4096
KEYS = ["task", "question"]


def suite_of(task: str, shots: str, limit: str) -> Any:
    from knowpack.tasks import load

    with contextlib.chdir(os.environ.get("DATA", ".")):
        count = None if shots == "None" else int(shots)
        return load([{"task": task, "shots": count, "limit": int(limit), "chat": False}])


def one(alike: str, model: str, *task: str) -> Work:
    from knowpack.benchmarks import score_suite
    from knowpack.engine import Engine
    from knowpack.harness import ask_suite

    suite = suite_of(*task)
    options = {"dtype": "auto", "max_model_len": LONGEST, "kv_cache_gib": 2}
    threads = int(os.environ["OMP_NUM_THREADS"])
    engine = Engine(Path(model), threads, gpu_memory_utilization=0.9, **options)

    def work() -> dict[str, float]:
        engine.llm.reset_prefix_cache()
        start = time.monotonic()
        responses, _ = ask_suite(engine, suite, LONGEST, False)
        seconds = time.monotonic() - start
        questions, _ = score_suite(responses, suite)
        acc = questions[questions.metric == "acc"]
        judged = acc[[*KEYS, "value"]]
        # Two processes write the same.
        write_table(judged, alike, pa.Schema.from_pandas(judged, preserve_index=False))
        return {"rate": len(judged) / seconds, "acc": judged.value.mean()}

    return work


def baseline(alike: str, model: str, *task: str) -> Work:
    import published

    score = published.scorer(Path(model), long=task[1] != "None")

    def work() -> dict[str, float]:
        judged, seconds = score(suite_of(*task))
        same = judged.sort_index() == read_table(alike).set_index(KEYS).value.sort_index()
        return {"rate": len(judged) / seconds, "acc": judged.mean(), "alike": same.mean()}

    return work


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
            given = [f"{folder}/judged", model, task, shots, limit]
            name = f"scoring {Path(task).stem}"
            compare(name, "questions/s", __file__, given, ROUNDS, BAR, size)
            if task == GROWING:
                sizes = {count: [*given[:-1], count] for count in SIZES}
                grow(name, "questions/s", __file__, "questions", sizes)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(finished(sys.argv[1]))
    else:
        serve({"ours": partial(side_by_side, __file__, "one"), "one": one, "baseline": baseline})
