"""The frontier of reliability against harm at every level, and the recipe to take there."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from knowpack.bootstrap import FEWEST, Array, interval
from knowpack.measures import GENERALIZATION, NEGATIVE, RELIABILITY, Measured

FRONTIER = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("unknown", pa.int64(), nullable=False),
        pa.field("recipe", pa.string(), nullable=False),
        pa.field("seeds", pa.int64(), nullable=False),
        pa.field("reliability", pa.float64(), nullable=False),
        pa.field("reliability_low", pa.float64()),  # null: too few facts to tell
        pa.field("reliability_high", pa.float64()),
        # In held-out wordings; null where they were not asked.
        pa.field("generalization", pa.float64()),
        pa.field("generalization_low", pa.float64()),
        pa.field("generalization_high", pa.float64()),
        pa.field("negative_shift", pa.float64(), nullable=False),
        pa.field("negative_shift_low", pa.float64()),
        pa.field("negative_shift_high", pa.float64()),
        # Of the benchmark that fell most, negative where even that rose; null where none was asked.
        pa.field("benchmark", pa.string()),
        pa.field("drop", pa.float64()),
        pa.field("drop_low", pa.float64()),
        pa.field("drop_high", pa.float64()),
        pa.field("harm", pa.float64(), nullable=False),  # the greater of the shift and the drop
        pa.field("target", pa.float64(), nullable=False),
        pa.field("target_otherwise", pa.float64()),  # of generalization; null: none is asked for
        pa.field("budget", pa.float64(), nullable=False),
        pa.field("reaches", pa.bool_(), nullable=False),  # the target, or both targets
        pa.field("meets", pa.bool_(), nullable=False),  # and keeps within the budget
        pa.field("on_frontier", pa.bool_(), nullable=False),
        pa.field("pick", pa.bool_(), nullable=False),
    ]
)


def frontier(
    measured: Measured, target: float, budget: float, generalization: float | None = None
) -> pd.DataFrame:
    """Return `FRONTIER` of a model: a row a level and recipe.

    The target is reached with a reliability of ``target`` and, where one is asked for, a
    ``generalization`` in held-out wordings.

    A recipe is on the frontier of its level if no other there is at least as good in both
    reliability and harm and better in one. The pick of a level is the recipe with the least harm
    among those that meet target and budget; else among those that reach the target; else it is the
    one with the greatest reliability. Of equals the more reliable or less harmful one, then the one
    with fewer training rows, then the first.
    """
    runs = measured.runs
    rows = [
        _row(measured, unknown, recipe)
        for unknown in sorted(set(runs["unknown"]))
        for recipe in runs["recipe"].cat.categories
        if ((runs["unknown"] == unknown) & (runs["recipe"] == recipe)).any()
    ]
    table = pd.DataFrame(rows).assign(target=target, target_otherwise=generalization, budget=budget)
    table["reaches"] = table["reliability"] >= target
    if generalization is not None:
        table["reaches"] &= table["generalization"].astype(float) >= generalization
    table["meets"] = table["reaches"] & (table["harm"] <= budget)
    groups = [group for _, group in table.groupby("unknown")]
    table["on_frontier"] = pd.concat([_undominated(group) for group in groups])
    table["pick"] = table.index.isin([_pick(group) for group in groups])
    return table[FRONTIER.names]


def _row(measured: Measured, unknown: int, recipe: str) -> dict[str, Any]:
    columns = measured.cell(unknown, recipe)
    first = measured.runs.iloc[columns[0]]
    taught = measured.of(RELIABILITY)
    reliability = measured.mean(taught, columns, student=True)
    harms = measured.harms(columns, student=True)
    negative = harms.pop(NEGATIVE)
    worst = max(harms, key=lambda task: harms[task][0], default=None)
    facts = measured.of(NEGATIVE).fewest(columns)
    row = {"model": measured.model, "unknown": unknown, "recipe": recipe, "seeds": len(columns)}
    row |= _spread("reliability", reliability.clip(0, 1), taught.fewest(columns))
    row |= dict.fromkeys(["generalization", "generalization_low", "generalization_high"])
    if measured.has(GENERALIZATION):
        otherwise = measured.of(GENERALIZATION)
        if units := otherwise.fewest(columns):
            known = measured.mean(otherwise, columns, student=True)
            row |= _spread("generalization", known.clip(0, 1), units)
    row |= _spread("negative_shift", negative.clip(0, 1), facts)
    row |= {"benchmark": worst, "drop": None, "drop_low": None, "drop_high": None}
    if worst is not None:
        asked = next(one for one in measured.measures if one.task == worst)
        row |= _spread("drop", harms[worst], asked.fewest(columns))
    harm = max([0.0, *(float(one[0]) for one in (negative, *harms.values()))])
    return {**row, "harm": harm, "rows": first["rows"]}


def _spread(name: str, values: Array, units: int) -> dict[str, Any]:
    """A value as measured and its interval, null where it is of too few units."""
    low, high = interval(values) if units >= FEWEST else (None, None)
    return {name: float(values[0]), f"{name}_low": low, f"{name}_high": high}


def _undominated(group: pd.DataFrame) -> pd.Series:
    right, harm = group["reliability"].to_numpy(), group["harm"].to_numpy()
    as_good = (right[None, :] >= right[:, None]) & (harm[None, :] <= harm[:, None])
    better = (right[None, :] > right[:, None]) | (harm[None, :] < harm[:, None])
    return pd.Series(~np.any(as_good & better, axis=1), index=group.index)


def _pick(group: pd.DataFrame) -> Any:
    """The index of the recipe to take among those of a level, which are in the recipes' order."""
    for able in (group[group["meets"]], group[group["reaches"]]):
        if len(able):
            order = ["harm", "reliability", "rows"]
            return able.sort_values(order, ascending=[True, False, True], kind="stable").index[0]
    order = ["reliability", "harm", "rows"]
    return group.sort_values(order, ascending=[False, True, True], kind="stable").index[0]
