"""A made-up study with known curves: what each run's facts and questions say, and its measures."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from knowpack.bootstrap import Draws
from knowpack.conditions import recipes
from knowpack.measures import Measure, Measured

NAMES = ["Unknown", "MaybeKnown", "HighlyKnown"]


def run_table(
    levels: Sequence[int] = (10, 40, 80),
    extras: Sequence[tuple[str, int]] = (("none", 0), ("highly_known", 1)),
    seeds: Sequence[int] = (1, 2, 3),
    model: str = "m",
    **settings: Any,
) -> pd.DataFrame:
    """A run table; ``settings`` are columns such as rank=1."""
    return pd.DataFrame(
        [
            {
                "model": model,
                "run": f"uk{level}-{extra}{per}-s{seed}-{settings}",
                "unknown": level,
                "extra": extra,
                "per_unknown": per,
                "seed": seed,
                "rows": level * (1 + per),
                "rank": 1,
            }
            | settings
            for level in levels
            for extra, per in extras
            for seed in seeds
        ]
    )


def measured(runs: pd.DataFrame, *measures: Measure) -> Measured:
    """Measures of one model, whose columns are in the order of ``runs``."""
    return Measured("m", runs.assign(recipe=recipes(runs)).reset_index(drop=True), measures)


def fixed(
    runs: pd.DataFrame,
    values: dict[str, Callable[[pd.Series], float]],
    replicates: int = 4,
    units: int = 100,
) -> Measured:
    """A study in which nothing is drawn: a function gives each measure of each run.

    Names with a space are benchmarks, of which the model itself has 0.5.
    """
    found = []
    for name, value in values.items():
        row = np.array([value(run) for _, run in runs.iterrows()], dtype=float)
        of_task = name.partition(" ")[0] if " " in name else ""
        base = np.full(1 + replicates, 0.5) if of_task else None
        sign = -1 if name == "negative_shift" else 1
        values, each = np.tile(row, (1 + replicates, 1)), np.tile(row, (units, 1))
        found.append(Measure(name, values, each, sign, base, of_task))
    return measured(runs, *found)


def drawn(
    runs: pd.DataFrame,
    facts: int,
    right: Callable[[int], float],
    fell: Callable[[int], float],
    rng: np.random.Generator,
    *,
    spread: float = 0.0,
    replicates: int = 200,
) -> Measured:
    """A study whose facts and seeds are drawn: the expected curves are ``right`` and ``fell``.

    Levels teach the first facts. Half of what decides over a fact is the fact's, the same in all
    runs, half the run's; a seed moves a whole run's shares by up to ``spread``.
    """
    levels = runs["unknown"].to_numpy()
    size = (facts, len(runs))
    own = rng.uniform(size=size) < 0.5

    def shares(curve: Callable[[int], float]) -> np.ndarray:
        expected = np.array([curve(level) for level in levels])
        moved = expected + rng.uniform(-spread, spread, size=len(runs))
        luck = np.where(own, rng.uniform(size=size), rng.uniform(size=(facts, 1)))
        return luck < moved

    taught = np.arange(facts)[:, None] < levels
    draws = Draws(facts, int(rng.integers(2**32)), replicates)
    known, lost = np.where(taught, shares(right), np.nan), shares(fell)
    with threadpool_limits(1):  # threads cost such small products more than they give
        reliability, negative = draws.means(known), draws.means(lost)
    return measured(
        runs,
        Measure("reliability", reliability, known),
        Measure("negative_shift", negative, lost, sign=-1),
    )


def answers(
    runs: pd.DataFrame, facts: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, list[tuple[str, pd.DataFrame, pd.DataFrame]]]:
    """Labels of the model itself, and each run's name, labels and rows, by chance."""
    ids = [f"f{n:04d}" for n in rng.permutation(facts)]

    def labels(taught: int) -> pd.DataFrame:
        right = rng.integers(0, 6, size=facts) / 5
        right[:taught] = np.maximum(right[:taught], 0.4)
        names = np.array(NAMES)[(right > 0).astype(int) + (right == 1)]
        return pd.DataFrame({"fact_id": ids, "category": names, "p_correct": right})

    def rows(taught: int) -> pd.DataFrame:
        roles = ["unknown"] * taught + ["highly_known"]
        return pd.DataFrame({"fact_id": [*ids[:taught], ids[-1]], "role": roles})

    asked = [
        (run, labels(level), rows(level))
        for run, level in zip(runs["run"], runs["unknown"], strict=True)
    ]
    return labels(0), asked
