"""The headline of a study: what the model did not know, and what teaching it gave and cost."""

import pandas as pd

from knowpack.conditions import final_epoch, with_condition
from knowpack.errors import DataError


def headline(
    categories: pd.DataFrame, reliability: pd.DataFrame, shifts: pd.DataFrame, runs: pd.DataFrame
) -> str:
    """Return the study in two sentences: what was unknown, and what teaching it gave and cost.

    The second takes, for each model, the largest level of unknown facts and there the condition
    with the greatest mean reliability after the final epoch (of equals, the least negative shift).

    Args:
        categories: the table of categories.
        reliability: the table of reliability.
        shifts: the table of shifts.
        runs: the run table.

    Raises:
        DataError: a table is empty.
    """
    if categories.empty or reliability.empty or shifts.empty:
        raise DataError("headline: the tables of categories, reliability and shifts hold no rows")
    known = "; ".join(_unknown(str(name), rows) for name, rows in categories.groupby("model"))
    merged = with_condition(final_epoch(reliability), runs).merge(
        shifts[["model", "run", "positive_shift", "negative_shift"]], on=["model", "run"]
    )
    taught = "; taught ".join(_taught(str(name), rows) for name, rows in merged.groupby("model"))
    return f"{known}. Taught {taught}."


def _unknown(model: str, rows: pd.DataFrame) -> str:
    facts = int(rows.loc[rows["category"] == "Unknown", "facts"].sum())
    total = int(rows["facts"].sum())
    return f"{model} did not know {facts:,} of {total:,} facts ({facts / total:.0%})"


def _taught(model: str, rows: pd.DataFrame) -> str:
    level = int(rows["unknown"].max())
    means = (
        rows[rows["unknown"] == level]
        .groupby("condition", observed=True)[["reliability", "positive_shift", "negative_shift"]]
        .mean()
    )
    best = means.sort_values(
        ["reliability", "negative_shift"], ascending=[False, True], kind="stable"
    ).iloc[0]
    facts = "one unknown fact" if level == 1 else f"{level:,} unknown facts"
    return (
        f"{facts} ({best.name}), {model} gives {best['reliability']:.0%} right answers about "
        f"them, while of all facts {best['positive_shift']:.1%} rose in category and "
        f"{best['negative_shift']:.1%} fell"
    )
