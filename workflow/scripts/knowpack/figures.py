"""The figures as they are printed, from tidy frames to matplotlib (the paper's Figures 1 to 5).

The horizontal line is the model itself, with a grey band of one standard error around its
benchmarks. What a study did not ask, the figure says in words.
"""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from knowpack import panels
from knowpack.benchmark_names import MC1, MMLU, TRUTHFULQA, first_metrics, task_name
from knowpack.plots import Panel, draw, note, paths, unknown_axis


def reliability_by_epoch(reliability: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw the reliability after each epoch, a panel a model and level (Figure 2).

    Where the study asked only after the final epoch, the figure says so.
    """
    found = panels.reliability_by_epoch(reliability, runs)
    if not found:
        return note("Reliability before the final epoch:\nnot asked in this study")
    levels = panels.before_the_end(reliability)["unknown"].nunique()
    figure, drawn = draw(found, "epoch", columns=min(3, levels))
    for axes in drawn:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(-0.03, 1.03)
    return figure


def reliability_by_unknown(reliability: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw the reliability after the final epoch against the unknown facts, a panel a model."""
    figure, drawn = draw(panels.reliability_by_unknown(reliability, runs), "unknown", columns=2)
    for axes in drawn:
        unknown_axis(axes, runs["unknown"])
        axes.set_ylim(-0.03, 1.03)
    return figure


def generalization_by_unknown(generalization: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw P_correct of the taught facts as taught and asked otherwise, a row of panels a model."""
    found = panels.generalization_by_unknown(generalization, runs)
    if not found:
        return note("Generalization:\nno taught fact could be asked otherwise")
    columns = 1 + generalization["kind"].nunique()
    figure, drawn = draw(found, "unknown", columns)
    for axes in drawn:
        unknown_axis(axes, runs["unknown"])
        axes.set_ylim(-0.03, 1.03)
    return figure


def shifts_by_unknown(shifts: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw positive and negative shift against the unknown facts, a row of two panels a model."""
    figure, drawn = draw(panels.shifts_by_unknown(shifts, runs), "unknown", columns=2)
    top = 1.05 * float(shifts[["positive_shift", "negative_shift"]].to_numpy().max()) or 1.0
    for axes in drawn:
        unknown_axis(axes, runs["unknown"])
        axes.set_ylim(-0.03 * top, top)
    return figure


def frontier(frontier: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw reliability against harm, a panel a model, a line a recipe, a point a level.

    Up and to the left is better; the shaded corner is what target and budget allow.
    """
    figure, drawn = draw(panels.frontier(frontier, runs), "harm", columns=2, lines=paths)
    goal, (right, least) = frontier.iloc[0], panels.reach(frontier)
    for axes in drawn:
        corner = (0.0, goal["target"]), goal["budget"], 1.0 - goal["target"]
        axes.add_patch(Rectangle(*corner, color="0.94", zorder=0))
        axes.set_xlim(-0.03 * right, right)
        axes.set_ylim(least - 0.08 * (1.0 - least), 1.0 + 0.08 * (1.0 - least))
        axes.set_xlabel("harm\n(negative shift, or a benchmark's drop)")
    return figure


def mmlu_by_unknown(benchmarks: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw MMLU's accuracy against the unknown facts, a panel a model (Figure 1)."""
    found = panels.of_metrics(benchmarks, runs, [MMLU])
    return _by_unknown(found, runs, 2, share_y=True) if found else _not_asked("MMLU")


def truthfulqa_by_unknown(benchmarks: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw TruthfulQA's MC1, MC2, BLEU and ROUGE against the unknown facts (Figures 3 and 4)."""
    found = panels.of_metrics(benchmarks, runs, TRUTHFULQA)
    return _by_unknown(found, runs, 3) if found else _not_asked("TruthfulQA")


def models_side_by_side(benchmarks: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw TruthfulQA's MC1 of all models on one scale, a panel a model (Figure 5)."""
    found = panels.of_metrics(benchmarks, runs, [MC1])
    if not found:
        return _not_asked(task_name(MC1.task))
    if len(found) == 1:
        return note("Models side by side:\none model in this study")
    return _by_unknown(found, runs, 4, share_y=True)


def benchmarks_by_unknown(benchmarks: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw the first metric of every task against the unknown facts, a row of panels a task."""
    found = panels.benchmarks_by_unknown(benchmarks, runs)
    if not found:
        return _not_asked("Benchmarks")
    models = len(found) // len(first_metrics(benchmarks))
    return _by_unknown(found, runs, models if models in (2, 3) else 3)


def _by_unknown(
    found: list[Panel], runs: pd.DataFrame, columns: int, share_y: bool = False
) -> Figure:
    figure, drawn = draw(found, "unknown", columns, share_y)
    for axes in drawn:
        unknown_axis(axes, runs["unknown"])
    return figure


def _not_asked(what: str) -> Figure:
    return note(f"{what}:\nnot asked in this study")
