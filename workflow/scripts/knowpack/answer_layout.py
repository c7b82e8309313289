"""The tables of capacity, frontier and levers as they are printed, and their captions."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from knowpack import captions
from knowpack.benchmark_names import Metric, task_name, unit
from knowpack.conditions import recipes
from knowpack.layout import NOT_ASKED, rows_of

MEASURES = {
    "reliability": "Reliability",
    "generalization": "In held-out wordings",
    "reversed": "Reversed",
    "positive_shift": "Positive shift",
    "negative_shift": "Negative shift",
}


def printed(
    capacities: pd.DataFrame,
    cells: pd.DataFrame,
    pairs: pd.DataFrame,
    runs: pd.DataFrame,
    benchmarks: Sequence[str],
    left_out: Sequence[Metric],
) -> list[tuple[pd.DataFrame, str]]:
    """Return the three tables as printed, each with its caption.

    Args:
        capacities: the table of capacity.
        cells: the table of the frontier.
        pairs: the table of levers.
        runs: the run table.
        benchmarks: the tasks and metrics whose drops are harm.
        left_out: those that are none.
    """
    counted = harms(benchmarks, left_out)
    return [
        (capacity(capacities, runs), capacity_caption(cells, runs, counted)),
        (frontier(cells, runs), frontier_caption(cells, runs, counted)),
        (levers(pairs, runs), levers_caption(pairs, runs)),
    ]


def capacity(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Print the capacity: a row a recipe, a column a target and budget.

    "57 (31–80+)" is a number of facts and its interval, "80+" the largest level, beyond which nothing
    was measured, "none" that no number between the levels will do.
    """
    levels = runs.assign(recipe=recipes(runs).astype(str)).groupby(["model", "recipe"])["unknown"]
    most = levels.max()
    cells = table.to_dict("records")
    wide = table.assign(
        cell=[_facts(cell, most[cell["model"], cell["recipe"]]) for cell in cells],
        column=[f"Facts at {_goal(cell)}" for cell in cells],
        Recipe=_ordered(table["recipe"], runs),
    ).pivot(index=["model", "Recipe"], columns="column", values="cell")
    return rows_of(wide[[f"Facts at {goal}" for goal in dict.fromkeys(map(_goal, cells))]], table)


def frontier(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Print the frontier: a row a level and recipe, with intervals."""
    cells = pd.DataFrame(
        {
            "Reliability": spreads(table, "reliability"),
            **(
                {"In held-out wordings": spreads(table, "generalization")}
                if table["generalization"].notna().any()
                else {}
            ),
            "Negative shift": spreads(table, "negative_shift"),
            "Largest drop of a benchmark": [
                f"{task_name(task)} {said}" if pd.notna(task) else NOT_ASKED
                for task, said in zip(table["benchmark"], spreads(table, "drop"), strict=True)
            ],
            "Meets": table["meets"].map({True: "yes", False: "no"}),
            "Frontier": table["on_frontier"].map({True: "yes", False: "no"}),
            "Pick": table["pick"].map({True: "yes", False: ""}),
        }
    )
    index = [table["model"], table["unknown"], _ordered(table["recipe"], runs).rename("Recipe")]
    return rows_of(cells.set_index(index).sort_index(), table)


def levers(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Print the levers: a row a level and pair of recipes, a column a measure."""
    if table.empty:
        return pd.DataFrame(columns=["Unknown facts", "Recipe", "Against"])
    judged = table["helps"].map({True: " better", False: " worse"}).fillna("")
    said = [text + word for text, word in zip(differences(table), judged, strict=True)]
    wide = table.assign(
        said=said,
        Recipe=_ordered(table["recipe"], runs),
        Against=_ordered(table["against"], runs),
    ).pivot(index=["model", "unknown", "Recipe", "Against"], columns="measure", values="said")
    measures = list(table["measure"].drop_duplicates())
    names = {name: MEASURES.get(name, name) for name in measures}
    return rows_of(wide[measures].rename(columns=names), table)


def capacity_caption(cells: pd.DataFrame, runs: pd.DataFrame, counted: str) -> str:
    """Return the caption of the capacity, with what counts as harm; ``cells`` are the frontier's."""
    fewest, most = runs["unknown"].min(), runs["unknown"].max()
    return (
        "How many facts fit: the largest number of Unknown facts at which reliability reaches the "
        f"target{_otherwise(cells)} and no harm exceeds the budget, all taken as linear in the "
        f"logarithm of the number between the levels that were trained. {counted} "
        f"{_intervals(runs)} {most:,}+: not measured beyond {most:,}, the largest level; "
        f"none: at no number from {fewest:,} to {most:,}."
    )


def frontier_caption(table: pd.DataFrame, runs: pd.DataFrame, counted: str) -> str:
    """Return the caption of the frontier, with what counts as harm."""
    return (
        "Reliability against harm at every level. Meets: with "
        f"{_goal(table.iloc[0].to_dict())}{_otherwise(table)}. Frontier: no other recipe of the "
        "level is at least as good in both reliability and harm and better in one. Pick: the least "
        "harm among those that meet both, else among those that reach the target, else the greatest "
        "reliability. "
        f"{counted} {_intervals(runs)}"
    )


def levers_caption(table: pd.DataFrame, runs: pd.DataFrame) -> str:
    """Return the caption of the levers."""
    if table.empty:
        return "Differences between recipes: this study has one recipe at each level."
    told = table["low"].notna().sum()
    alone = " A pair of one seed compares two adapters, not two recipes, and is not judged."
    single = alone if (table["seeds"] == 1).any() else ""
    few = " Without brackets: fewer than 6 facts or questions differ." if told < len(table) else ""
    return (
        "What one recipe has more than another of the same level, in parts of 1, over the same "
        f"facts, questions and seeds. {_intervals(runs)}{single}{few} Better or worse: the interval does "
        f"not hold 0. By chance alone about one in twenty of the {told:,} intervals would not."
    )


def harms(benchmarks: Sequence[str], left_out: Sequence[Metric]) -> str:
    """Return what counts as harm, and which benchmarks' metrics do not."""
    said = "Harm: the negative shift over all facts"
    if benchmarks:
        said += f", and what {captions.listed(benchmarks)} lost against the model itself"
    said += "; the largest counts."
    if left_out:
        names = [f"{task_name(metric.task)} ({unit(metric)})" for metric in left_out]
        said += f" Left out, as no mean over questions between 0 and 1: {captions.listed(names)}."
    return said


def _intervals(runs: pd.DataFrame) -> str:
    """What the intervals are over."""
    said = "In brackets: 95 % bootstrap intervals over facts"
    seeds = runs.groupby(["model", "unknown", recipes(runs).astype(str)])["seed"].nunique()
    if (seeds == 1).all():
        return f"{said} and questions; with one seed they do not cover how trainings differ."
    if (seeds == 1).any():
        return f"{said}, questions and seeds; a single seed does not show how trainings differ."
    return f"{said}, questions and seeds."


def _goal(cell: Mapping[Any, Any]) -> str:
    return f"reliability {cell['target']:g}, harm {cell['budget']:g}"


def _otherwise(cells: pd.DataFrame) -> str:
    """What is asked for in held-out wordings."""
    least = cells["target_otherwise"].iloc[0]
    return "" if pd.isna(least) else f", in held-out wordings {least:g}"


def _facts(cell: Mapping[Any, Any], most: int) -> str:
    def said(number: float) -> str:
        if pd.isna(number) or number == 0:
            return "none"
        return f"{most:,}+" if number >= most else f"{int(number):,}"

    return f"{said(cell['capacity'])} ({said(cell['low'])}–{said(cell['high'])})"


def spreads(table: pd.DataFrame, name: str) -> list[str]:
    """Return a column with its interval in text, "0.950 (0.910–0.980)"; nulls were not asked."""
    spread = zip(table[name], table[f"{name}_low"], table[f"{name}_high"], strict=True)
    return [
        NOT_ASKED
        if pd.isna(value)
        else f"{value:.3f}" + (f" ({low:.3f}–{high:.3f})" if pd.notna(low) else "")
        for value, low, high in spread
    ]


def differences(table: pd.DataFrame) -> list[str]:
    """Return the differences of the table of levers with their intervals in text."""
    return [
        f"{row['difference']:+.3f}"
        + (f" ({row['low']:+.3f} to {row['high']:+.3f})" if pd.notna(row["low"]) else "")
        for row in table.to_dict("records")
    ]


def _ordered(names: pd.Series, runs: pd.DataFrame) -> pd.Series:
    return names.astype(recipes(runs).dtype)
