"""The figures: from tidy frame to matplotlib figure, in one style that also reads in grey.

A line is a condition (the same colour, marker and dashes all over a study), its points the mean
over seeds; the band around it runs from the least to the greatest seed.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from knowpack.conditions import final_epoch, with_condition

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


class _Panel(NamedTuple):
    title: str
    frame: pd.DataFrame  # x, condition, and the column ``value``
    value: str
    y_label: str
    base: float | None = None  # what the model itself has


def reliability_by_epoch(reliability: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw the reliability after each epoch, a panel a model and level (the paper's Figure 2).

    Where the study asked only after the final epoch, the figure says so.
    """
    named = with_condition(reliability, runs)
    asked = named.groupby(["model", "run"])["epoch"].transform("nunique") > 1
    panels = [
        _Panel(
            _title(named, str(model), f"{unknown:,} unknown facts"),
            frame,
            "reliability",
            "reliability\n(mean share of right answers)",
        )
        for (model, unknown), frame in named[asked].groupby(["model", "unknown"], sort=True)
    ]
    if not panels:
        return _note("Reliability before the final epoch:\nnot asked in this study")
    figure, drawn = _draw(panels, "epoch", columns=3)
    for axes in drawn:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(-0.03, 1.03)
    return figure


def reliability_by_unknown(reliability: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw the reliability after the final epoch against the unknown facts, a panel a model."""
    named = with_condition(final_epoch(reliability), runs)
    panels = [
        _Panel(str(model), frame, "reliability", "reliability\n(mean share of right answers)")
        for model, frame in named.groupby("model")
    ]
    figure, drawn = _draw(panels, "unknown", columns=2)
    for axes in drawn:
        _unknown_axis(axes, named)
        axes.set_ylim(-0.03, 1.03)
    return figure


def shifts_by_unknown(shifts: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw positive and negative shift against the unknown facts, a row of two panels a model."""
    named = with_condition(shifts, runs)
    panels = [
        _Panel(
            _title(named, str(model), f"{sign} shift"),
            frame,
            f"{sign}_shift",
            f"share of all facts that {verb}",
        )
        for model, frame in named.groupby("model")
        for sign, verb in (("positive", "rose"), ("negative", "fell"))
    ]
    figure, drawn = _draw(panels, "unknown", columns=2)
    top = 1.05 * float(named[["positive_shift", "negative_shift"]].to_numpy().max()) or 1.0
    for axes in drawn:
        _unknown_axis(axes, named)
        axes.set_ylim(0, top)
    return figure


def benchmark_by_unknown(
    benchmarks: pd.DataFrame, runs: pd.DataFrame, task: str, metric: str
) -> Figure:
    """Draw one benchmark against the unknown facts, a panel a model (Figures 1, 3, 4 and 5).

    The horizontal line is the model itself. A study without the task gets a note instead.
    """
    named = with_condition(benchmarks, runs)
    named = named[(named["task"] == task) & (named["metric"] == metric)]
    panels = [
        _Panel(
            str(model),
            frame[frame["run"] != "base"],
            "value",
            f"{task} {metric}",
            frame.loc[frame["run"] == "base", "value"].mean(),
        )
        for model, frame in named.groupby("model")
        if (frame["run"] != "base").any()
    ]
    if not panels:
        return _note(f"{task} {metric}:\nnot asked in this study")
    figure, drawn = _draw(panels, "unknown", columns=2)
    for axes in drawn:
        _unknown_axis(axes, named)
    return figure


def save(figure: Figure, stem: str | Path) -> list[Path]:
    """Write ``stem``.png, .svg and .pdf, each whole or not at all, and equal for equal figures."""
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, metadata in _WITHOUT_DATE.items():
        path = stem.with_name(f"{stem.name}.{kind}")
        temporary = stem.with_name(f".{stem.name}.{os.getpid()}.{kind}")
        try:
            with mpl.rc_context(STYLE):
                figure.savefig(temporary, format=kind, metadata=metadata)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        written.append(path)
    return written


def _draw(panels: Sequence[_Panel], x: str, columns: int) -> tuple[Figure, list[Axes]]:
    """Draw the panels in rows of at most ``columns``, with one legend below them."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(3.6 * columns, 5.4), 2.9 * rows + 0.6), layout="constrained")
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False).flatten().tolist()
        legend: dict[str, Any] = {}
        for axes, panel in zip(grid, panels, strict=False):
            _lines(axes, panel, x)
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
        figure.legend(
            handles=[legend[name] for name in shown],
            labels=shown,
            loc="outside lower center",
            ncols=-(-len(shown) // -(-len(shown) // fitting)),  # rows of equal length
            handlelength=3.5,
        )
    return figure, grid[: len(panels)]


def _lines(axes: Axes, panel: _Panel, x: str) -> None:
    conditions = list(panel.frame["condition"].cat.categories)
    for place, (condition, group) in enumerate(panel.frame.groupby("condition", observed=False)):
        if group.empty:
            continue
        seeds = group.groupby(x)[panel.value].agg(["mean", "min", "max"])
        # Conditions stand a little apart on the logarithmic axis, or they would hide each other.
        apart = 1.04 ** (place - (len(conditions) - 1) / 2) if x == "unknown" else 1.0
        at = seeds.index.to_numpy(dtype=float) * apart
        colour = _COLOURS[place % len(_COLOURS)]
        axes.plot(
            at,
            seeds["mean"],
            label=str(condition),
            color=colour,
            marker=_MARKERS[place % len(_MARKERS)],
            linestyle=_DASHES[place % len(_DASHES)],
            zorder=3,
        )
        if (seeds["max"] > seeds["min"]).any():
            axes.fill_between(at, seeds["min"], seeds["max"], color=colour, alpha=0.13, linewidth=0)
    if panel.base is not None and pd.notna(panel.base):
        axes.axhline(panel.base, color="0.4", linewidth=1, label="base model")


def _unknown_axis(axes: Axes, named: pd.DataFrame) -> None:
    levels = sorted(named["unknown"].dropna().unique())
    axes.set_xscale("log")
    axes.set_xlim(levels[0] / 1.5, levels[-1] * 1.5)
    axes.xaxis.set_major_locator(FixedLocator(levels))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda level, _: f"{level:,.0f}"))
    axes.set_xlabel("unknown facts trained")


def _title(named: pd.DataFrame, model: str, what: str) -> str:
    return what if named["model"].nunique() == 1 else f"{model}: {what}"


def _note(text: str) -> Figure:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.4, 1.6), layout="constrained")
        figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=11)
    return figure
