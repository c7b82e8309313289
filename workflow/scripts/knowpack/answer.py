"""The answer in sentences: how many facts fit into an adapter, and with which recipe."""

from typing import Any

import pandas as pd


def answers(capacity: pd.DataFrame, frontier: pd.DataFrame) -> dict[str, str]:
    """Return each model's answer in one to three plain sentences.

    They are of the first target and budget of the study, and of the recipe with the greatest
    capacity; of equals the one with the greater lower bound, then with less harm at its largest
    level, then the first. Single seeds and limits of what was measured are said.

    Args:
        capacity: the table of capacity.
        frontier: the table of the frontier.
    """
    goal = ["target", "budget"]
    wanted = capacity.merge(frontier[["model", *goal]].drop_duplicates(), on=["model", *goal])
    return {
        str(model): _answer(str(model), rows, frontier[frontier["model"] == model])
        for model, rows in wanted.groupby("model", sort=False)
    }


def _answer(model: str, capacity: pd.DataFrame, frontier: pd.DataFrame) -> str:
    ends = frontier.sort_values("unknown", kind="stable").groupby("recipe", sort=False)
    last = ends.tail(1).set_index("recipe")
    ranked = capacity.assign(
        number=capacity["capacity"].fillna(0.0), harm=capacity["recipe"].map(last["harm"])
    ).sort_values(["number", "low", "harm"], ascending=[False, False, True], kind="stable")
    best: dict[Any, Any] = ranked.iloc[0].to_dict()
    cells = frontier[frontier["recipe"] == best["recipe"]]
    fewest, most = int(cells["unknown"].min()), int(cells["unknown"].max())
    goal = f"at least {best['target']:.0%} right answers and at most {best['budget']:.0%} harm"
    if pd.isna(best["capacity"]):
        said = _none(model, goal, frontier)
    elif best["beyond"]:
        at = cells[cells["unknown"] == most].iloc[0]
        said = (
            f"{model} takes {_number(most)} or more with {goal} (recipe: {best['recipe']}): with "
            f"{most:,} it gives {at['reliability']:.0%} right answers and has {at['harm']:.1%} harm, "
            "and more were not measured"
        )
        if best["low"] < most:
            said += f". The 95% interval reaches down to {_least(best['low'], fewest)}"
    else:
        high = f"{most:,} or more" if best["high"] >= most else f"{int(best['high']):,}"
        said = (
            f"{model} takes about {_number(int(best['capacity']))} with {goal} "
            f"(recipe: {best['recipe']}; 95% interval {_least(best['low'], fewest)} to {high})"
        )
    seeds = " It rests on one seed, so it does not show how trainings differ."
    return f"{said}.{seeds if (cells['seeds'] == 1).all() else ''}"


def _none(model: str, goal: str, frontier: pd.DataFrame) -> str:
    """Say that no recipe will do, and how near the pick of the smallest level comes."""
    fewest, most = int(frontier["unknown"].min()), int(frontier["unknown"].max())
    span = _number(fewest) if fewest == most else f"{fewest:,} to {most:,}"
    near = frontier[(frontier["unknown"] == fewest) & frontier["pick"]].iloc[0]
    return (
        f"{model} takes no measured number of facts ({span}) with {goal}, whatever the recipe. "
        f"Nearest comes {near['recipe']} with {_number(fewest)}: {near['reliability']:.0%} right "
        f"answers and {near['harm']:.1%} harm" + "; fewer were not measured" * (fewest > 1)
    )


def _least(low: float, fewest: int) -> str:
    return f"under {fewest:,}" if low < fewest else f"{int(low):,}"


def _number(facts: int) -> str:
    return "one fact" if facts == 1 else f"{facts:,} facts"
