"""The report: one page that holds everything, opens offline, and runs nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from knowpack.conditions import final_epoch, with_condition
from knowpack.errors import DataError
from knowpack.pages import Picture, Table, fill


def render(
    template: str | Path,
    *,
    title: str,
    headline: str,
    studied: Mapping[str, str],
    fact_pages: Sequence[str],
    tables: Sequence[Table],
    pictures: Sequence[Picture],
    published: Table,
    differences: Sequence[str],
    costs: Table,
    made: Mapping[str, str],
) -> str:
    """Return the report as HTML; every text in it is escaped.

    Args:
        template: workflow/report/report.html.j2.
        title: the study's name.
        headline: one or two sentences, from ``headline``.
        studied: what was studied, term to text: facts, prompts, models.
        fact_pages: the pages of the facts, beside this one.
        tables: printed frames, from ``knowpack.layout``.
        pictures: the figures.
        published: the paper's figures beside the measured ones.
        differences: where the study differs from the paper, a sentence each.
        costs: what each job took.
        made: how it was made, term to text: versions, seeds, commit.
    """
    return fill(
        template,
        title=title,
        headline=headline,
        studied=studied,
        fact_pages=fact_pages,
        tables=tables,
        pictures=pictures,
        published=published,
        differences=differences,
        costs=costs,
        made=made,
    )


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
