"""The answer in sentences: how many facts fit into an adapter, and with which recipe."""

from typing import Any

import pandas as pd

FEW_KNOWN = 30  # of fewer facts that a model knows, a fall of one is more than three points


def answers(
    capacity: pd.DataFrame, frontier: pd.DataFrame, categories: pd.DataFrame
) -> dict[str, str]:
    """Return each model's answer in one to four plain sentences.

    They are of the recipe that `by_capacity` has first. What was not measured, what a single seed does
    not show, and that few facts could fall, is said.

    Args:
        capacity: the table of capacity.
        frontier: the table of the frontier.
        categories: the table of categories, of the models themselves.
    """
    able = categories[categories["category"].isin(["MaybeKnown", "HighlyKnown"])]
    known = able.groupby("model")["facts"].sum()
    return {
        str(model): _answer(str(model), by_capacity(capacity, rows), rows)
        + _rests_on(int(known.get(model, 0)), rows)
        for model, rows in frontier.groupby("model", sort=False)
    }


def by_capacity(capacity: pd.DataFrame, frontier: pd.DataFrame) -> pd.DataFrame:
    """Return a model's rows of the table of capacity for its first target and budget, the best first.

    That is the recipe with the greatest capacity; of equals the one with the greater lower bound, then
    with less harm at its largest level, then the first. ``frontier`` has the rows of one model.
    """
    goal = ["model", "target", "budget"]
    wanted = capacity.merge(frontier[goal].drop_duplicates(), on=goal)
    harm = _last(frontier)["harm"]
    return wanted.assign(
        number=wanted["capacity"].fillna(0.0), harm=wanted["recipe"].map(harm)
    ).sort_values(["number", "low", "harm"], ascending=[False, False, True], kind="stable")


def _last(frontier: pd.DataFrame) -> pd.DataFrame:
    """Each recipe's row of its largest level."""
    ordered = frontier.sort_values("unknown", kind="stable")
    return ordered.drop_duplicates("recipe", keep="last").set_index("recipe")


def _answer(model: str, ranked: pd.DataFrame, frontier: pd.DataFrame) -> str:
    last = _last(frontier)
    best: dict[Any, Any] = ranked.iloc[0].to_dict()
    target, budget = (f"{100 * best[name]:g}%" for name in ("target", "budget"))
    goal = f"at least {target} right answers{_otherwise(frontier)} and at most {budget} harm"
    if pd.isna(best["capacity"]):
        said = _none(model, goal, ranked, frontier)
    elif best["beyond"]:
        said = _beyond(model, goal, best, last.loc[best["recipe"]])
    else:
        most = int(last.loc[best["recipe"], "unknown"])
        low, high = (_bound(best[end], most) for end in ("low", "high"))
        said = (
            f"{model} takes about {_number(int(best['capacity']))} with {goal} "
            f"(recipe: {best['recipe']}; 95% interval {low} to {high})."
        )
    if (frontier["seeds"] == 1).all():
        said += " It rests on one seed, so it does not show how trainings differ."
    return said


def _rests_on(known: int, frontier: pd.DataFrame) -> str:
    """Say that few facts could fall, as a fact that the model does not know cannot."""
    if known >= FEW_KNOWN:
        return ""
    asked = frontier["benchmark"].notna().any()
    more = "benchmarks say more" if asked else "no benchmark was asked"
    return f" Harm on facts rests on only {_number(known)} that it knew; {more}."


def _otherwise(frontier: pd.DataFrame) -> str:
    """What is asked for in held-out wordings."""
    least = frontier["target_otherwise"].iloc[0]
    return "" if pd.isna(least) else f", {100 * least:g}% in wordings that were not taught,"


def _beyond(model: str, goal: str, best: dict[Any, Any], last: pd.Series) -> str:
    """Say what the largest level has, beyond which nothing was measured."""
    most = int(last["unknown"])
    said = (
        f"{model} takes {_number(most)} or more with {goal} (recipe: {best['recipe']}): with {most:,} "
        f"it gives {last['reliability']:.0%} right answers and has {last['harm']:.1%} harm, and more "
        "were not measured."
    )
    low = _bound(best["low"], most)
    return said if best["low"] >= most else f"{said} The 95% interval reaches down to {low}."


def _none(model: str, goal: str, ranked: pd.DataFrame, frontier: pd.DataFrame) -> str:
    """Say that no recipe will do, how near one comes, and what the intervals leave open."""
    fewest, most = int(frontier["unknown"].min()), int(frontier["unknown"].max())
    span = _number(fewest) if fewest == most else f"{fewest:,} to {most:,}"
    able = frontier[frontier["reaches"]]
    if len(able):
        near = able.sort_values("harm", kind="stable").iloc[0]
    else:
        near = frontier.sort_values("reliability", ascending=False, kind="stable").iloc[0]
    said = (
        f"{model} takes no measured number of facts ({span}) with {goal}, whatever the recipe. "
        f"Nearest comes {near['recipe']} with {_number(near['unknown'])}: "
        f"{near['reliability']:.0%} right answers and {near['harm']:.1%} harm."
    )
    open_to = ranked.sort_values("high", ascending=False, kind="stable").iloc[0]
    if open_to["high"] > 0:
        high = _bound(open_to["high"], most)
        said += f" The 95% interval reaches up to {high} all the same ({open_to['recipe']})."
    return said


def _bound(number: float, most: int) -> str:
    """An end of an interval."""
    if number == 0:
        return "none"
    return f"{most:,} or more" if number >= most else f"{int(number):,}"


def _number(facts: int) -> str:
    return "one fact" if facts == 1 else f"{facts:,} facts"
