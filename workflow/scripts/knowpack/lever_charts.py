"""Differences between recipes as charts: a dot a recipe and level, a rule for its interval.

They move only: their table, which is printed beside them, has the same numbers.
"""

from typing import Any

import altair as alt
import pandas as pd

from knowpack.answer_layout import MEASURES, differences
from knowpack.charts import Chart, data, whole
from knowpack.conditions import recipes

_MEANINGS = ["better", "worse", "may be chance"]
_COLOURS = ["var(--accent)", "var(--accent)", "var(--quiet)"]
_SHAPES = ["triangle-up", "triangle-down", "circle"]
_ROW = 22  # pixels


def lever_charts(levers: pd.DataFrame, runs: pd.DataFrame) -> list[Chart]:
    """Return a chart a model, recipe that others are against, and measure.

    A setting is against the study's own recipe of the same extras, so that it is not mixed with what
    these do; extras are against the plain recipe. ``levers`` is the table of levers, ``runs`` the run
    table.
    """
    several = levers["model"].nunique() > 1
    shown = _single(levers, runs)
    levels = shown.groupby("model")["unknown"].transform("nunique")
    charts = []
    for (model, against, measure), frame in shown.groupby(
        ["model", "against", "measure"], sort=False
    ):
        title = f"{MEASURES.get(str(measure), str(measure))}, against {against}"
        with_level = bool((levels[frame.index] > 1).any())
        charts.append(Chart(f"{model}: {title}" if several else title, _chart(frame, with_level)))
    return charts


def _single(levers: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of the recipes' single changes: one pair of each recipe and level.

    The plain recipe is the first that others of a level are against; the study's own of other extras is
    the one of its extras that is against none of them.
    """
    named = runs.assign(recipe=recipes(runs).astype(str)).drop_duplicates(["model", "recipe"])
    extras = (named["extra"] + named["per_unknown"].astype(str)).set_axis(
        pd.MultiIndex.from_frame(named[["model", "recipe"]])
    )
    ours, theirs = (
        pd.MultiIndex.from_frame(levers[["model", "unknown", name]])
        for name in ("recipe", "against")
    )
    plain = levers["against"] == levers.groupby(["model", "unknown"])["against"].transform("first")
    kinds = [extras.loc[cells.droplevel("unknown")].to_numpy() for cells in (ours, theirs)]
    same = ~plain & (kinds[0] == kinds[1])
    own = same & ~theirs.isin(ours[same])
    return levers[own | (plain & ~ours.isin(ours[own]))]


def _chart(frame: pd.DataFrame, with_level: bool) -> dict[str, Any]:
    level = frame["unknown"].map("{:,}".format)
    rows = pd.DataFrame(
        {
            "row": frame["recipe"] + (", " + level + " facts" if with_level else ""),
            "unknown": frame["unknown"],
            "difference": frame["difference"],
            "low": frame["low"],
            "high": frame["high"],
            "meaning": frame["helps"].map({True: "better", False: "worse"}).fillna(_MEANINGS[2]),
            "said": differences(frame),
        }
    )
    names = list(dict.fromkeys(rows["row"]))
    y = alt.Y("row:N", sort=names, title=None, axis=alt.Axis(labelLimit=130, grid=False))
    base = alt.Chart().encode(y=y)
    said = [
        alt.Tooltip("row:N", title="Recipe"),
        alt.Tooltip("unknown:Q", title="Unknown facts", format=",d"),
        alt.Tooltip("said:N", title="Difference"),
        alt.Tooltip("meaning:N", title="It is"),
    ]
    colour = alt.Color("meaning:N", scale=alt.Scale(domain=_MEANINGS, range=_COLOURS), legend=None)
    shape = alt.Shape("meaning:N", scale=alt.Scale(domain=_MEANINGS, range=_SHAPES), legend=None)
    x = alt.X(
        "difference:Q", title=f"more than {frame['against'].iloc[0]}", axis=alt.Axis(tickCount=4)
    )
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color="var(--base)", strokeWidth=3)
    layers = alt.layer(
        zero.encode(x="zero:Q"),
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=1.5)
        .encode(x=alt.X("low:Q"), x2="high:Q", color=colour),
        base.mark_point(filled=True, size=80, opacity=1).encode(
            x=x, color=colour, shape=shape, tooltip=said
        ),
        data=data(rows),
    )
    return whole(layers, _ROW * len(names) + 10)
