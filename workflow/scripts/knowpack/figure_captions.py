"""Captions of the figures: what each shows, with numbers from the table that it is drawn from."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from knowpack import captions
from knowpack.benchmark_names import MC1, MMLU, TRUTHFULQA, Metric, first_metrics, task_name
from knowpack.conditions import KINDS, with_condition
from knowpack.panels import before_the_end, of_metric

_RELIABILITY = "Reliability: mean share of right answers (P_correct) over the taught unknown facts"
_NEVER = "not asked in this study."


def caption(name: str, table: pd.DataFrame, runs: pd.DataFrame, prompts: Mapping[str, Any]) -> str:
    """Return the caption of the figure ``name``, a function of `knowpack.figures`.

    Args:
        name: the figure's name.
        table: what it is drawn from.
        runs: the run table.
        prompts: how facts were asked: count and shots.
    """
    said = {
        "reliability_by_epoch": _reliability_by_epoch,
        "reliability_by_unknown": _reliability_by_unknown,
        "generalization_by_unknown": _generalization_by_unknown,
        "shifts_by_unknown": _shifts_by_unknown,
        "frontier": _frontier,
    }
    if name in said:
        return said[name](table, runs, captions.asked(prompts))
    metrics = {
        "mmlu_by_unknown": [MMLU],
        "truthfulqa_by_unknown": TRUTHFULQA,
        "models_side_by_side": [MC1],
        "benchmarks_by_unknown": first_metrics(table),
    }
    alone = "side_by_side" in name and of_metric(table, MC1)["model"].nunique() == 1
    if alone:
        return "Models side by side: one model in this study; the figure of TruthfulQA shows it."
    return _benchmarks(table, runs, metrics[name])


def _reliability_by_epoch(table: pd.DataFrame, runs: pd.DataFrame, asked: str) -> str:
    table = with_condition(before_the_end(table), runs)
    if table.empty:
        return f"Reliability before the final epoch: {_NEVER}"
    levels = captions.listed([f"{level:,}" for level in sorted(set(table["unknown"]))])
    lines = captions.line_over_seeds(table["seed"])
    return (
        f"{_RELIABILITY} after each epoch, where {levels} were taught. {asked} {lines} "
        "Base model: 0, as these facts are Unknown to it."
    )


def _reliability_by_unknown(table: pd.DataFrame, runs: pd.DataFrame, asked: str) -> str:
    lines = captions.line_over_seeds(with_condition(table, runs)["seed"])
    return (
        f"{_RELIABILITY} after the final epoch, by how many were taught. {asked} {lines} "
        "Base model: 0, as these facts are Unknown to it."
    )


def _generalization_by_unknown(table: pd.DataFrame, runs: pd.DataFrame, asked: str) -> str:
    if table.empty:
        return f"Generalization: {_NEVER}"
    lines = captions.line_over_seeds(with_condition(table, runs)["seed"])
    facts = ", ".join(
        f"{words}: {found['facts'].min():,} to {found['facts'].max():,} facts"
        for kind, words in KINDS.items()
        if len(found := table[(table["kind"] == kind) & (table["run"] != "base")])
    )
    return (
        "Mean share of right answers (P_correct) over the taught unknown facts, asked as they were "
        "taught, in wordings that no run was trained on, and for the subject given the object "
        f"({facts}). {asked} {lines} Base model: what it knows of all taught facts."
    )


def _shifts_by_unknown(table: pd.DataFrame, runs: pd.DataFrame, asked: str) -> str:
    facts = captions.in_facts(captions.shifted_facts(table))
    lines = captions.line_over_seeds(with_condition(table, runs)["seed"])
    return (
        f"Share of all facts ({facts}, taught ones among them) whose category rose (positive) or "
        f"fell (negative) under the adapter. {asked} {lines} Base model: 0 by definition."
    )


def _frontier(table: pd.DataFrame, runs: pd.DataFrame, asked: str) -> str:
    goal = table.iloc[0]
    drops = ", or the largest drop of a benchmark where that is more" * bool(
        table["drop"].notna().any()
    )
    seeds = captions.over_seeds(runs["seed"])
    return (
        "Reliability against harm, a point for each number of taught facts: up and to the left is "
        f"better. Harm: share of all facts whose category fell{drops}. Shaded: reliability of "
        f"{goal['target']:g} or more with harm of {goal['budget']:g} or less. {asked} "
        f"{seeds.replace(' (minimum to maximum)', '')}"
    )


def _benchmarks(table: pd.DataFrame, runs: pd.DataFrame, metrics: list[Metric]) -> str:
    """Describe the metrics that were asked, and name the tasks that were not."""
    found = [(metric, rows) for metric in metrics if len(rows := of_metric(table, metric))]
    tasks = dict.fromkeys(task_name(metric.task) for metric in metrics)
    never = [name for name in tasks if name not in {task_name(m.task) for m, _ in found}]
    left_out = f"{captions.listed(never) or 'Benchmarks'}: {_NEVER}"
    if not found:
        return left_out
    rows = pd.concat([rows for _, rows in found])
    lines = captions.line_over_seeds(with_condition(rows, runs)["seed"])
    said = ["By how many unknown facts were taught.", captions.protocols(rows), lines, _base(rows)]
    return " ".join([*said, left_out] if never else said)


def _base(rows: pd.DataFrame) -> str:
    """State what each model itself has."""
    base = rows[rows["run"] == "base"]
    said = [
        f"{model}: "
        + ", ".join(
            f"{task_name(row['task'])} {row['metric']} {row['value']:.3f}"
            for row in of_model.to_dict("records")
        )
        for model, of_model in base.groupby("model")
    ]
    band = " (grey band: its standard error)" if base["stderr"].notna().any() else ""
    return f"Base model{band}: {'; '.join(said) or 'not asked'}."
