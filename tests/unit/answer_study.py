"""A made-up study with known curves: what each run's facts and questions say, and its measures."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from knowpack.conditions import recipes
from knowpack.measures import Measure, Measured, of_facts

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
        every = np.full(len(runs), units)
        found.append(Measure(name, np.tile(row, (1 + replicates, 1)), every, sign, base, of_task))
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

    All levels teach the first facts. A fact has a difficulty that all runs share, and a seed moves a
    run's whole reliability by up to ``spread``.
    """
    known = facts - max(runs["unknown"])
    ids = [f"f{n:05d}" for n in range(facts)]
    base = np.r_[np.zeros(facts - known, int), np.full(known, 2)]
    hard = rng.uniform(size=facts)  # of a fact: it is right where this is below the level's share

    def answered(run: pd.Series) -> tuple[str, pd.DataFrame, pd.DataFrame]:
        share = right(run["unknown"]) + rng.uniform(-spread, spread)
        chance = rng.uniform(size=facts)
        p_correct = (np.where(chance < 0.5, hard, rng.uniform(size=facts)) < share).astype(float)
        share_fell = fell(run["unknown"]) * facts / known
        lost = (rng.uniform(size=facts) < share_fell) & (base == 2)
        labels = {"fact_id": ids, "category": np.array(NAMES)[np.where(lost, 0, base)]}
        taught = ids[: run["unknown"]]
        return (
            run["run"],
            pd.DataFrame({**labels, "p_correct": p_correct}),
            pd.DataFrame({"fact_id": taught, "role": "unknown"}),
        )

    of_base = pd.DataFrame({"fact_id": ids, "category": np.array(NAMES)[base]})
    runs_answers = (answered(run) for _, run in runs.iterrows())
    return measured(runs, *of_facts("m", of_base, runs_answers, replicates))
