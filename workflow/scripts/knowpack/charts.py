"""The figures that move: panels as Vega-Lite, which the page itself draws, in place of the printed ones.

Colours are the page's (`var(--text)` ...), which knows light from dark. The signal `picked` holds the
recipes that are shown; it is set from the legend, which stands in HTML (`knowpack.legend`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from knowpack.answer_layout import spreads
from knowpack.legend import Mark, legend
from knowpack.plots import MARGIN, Panel, apart

_HARM = ["harm (negative shift,", "or a benchmark's drop)"]
_LABELLED = 4  # recipes at most whose levels are written beside their points
_AXIS = alt.Axis(tickCount=5)
_INK = {
    **{"labelColor": "var(--text)", "titleColor": "var(--text)", "titleFontWeight": "normal"},
    **{"domainColor": "var(--quiet)", "tickColor": "var(--quiet)", "gridColor": "var(--line)"},
    **{"labelFontSize": 11, "titleFontSize": 12, "titlePadding": 10},
}
_NAMED = [
    alt.Tooltip("recipe:N", title="Recipe"),
    alt.Tooltip("unknown:Q", title="Unknown facts", format=",d"),
]
_PICKED = alt.Chart().transform_filter("indexof(picked, datum.recipe) >= 0")


class Chart(NamedTuple):
    """A panel: its title, and what draws it."""

    title: str
    spec: dict[str, Any]


def by_unknown(panels: Sequence[Panel], share: bool = False) -> list[Chart]:
    """Return a chart a panel: means over seeds with bands against the unknown facts.

    ``share`` says that the values are shares, all on one axis from 0; else each panel has its own.
    """
    marks = legend(panels)
    scale = alt.Scale(zero=False)
    if share:
        most = max(float(panel.frame[panel.value].max()) for panel in panels)
        scale = alt.Scale(domain=[0.0, 1.0 if most > 0.5 else 1.05 * most or 1.0])
    return [Chart(panel.title, _by_unknown(panel, marks, scale)) for panel in panels]


def frontier(panels: Sequence[Panel], reach: tuple[float, float]) -> list[Chart]:
    """Return a chart a panel: reliability against harm, with intervals.

    ``reach`` is the greatest harm and the least reliability of the axes.
    """
    marks = legend(panels)
    return [Chart(panel.title, _frontier(panel, marks, *reach)) for panel in panels]


def _by_unknown(panel: Panel, marks: list[Mark], scale: alt.Scale) -> dict[str, Any]:
    rows = _means(panel)
    levels = sorted(int(level) for level in rows["unknown"].unique())
    ends = alt.Scale(type="log", domain=[levels[0] / MARGIN, levels[-1] * MARGIN], nice=False)
    axis = alt.Axis(values=levels, format=",d", labelOverlap="greedy", grid=False)
    x = alt.X("at:Q", scale=ends, axis=axis).title("unknown facts trained")
    y = alt.Y("mean:Q", scale=scale, axis=_AXIS).title(panel.y_label.split("\n"))
    colour, shape, dashes = _looks(marks)
    lines = _PICKED.encode(x=x)
    layers = _known(panel, scale)
    if (rows["low"] < rows["high"]).any():
        band = lines.mark_area(opacity=0.12).encode(fill=colour)
        layers.append(band.encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"))
    layers += [
        lines.mark_line(strokeWidth=1.8).encode(y=y, color=colour, strokeDash=dashes),
        lines.mark_point(filled=True, size=70, opacity=1).encode(
            y=y, color=colour, shape=shape, tooltip=[*_NAMED, alt.Tooltip("said:N", title="Mean")]
        ),
    ]
    return _whole(layers, rows, marks, 240)


def _means(panel: Panel) -> pd.DataFrame:
    """A row a recipe and level: mean, least and greatest of the seeds, and these as text."""
    rows = pd.concat(
        [
            group.groupby("unknown")[panel.value]
            .agg(mean="mean", low="min", high="max", seeds="size")
            .assign(recipe=recipe)
            .assign(at=lambda seeds, place=place: apart(panel, "unknown", place, seeds.index))
            .reset_index()
            for place, (recipe, group) in enumerate(
                panel.frame.groupby("condition", observed=False)
            )
            if len(group)
        ]
    )
    return rows.assign(
        said=[
            f"{row.mean:.3f}"
            + (f" ({row.low:.3f}–{row.high:.3f}) of {row.seeds} seeds" if row.seeds > 1 else "")
            for row in rows.itertuples()
        ]
    )


def _known(panel: Panel, scale: alt.Scale) -> list[alt.Chart]:
    """The model itself: a line, and a band of one standard error."""
    if pd.isna(panel.base):
        return []
    base = alt.Chart(alt.Data(values=[{"base": panel.base}]))
    y = alt.Y("base:Q", scale=scale)
    drawn = [base.mark_rule(strokeWidth=4, color="var(--base)").encode(y=y)]
    if pd.notna(panel.error):
        ends = {"low": panel.base - panel.error, "high": panel.base + panel.error}
        band = alt.Chart(alt.Data(values=[ends])).mark_rect(color="var(--shade)")
        drawn.insert(0, band.encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"))
    return drawn


def _frontier(panel: Panel, marks: list[Mark], right: float, least: float) -> dict[str, Any]:
    goal, margin = panel.frame.iloc[0], 0.08 * (1.0 - least)
    across = alt.Scale(domain=[-0.03 * right, right], nice=False)
    up = alt.Scale(domain=[least - margin, 1.0 + margin], nice=False)
    corner = {"x": 0.0, "x2": goal["budget"], "y": goal["target"], "y2": 1.0}
    shaded = alt.Chart(alt.Data(values=[corner])).mark_rect(color="var(--shade)")
    colour, shape, dashes = _looks(marks)
    points = _PICKED.encode(
        x=alt.X("harm:Q", scale=across, axis=_AXIS).title(_HARM),
        y=alt.Y("reliability:Q", scale=up, axis=_AXIS).title(panel.y_label.split("\n")),
        color=colour,
    )
    spread = points.transform_filter("isValid(datum.harm_low) && isValid(datum.reliability_low)")
    said = [
        *_NAMED,
        alt.Tooltip("answers:N", title="Reliability"),
        alt.Tooltip("harmed:N", title="Harm"),
        alt.Tooltip("meets:N", title="Meets the goal"),
    ]
    layers = [
        shaded.encode(x=alt.X("x:Q", scale=across), x2="x2:Q", y=alt.Y("y:Q", scale=up), y2="y2:Q"),
        spread.mark_rule(opacity=0.4, clip=True).encode(
            y=alt.Y("reliability_low:Q", scale=up), y2="reliability_high:Q"
        ),
        spread.mark_rule(opacity=0.4, clip=True).encode(
            x=alt.X("harm_low:Q", scale=across), x2="harm_high:Q"
        ),
        points.mark_line(strokeWidth=1.8).encode(order="unknown:Q", strokeDash=dashes),
        points.transform_filter(f"length(picked) <= {_LABELLED}")
        .mark_text(align="left", dx=7, dy=-8, fontSize=11)
        .encode(color=alt.value("var(--text)"), text=alt.Text("unknown:Q", format=",d")),
        points.mark_point(filled=True, size=80, opacity=1).encode(shape=shape, tooltip=said),
    ]
    return _whole(layers, _points(panel.frame), marks, 340)


def _points(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a recipe and level: reliability and harm with their intervals, also as text."""
    of_drop = frame["harm"] > frame["negative_shift"]
    spread = {
        f"harm_{end}": frame[f"negative_shift_{end}"].mask(of_drop, frame[f"drop_{end}"]).clip(0.0)
        for end in ("low", "high")
    }
    names = ["unknown", "harm", "reliability", "reliability_low", "reliability_high"]
    points = frame[names].assign(
        **spread,
        recipe=frame["condition"],
        meets=frame["meets"].map({True: "yes", False: "no"}),
    )
    what = frame["benchmark"].where(of_drop, "negative shift")
    return points.assign(
        answers=spreads(points, "reliability"),
        harmed=[
            f"{text}, {said}" for said, text in zip(what, spreads(points, "harm"), strict=True)
        ],
    )


def _looks(marks: list[Mark]) -> tuple[alt.Color, alt.Shape, alt.StrokeDash]:
    names = [mark.recipe for mark in marks]

    def scale(values: list[Any]) -> dict[str, Any]:
        return {"scale": alt.Scale(domain=names, range=values), "legend": None}

    return (
        alt.Color("recipe:N", **scale([mark.colour for mark in marks])),
        alt.Shape("recipe:N", **scale([mark.shape for mark in marks])),
        alt.StrokeDash("recipe:N", **scale([mark.dashes for mark in marks])),
    )


def _whole(
    layers: list[alt.Chart], rows: pd.DataFrame, marks: list[Mark], height: int
) -> dict[str, Any]:
    picked = alt.param(name="picked", value=[mark.recipe for mark in marks])
    return whole(alt.layer(*layers, data=data(rows)).add_params(picked), height)


def data(rows: pd.DataFrame) -> alt.Data:
    """Return rows as Vega-Lite takes them, nulls as null."""
    return alt.Data(values=rows.astype(object).where(rows.notna(), None).to_dict("records"))


def whole(chart: alt.LayerChart | alt.FacetChart, height: int) -> dict[str, Any]:
    """Return the specification of a chart that is as wide as its place on the page."""
    made: dict[str, Any] = (
        chart.properties(width="container", height=height, background="transparent")
        .configure(font="system-ui, sans-serif", view={"stroke": None}, axis=_INK)
        .to_dict()
    )
    return made
