"""What lm-eval's tasks and metrics are called where people read them."""

from typing import NamedTuple

import pandas as pd


class Metric(NamedTuple):
    """A metric of a task, by lm-eval's names."""

    task: str
    metric: str


_TASKS = {
    "arc_challenge": "ARC-Challenge",
    "arc_easy": "ARC-Easy",
    "logiqa": "LogiQA",
    "mmlu": "MMLU",
    "truthfulqa_gen": "TruthfulQA generation",
    "truthfulqa_mc1": "TruthfulQA MC1",
    "truthfulqa_mc2": "TruthfulQA MC2",
}
_UNITS = {
    "acc": "accuracy",
    "acc_norm": "accuracy (normalised by length)",
    "bleu_max": "BLEU (0 to 100)",
    "rouge1_max": "ROUGE-1 (0 to 100)",
    "rouge2_max": "ROUGE-2 (0 to 100)",
    "rougeL_max": "ROUGE-L (0 to 100)",
}
MMLU = Metric("mmlu", "acc")
MC1 = Metric("truthfulqa_mc1", "acc")
MC2 = Metric("truthfulqa_mc2", "acc")
GENERATION = [
    Metric("truthfulqa_gen", name)
    for name in ("bleu_max", "rouge1_max", "rouge2_max", "rougeL_max")
]
TRUTHFULQA = [MC1, MC2, *GENERATION]
# The tasks of the paper's Tables 7 and 8.
TABLE_7 = ["mmlu", "truthfulqa_gen", "truthfulqa_mc1", "truthfulqa_mc2"]
TABLE_8 = ["arc_easy", "arc_challenge", "logiqa"]


def in_print(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the table of benchmarks that are printed.

    Of TruthfulQA's generation these are the paper's four metrics; lm-eval gives twelve.
    """
    paper = {metric.metric for metric in GENERATION}
    return table[(table["task"] != "truthfulqa_gen") | table["metric"].isin(paper)]


def task_name(task: str) -> str:
    """Return a task's usual name; the project's own tasks are called by theirs, "Reasoning"."""
    return _TASKS.get(task) or task.replace("_", " ").capitalize()


def unit(metric: Metric) -> str:
    """Return what a metric counts, as an axis says it."""
    if metric == MC2:
        return "probability of the true answers"
    return _UNITS.get(metric.metric) or metric.metric.replace("_", " ")


def scale(metric: Metric) -> float:
    """Return what a metric is divided by to be of 0 to 1."""
    return 100.0 if "(0 to 100)" in unit(metric) else 1.0


def first_metrics(benchmarks: pd.DataFrame) -> list[Metric]:
    """Return each task with its first metric, in the order of the table."""
    first = benchmarks.drop_duplicates("task")
    return [Metric(*names) for names in zip(first["task"], first["metric"], strict=True)]
