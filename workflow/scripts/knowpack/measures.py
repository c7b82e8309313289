"""What a study measures of its adapters, each with the replicates of the bootstrap.

A measure has a row for the value as measured and one for each replicate, and a column for each run
of a model. Facts, and questions, are drawn alike for all measures and runs, so what is taken from
two runs, or from a run and the model itself, is paired. To add a measure of the taught facts, give
its values for each fact to `Draws.means` and put the result beside the others.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from knowpack.benchmark_names import Metric, first_metrics, scale
from knowpack.bootstrap import REPLICATES, Array, Draws, over_seeds, seed_weights
from knowpack.errors import DataError
from knowpack.seeds import sub_seed
from knowpack.shifts import levels

RELIABILITY, POSITIVE, NEGATIVE = "reliability", "positive_shift", "negative_shift"
GENERALIZATION = "generalization"  # to held-out wordings
_OTHERWISE = {"held_out": GENERALIZATION, "reversed": "reversed"}
_SEED = 0  # of all draws; each kind and model has its own from it
_AGREE = 1e-6  # metric points between lm-eval's value and the mean of its questions


class Measure(NamedTuple):
    """One number of every run of a model."""

    name: str  # "reliability", or a task and metric
    values: Array  # (1 + replicates, runs)
    each: Array  # (facts or questions, runs), what it is the mean of; NaN where one does not count
    sign: int = 1  # -1: the less the better
    base: Array | None = None  # (1 + replicates,) of the model itself, where it was asked
    task: str = ""  # of a benchmark

    @property
    def units(self) -> Array:
        """How many facts or questions count in each run, (runs,)."""
        return np.asarray((~np.isnan(self.each)).sum(axis=0))

    def fewest(self, columns: list[int]) -> int:
        """Return how many count in the run of ``columns`` that has the fewest."""
        return int((~np.isnan(self.each[:, columns])).sum(axis=0).min())


class Measured(NamedTuple):
    """All measures of a model."""

    model: str
    runs: pd.DataFrame  # of the run table, with the column recipe
    measures: Sequence[Measure]

    def has(self, name: str) -> bool:
        """Whether there is a measure of a name."""
        return any(measure.name == name for measure in self.measures)

    def of(self, name: str) -> Measure:
        """Return the measure of a name."""
        return next(measure for measure in self.measures if measure.name == name)

    def cell(self, unknown: int, recipe: str) -> list[int]:
        """Return the columns of a level and recipe, by seed."""
        rows = self.runs.reset_index(drop=True)
        rows = rows[(rows["unknown"] == unknown) & (rows["recipe"] == recipe)]
        return list(rows.sort_values("seed").index)

    def mean(self, measure: Measure, columns: list[int], student: bool = False) -> Array:
        """Return a measure's mean over the seeds of one level and recipe, (1 + replicates,).

        The seeds' weights are the same for all measures; ``student`` as in `seed_weights`.
        """
        runs = self.runs.iloc[columns]
        name = f"{self.model} {runs['unknown'].iloc[0]} {runs['recipe'].iloc[0]} seeds"
        replicates = len(measure.values) - 1
        weights = seed_weights(len(columns), sub_seed(_SEED, name), replicates, student)
        return over_seeds(measure.values[:, columns], weights)

    def harms(self, columns: list[int], student: bool = False) -> dict[str, Array]:
        """Return each harm of a level and recipe: the negative shift, and benchmarks' drops by task.

        A drop is what the model itself has more than the mean over seeds; it is negative where the
        benchmark rose.
        """
        drops = {
            measure.task: measure.base - self.mean(measure, columns, student)
            for measure in self.measures
            if measure.base is not None
        }
        return {NEGATIVE: self.mean(self.of(NEGATIVE), columns, student), **drops}


def of_facts(
    model: str,
    base_labels: pd.DataFrame,
    runs: Iterable[tuple[str, pd.DataFrame, pd.DataFrame]],
    replicates: int = REPLICATES,
) -> list[Measure]:
    """Return a model's reliability and shifts, the runs in the order given.

    Args:
        model: its name, from which the draws come.
        base_labels: fact_id, category of the model itself.
        runs: each run's name, labels (fact_id, category, p_correct) and rows (fact_id, role).
        replicates: of the bootstrap.

    Raises:
        DataError: a run's labels are of other facts, or a taught fact is not among them.
    """
    base = levels(base_labels, "the base model").sort_index()
    right, taught, rose, fell = [], [], [], []
    for run, labels, rows in runs:
        try:
            new = levels(labels, "the run", base.index)
        except DataError as error:
            raise DataError(f"model '{model}', run '{run}': {error}") from error
        known = set(rows.loc[rows["role"] == "unknown", "fact_id"])
        asked = base.index.isin(known)
        if not known or asked.sum() < len(known):
            raise DataError(
                f"model '{model}', run '{run}': of {len(known)} taught unknown facts "
                f"{len(known) - asked.sum()} have no label; run again"
            )
        p_correct = labels.set_index("fact_id")["p_correct"].reindex(base.index)
        right.append(p_correct.to_numpy(dtype=np.float32))
        taught.append(asked)
        rose.append((new > base).to_numpy())
        fell.append((new < base).to_numpy())
    draws = _fact_draws(model, len(base), replicates)
    of_taught = np.where(np.stack(taught, axis=1), np.stack(right, axis=1), np.float32(np.nan))
    return [
        _drawn(RELIABILITY, draws, of_taught),
        _drawn(POSITIVE, draws, np.stack(rose, axis=1)),
        _drawn(NEGATIVE, draws, np.stack(fell, axis=1), sign=-1),
    ]


def of_rewordings(
    model: str,
    fact_ids: Iterable[str],
    runs: Sequence[pd.DataFrame],
    replicates: int = REPLICATES,
) -> list[Measure]:
    """Return what a model's runs know of the taught facts in held-out wordings, and reversed.

    A run of which no fact could be asked so has units 0 and the value NaN; where that is all of them,
    there is no measure.

    Args:
        model: its name, from which the draws come: those of `of_facts`.
        fact_ids: of all facts.
        runs: columns of `knowpack.reworded_labels.REWORDED_LABELS` of each run.
        replicates: of the bootstrap.
    """
    index = pd.Index(sorted(fact_ids))
    found = []
    for kind, name in _OTHERWISE.items():
        asked = [labels[labels["kind"] == kind].groupby("fact_id") for labels in runs]
        right = np.stack([of_fact["p_correct"].mean().reindex(index) for of_fact in asked], axis=1)
        if not np.isnan(right).all():
            draws = _fact_draws(model, len(index), replicates)
            found.append(_drawn(name, draws, right.astype(np.float32)))
    return found


def _drawn(name: str, draws: Draws, each: Array, sign: int = 1) -> Measure:
    return Measure(name, draws.means(each), each, sign)


def _fact_draws(model: str, facts: int, replicates: int) -> Draws:
    return Draws(facts, sub_seed(_SEED, f"{model} facts"), replicates)


def of_suite(
    model: str,
    scores: Sequence[pd.DataFrame],
    questions: Iterable[pd.DataFrame],
) -> tuple[list[Measure], list[Metric]]:
    """Return the first metric of each task of a suite, and the metrics that were left out.

    A metric is left out that is not the mean of its questions' values (corpus BLEU), or not of 0
    to 1 or 0 to 100: its drop cannot be drawn anew, or is no share.

    Args:
        model: its name, from which the draws come.
        scores: columns of `knowpack.benchmarks.RESULTS`, of the model itself, then of each run.
        questions: columns of `knowpack.benchmarks.SCORES`, in the same order.

    Raises:
        DataError: a run was asked other questions than the model itself.
    """
    metrics = first_metrics(scores[0])
    columns: dict[Metric, list[Array]] = {metric: [] for metric in metrics}
    asked: dict[Metric, pd.Index] = {}
    parts: dict[str, list[str]] = {}
    for answers in questions:
        parts = parts or _parts(scores[0], answers)
        for metric in metrics:
            of_metric = answers["metric"].eq(metric.metric)
            rows = answers[of_metric & answers["task"].isin(parts[metric.task])]
            values = rows.set_index(["task", "question"])["value"].sort_index()
            if not asked.setdefault(metric, values.index).equals(values.index):
                raise DataError(
                    f"model '{model}', task '{metric.task}': a run was asked other questions than "
                    "the model itself; delete the folders questions/ and run again"
                )
            columns[metric].append(values.to_numpy(dtype=float))
    found = [
        _benchmark(
            model,
            metric,
            np.stack(columns[metric], axis=1) / scale(metric),
            np.array([_said(frame, metric) for frame in scores]) / scale(metric),
            asked[metric].get_level_values("task").to_numpy(),
        )
        for metric in metrics
    ]
    left_out = [m for m, measure in zip(metrics, found, strict=True) if measure is None]
    return [measure for measure in found if measure is not None], left_out


def _benchmark(
    model: str, metric: Metric, values: Array, said: Array, tasks: Array
) -> Measure | None:
    """One metric over the model itself and its runs; None where it is no mean of its questions.

    ``values`` (questions, 1 + runs) are of the ``tasks`` of a group, ``said`` is what lm-eval gives.
    """
    if not len(values) or np.isnan(values).any() or values.min() < 0 or values.max() > 1:
        return None
    # The mean of all questions, or of the group's tasks.
    for part in (np.full(len(tasks), metric.task), tasks):
        blocks = [_block(model, metric, name, values[part == name]) for name in sorted(set(part))]
        means = np.mean(blocks, axis=0)
        if np.abs(means[0] - said).max() < _AGREE:
            name = f"{metric.task} {metric.metric}"
            return Measure(name, means[:, 1:], values[:, 1:], base=means[:, 0], task=metric.task)
    return None


def _block(model: str, metric: Metric, name: str, values: Array) -> Array:
    seed = sub_seed(_SEED, f"{model} {metric.task} {name} questions")
    return Draws(len(values), seed).means(values)


def _said(scores: pd.DataFrame, metric: Metric) -> float:
    """The value that lm-eval gives a metric; NaN where it has none."""
    rows = scores[(scores["task"] == metric.task) & (scores["metric"] == metric.metric)]
    return float(rows["value"].iloc[0]) if len(rows) else float("nan")


def _parts(scores: pd.DataFrame, questions: pd.DataFrame) -> dict[str, list[str]]:
    """The tasks of which each row of the scores is made: itself, or those of a group.

    Both tables are in the suite's order, so a group has the next tasks that have no row of their
    own, as many as it has questions.
    """
    sizes = questions.drop_duplicates(["task", "question"]).groupby("task", sort=False).size()
    left = [task for task in sizes.index if task not in set(scores["task"])]
    parts: dict[str, list[str]] = {}
    first = scores.drop_duplicates("task")
    for name, count in zip(first["task"], first["questions"], strict=True):
        parts[name] = [name] if name in sizes.index else []
        while name not in sizes.index and left and sizes[parts[name]].sum() < count:
            parts[name].append(left.pop(0))
    return parts
