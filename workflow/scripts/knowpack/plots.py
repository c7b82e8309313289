"""Panels of lines with bands, in one style that also reads in black and white, and their files.

A line is a condition (the same colour, marker and dashes all over a study), its points the mean
over seeds; the band around it runs from the least to the greatest seed, its edges in the line's
dashes, so that bands that lie over each other can be told apart without their colours.
"""

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "0.9",
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 5,
    "savefig.dpi": 200,
    "svg.hashsalt": "knowpack",
    "text.parse_math": False,
}
# Okabe and Ito's palette without its yellow, too pale for a line on white.
_COLOURS = ["#000000", "#0072B2", "#56B4E9", "#D55E00", "#E69F00", "#009E73", "#CC79A7"]
_MARKERS = ["o", "s", "D", "^", "v", "P", "X", "*"]
_DASHES: list[str | tuple[int, tuple[int, ...]]] = ["-", "--", ":", "-.", (0, (6, 1, 1, 1, 1, 1))]
_WITHOUT_DATE = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
MARGIN = 1.5  # of the logarithmic axis: from the outermost levels, as a factor
_LABEL = (0.08, 0.07)  # of a point: its room, as parts of what is drawn
_CAPTION = {"png": "Description", "svg": "Description", "pdf": "Subject"}


class Panel(NamedTuple):
    """One pair of axes."""

    title: str
    frame: pd.DataFrame  # what is drawn over, condition, and the column ``value``
    value: str
    y_label: str
    base: float  # what the model itself has; NaN where it was not asked
    error: float = float("nan")  # its standard error; NaN where there is none


def draw(
    panels: Sequence[Panel],
    x: str,
    columns: int,
    share_y: bool = True,
    lines: Callable[[Axes, Panel, str], None] | None = None,
) -> tuple[Figure, list[Axes]]:
    """Draw the panels over column ``x``, in rows of at most ``columns``, with one legend below.

    ``lines`` draws what is in one of them: means and bands if None.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(
            figsize=(max(3.6 * columns, 5.4), 2.9 * rows + 0.6),
            layout=ConstrainedLayoutEngine(w_pad=0.1),
        )
        grid = figure.subplots(rows, columns, sharey=share_y, squeeze=False).flatten().tolist()
        legend: dict[str, Any] = {}
        for axes, panel in zip(grid, panels, strict=False):
            (lines or _lines)(axes, panel, x)
            axes.set(title=panel.title, ylabel=panel.y_label)
            axes.yaxis.set_tick_params(labelleft=True)
            handles, labels = axes.get_legend_handles_labels()
            legend |= dict(zip(labels, handles, strict=True))
        for axes in grid[len(panels) :]:
            axes.remove()
        known = ["base model", *panels[0].frame["condition"].cat.categories]
        shown = [name for name in known if name in legend]
        inches = 0.7 + 0.07 * max(len(name) for name in shown)
        fitting = max(1, int(figure.get_figwidth() / inches))
        tiers = -(-len(shown) // fitting)
        figure.set_figheight(2.9 * rows + 0.6 + 0.2 * max(0, tiers - 3))
        figure.legend(
            handles=[legend[name] for name in shown],
            labels=shown,
            loc="outside lower center",
            ncols=-(-len(shown) // tiers),  # rows of equal length
            handlelength=3.5,
        )
    return figure, grid[: len(panels)]


def paths(axes: Axes, panel: Panel, x: str) -> None:
    """Draw a line a condition through its levels in their order, each point with its level.

    A level's number is left out where it would stand on another; those at a line's end come first.
    """
    labels = []
    for place, (condition, group) in enumerate(panel.frame.groupby("condition", observed=False)):
        if group.empty:
            continue
        levels = group.sort_values("unknown")
        axes.plot(levels[x], levels[panel.value], label=str(condition), **_line(place))
        points = zip(levels["unknown"], levels[x], levels[panel.value], strict=True)
        ends = (levels["unknown"].max(), levels["unknown"].min())
        labels += [
            (level != ends[0], level not in ends, place, level, (x, y)) for level, x, y in points
        ]
    span = [panel.frame[x].max() or 1.0, np.ptp(panel.frame[panel.value]) or 1.0]
    taken: list[Any] = []
    for _, _, place, level, at in sorted(labels, key=lambda label: label[:3]):
        spot = np.divide(at, span)
        if not any((np.abs(spot - other) < _LABEL).all() for other in taken):
            taken.append(spot)
            colour = _line(place)["color"]
            axes.annotate(
                f"{level:,}", at, (4, 4), textcoords="offset points", color=colour, fontsize=7
            )


def apart(panel: Panel, x: str, place: int, levels: pd.Index) -> np.ndarray:
    """Return where the points of a condition stand: a little aside, or one would hide another."""
    log = x == "unknown"
    ends = panel.frame[x].agg(["min", "max"]).to_numpy(dtype=float)
    span = np.log(ends[1] / ends[0] * MARGIN**2) if log else ends[1] - ends[0]
    middle = (len(panel.frame["condition"].cat.categories) - 1) / 2
    # Of one level only, they have the axis for themselves.
    most, all_of_them = (0.08, 0.35) if ends[0] == ends[1] else (0.02, 0.024)
    aside = span * min(most, all_of_them / max(middle, 1)) * (place - middle)
    at = levels.to_numpy(dtype=float)
    return np.asarray(at * np.exp(aside) if log else at + aside)


def unknown_axis(axes: Axes, levels: pd.Series) -> None:
    """Make the x axis that of the unknown facts: logarithmic, a tick at each level."""
    ticks = sorted(levels.dropna().unique())
    axes.set_xscale("log")
    axes.set_xlim(ticks[0] / MARGIN, ticks[-1] * MARGIN)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda level, _: f"{level:,.0f}"))
    axes.set_xlabel("unknown facts trained")


def note(text: str) -> Figure:
    """Return a figure that says why there is nothing to draw."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.4, 1.6), layout="constrained")
        figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=11)
    return figure


def save(figure: Figure, stem: str | Path, caption: str) -> list[Path]:
    """Write ``stem``.png, .svg and .pdf, each whole or not at all, and equal for equal figures.

    The caption stands in the metadata of each.
    """
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, without in _WITHOUT_DATE.items():
        path = stem.with_name(f"{stem.name}.{kind}")
        temporary = stem.with_name(f".{stem.name}.{os.getpid()}.{kind}")
        try:
            with mpl.rc_context(STYLE):
                figure.savefig(
                    temporary, format=kind, metadata={**without, _CAPTION[kind]: caption}
                )
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        written.append(path)
    return written


def to_svg(figure: Figure, caption: str) -> bytes:
    """Return the figure as an SVG file, equal for equal figures, its caption in the metadata."""
    file = io.BytesIO()
    with mpl.rc_context(STYLE):
        metadata = {**_WITHOUT_DATE["svg"], _CAPTION["svg"]: caption}
        figure.savefig(file, format="svg", metadata=metadata)
    return file.getvalue()


def _lines(axes: Axes, panel: Panel, x: str) -> None:
    for place, (condition, group) in enumerate(panel.frame.groupby("condition", observed=False)):
        if group.empty:
            continue
        seeds = group.groupby(x)[panel.value].agg(["mean", "min", "max"])
        at = apart(panel, x, place, seeds.index)
        axes.plot(at, seeds["mean"], label=str(condition), **_line(place))
        dashes, colour = _line(place)["linestyle"], _line(place)["color"]
        varies = (seeds["max"] > seeds["min"]).any()
        if varies and len(at) == 1:  # a band would have no width
            axes.vlines(at, seeds["min"], seeds["max"], color=colour, linewidth=1)
        elif varies:
            axes.fill_between(at, seeds["min"], seeds["max"], color=colour, alpha=0.1, linewidth=0)
            for edge in ("min", "max"):
                axes.plot(at, seeds[edge], color=colour, linestyle=dashes, linewidth=0.6)
    if pd.notna(panel.base):
        axes.axhline(panel.base, color="0.7", linewidth=3, label="base model", zorder=1.5)
        if pd.notna(panel.error):
            axes.axhspan(panel.base - panel.error, panel.base + panel.error, color="0.94", zorder=0)


def _line(place: int) -> dict[str, Any]:
    """How the line of a condition is drawn."""
    return {
        "color": _COLOURS[place % len(_COLOURS)],
        "marker": _MARKERS[place % len(_MARKERS)],
        "linestyle": _DASHES[place % len(_DASHES)],
        "zorder": 3,
    }
