"""Sentences for captions, with the numbers that a table or figure rests on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from knowpack.benchmark_names import Metric, task_name, unit


def asked(prompts: Mapping[str, Any]) -> str:
    """Return how facts are asked; ``prompts`` has the keys count and shots."""
    count, shots = prompts["count"], prompts["shots"]
    times = "one prompt" if count == 1 else f"{count} prompts"
    shown = {0: "no examples", 1: "one example"}.get(shots, f"{shots} examples")
    each = " each" if count > 1 and shots else ""
    return f"Each fact is asked in {times} with {shown}{each}, greedily."


def over_seeds(seeds: Iterable[int]) -> str:
    """Return what a printed cell is over the runs' seeds, which may hold nulls (the model itself)."""
    numbers = _seeds(seeds)
    if len(numbers) < 2:
        return f"Seed {listed(numbers)}."
    return f"Mean (minimum to maximum) of the seeds {listed(numbers)}."


def line_over_seeds(seeds: Iterable[int]) -> str:
    """Return what a drawn line and its band are over the runs' seeds."""
    numbers = _seeds(seeds)
    if len(numbers) < 2:
        return f"Line: seed {listed(numbers)}."
    return f"Line: mean of the seeds {listed(numbers)}; band: minimum to maximum."


def in_facts(numbers: pd.Series) -> str:
    """Return how many facts were asked, a number a model (index): "2,000 facts"."""
    if numbers.nunique() == 1:
        return f"{numbers.iloc[0]:,} facts"
    return "; ".join(f"{model}: {count:,} facts" for model, count in numbers.items())


def shifted_facts(shifts: pd.DataFrame) -> pd.Series:
    """Return of how many facts the table of shifts speaks, by model."""
    counts = shifts.filter(regex="^[umh]k_[umh]k$").sum(axis="columns")
    return counts.groupby(shifts["model"]).max()


def of_generalization(table: pd.DataFrame, runs: pd.DataFrame, prompts: Mapping[str, Any]) -> str:
    """Return the caption of the table of generalization; ``prompts`` is that of `asked`."""
    if table.empty:
        return (
            "Generalization: no taught fact could be asked otherwise, as none has a wording to hold out "
            "or a question that reverses it."
        )
    return (
        "Mean share of right answers (P_correct) over the taught unknown facts, where they are asked "
        "in wordings that no run was trained on (held out), or for the subject given the object "
        "(reversed); beside it that of the same facts in the same prompts, asked as they were taught, and "
        "what the model itself answers to the same questions. "
        f"{asked(prompts)} {over_seeds(runs['seed'])}"
    )


def of_benchmarks(table: pd.DataFrame, runs: pd.DataFrame) -> str:
    """Return the caption of a printed table of benchmarks."""
    if table.empty:
        return "Benchmarks: not asked in this study."
    cells = "± is the standard error over the questions, where a cell is a single run."
    return f"{protocols(table)} {over_seeds(runs['seed'])} {cells}"


def protocols(table: pd.DataFrame) -> str:
    """Return what each benchmark counts, of how many questions and by which protocol."""
    said = []
    for (task, protocol), rows in table.groupby(["task", "protocol"], sort=False):
        metrics = [Metric(str(task), name) for name in rows["metric"].drop_duplicates()]
        units = listed([unit(metric) for metric in metrics])
        questions = listed([f"{number:,}" for number in sorted(set(rows["questions"]))])
        said.append(f"{task_name(str(task))}: {units}; {questions} questions; {protocol}.")
    return " ".join(said)


def listed(items: Sequence[Any]) -> str:
    """Return "a", "a and b", or "a, b and c"."""
    words = [str(item) for item in items]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _seeds(seeds: Iterable[int]) -> list[int]:
    return sorted({int(seed) for seed in seeds if pd.notna(seed)})
