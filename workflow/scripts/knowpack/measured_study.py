"""Reads what a study's runs answered, one file after another, into the measures of its models."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from knowpack.benchmark_names import Metric
from knowpack.conditions import recipes
from knowpack.measures import Measured, of_facts, of_rewordings, of_suite
from knowpack.tables import read_table

_BASE = "base"
_LABELS = ["fact_id", "category", "p_correct"]


def measured_study(
    runs: pd.DataFrame, files: Any, asked: Sequence[Sequence[str]]
) -> tuple[list[Measured], list[Metric]]:
    """Return each model's measures, and the benchmarks' metrics that are left out of them.

    Args:
        runs: the run table.
        files: paths: base, labels, rows and, where they were asked otherwise, rewordings in the order
            of ``runs``; scores and questions in that of ``asked``.
        asked: model, run and suite of each pair of scores and questions.

    Raises:
        DataError: a file cannot be read, or does not belong to the others.
    """
    runs = runs.assign(recipe=recipes(runs)).reset_index(drop=True)
    left_out: dict[Metric, None] = {}
    study = []
    for model, rows in runs.groupby("model", sort=True):
        rows = rows.sort_values(["unknown", "recipe", "seed"])
        base = read_table(files.base[rows.index[0]], _LABELS[:2])
        measures = of_facts(str(model), base, _answers(rows, files))
        if files.rewordings:
            otherwise = [read_table(files.rewordings[place]) for place in rows.index]
            measures += of_rewordings(str(model), base["fact_id"], otherwise)
        places = {(run, suite): n for n, (name, run, suite) in enumerate(asked) if name == model}
        for suite in sorted({suite for _, suite in places}):
            order = [places[run, suite] for run in [_BASE, *rows["run"]]]
            scores = [read_table(files.scores[place]) for place in order]
            questions = (read_table(files.questions[place]) for place in order)
            found, others = of_suite(str(model), scores, questions)
            measures += found
            left_out |= dict.fromkeys(others)
        study.append(Measured(str(model), rows.reset_index(drop=True), measures))
    return study, list(left_out)


def _answers(rows: pd.DataFrame, files: Any) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    for place, run in rows["run"].items():
        labels = read_table(files.labels[place], _LABELS)
        yield str(run), labels, read_table(files.rows[place], ["fact_id", "role"])
