"""Capacity: how many facts fit, for a reliability to reach and a harm to keep within."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from knowpack.bootstrap import Array, interval
from knowpack.measures import GENERALIZATION, RELIABILITY, Measured

CAPACITY = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("recipe", pa.string(), nullable=False),
        pa.field("target", pa.float64(), nullable=False),
        pa.field("budget", pa.float64(), nullable=False),
        pa.field("capacity", pa.float64()),  # null: no measured number of facts will do
        pa.field("low", pa.float64(), nullable=False),  # 0: below the smallest level
        pa.field("high", pa.float64(), nullable=False),
        pa.field("beyond", pa.bool_(), nullable=False),
    ]
)
_DIGITS = 6


def capacity(
    measured: Measured,
    targets: Sequence[float],
    budgets: Sequence[float],
    generalization: float | None = None,
) -> pd.DataFrame:
    """Return `CAPACITY` of a model: a row a recipe, target and budget.

    Capacity is the largest n between a recipe's least and greatest level at which the reliability is
    at least the target, every harm at most the budget and, where one is asked for, the
    ``generalization`` reached in held-out wordings, all of them taken as linear in log n between
    levels. A replicate without such an n counts as 0.
    """
    goals = [] if generalization is None else [generalization]
    names = [RELIABILITY] + [GENERALIZATION] * len(goals)
    rows = [
        {"model": measured.model, "recipe": recipe, "target": target, "budget": budget}
        | _found(levels, np.concatenate([known - [target, *goals], budget - harms], axis=2))
        for recipe, levels, known, harms in _curves(measured, names)
        for target in targets
        for budget in budgets
    ]
    return pd.DataFrame(rows, columns=CAPACITY.names)


def largest(levels: Array, slack: Array) -> Array:
    """Return the largest n at which nothing is negative; NaN where there is none.

    Args:
        levels: rising numbers of facts.
        slack: (..., levels, conditions); each is linear in log n between levels.
    """
    found = np.where((slack[..., -1, :] >= 0).all(axis=-1), levels[-1], np.nan)
    for place in range(len(levels) - 2, -1, -1):
        left, right = slack[..., place, :], slack[..., place + 1, :]
        with np.errstate(divide="ignore", invalid="ignore"):
            root = left / (left - right)
        starts = np.where(left >= 0, 0.0, np.where(right >= 0, root, np.inf)).max(axis=-1)
        ends = np.where(right >= 0, 1.0, np.where(left >= 0, root, -np.inf)).min(axis=-1)
        few, many = levels[place], levels[place + 1]
        within = np.where(ends >= 1, many, few * (many / few) ** np.clip(ends, 0, 1))
        found = np.where(np.isnan(found) & (starts <= ends), within, found)
    return np.asarray(found)


def _curves(measured: Measured, names: Sequence[str]) -> Iterator[tuple[str, Array, Array, Array]]:
    """Each recipe, its levels, and named measures and harms as (1 + replicates, levels, conditions)."""
    runs = measured.runs
    for recipe in runs["recipe"].cat.categories:
        levels = sorted(set(runs.loc[runs["recipe"] == recipe, "unknown"]))
        cells = [measured.cell(level, recipe) for level in levels]
        if not cells:
            continue
        known = [
            np.stack([measured.mean(measured.of(name), cell) for name in names], axis=1)
            for cell in cells
        ]
        # A benchmark that rose harms nothing.
        harms = [np.maximum(list(measured.harms(cell).values()), 0).T for cell in cells]
        yield (
            recipe,
            np.array(levels, dtype=float),
            np.stack(known, axis=1),
            np.stack(harms, axis=1),
        )


def _found(levels: Array, slack: Array) -> dict[str, object]:
    found = largest(levels, slack)
    low, high = interval(np.nan_to_num(found, nan=0.0))
    return {
        "capacity": None if np.isnan(found[0]) else round(float(found[0]), _DIGITS),
        "low": round(low, _DIGITS),
        "high": round(high, _DIGITS),
        "beyond": bool((slack[0, -1] >= 0).all()),
    }
