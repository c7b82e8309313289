"""The figures: what each shows, from tidy frames to a matplotlib figure (the paper's Figures 1 to 5).

The horizontal line is the model itself: of the facts taught as unknown it knows none, it has no
shifts, and its benchmarks are measured, with a grey band of one standard error around them. What a
study did not ask, the figure says in words.
"""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from knowpack.benchmark_names import MC1, MMLU, TRUTHFULQA, Metric, first_metrics, task_name, unit
from knowpack.conditions import KINDS, final_epoch, recipes, with_condition
from knowpack.plots import Panel, draw, note, paths, unknown_axis

_RELIABILITY = "reliability\n(mean share of right answers)"
_WIDEST = 24  # characters on one line of a y axis


def reliability_by_epoch(reliability: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw the reliability after each epoch, a panel a model and level (Figure 2).

    Where the study asked only after the final epoch, the figure says so.
    """
    named = with_condition(before_the_end(reliability), runs)
    panels = [
        Panel(
            _title(named, str(model), f"{unknown:,} unknown facts"),
            frame,
            "reliability",
            _RELIABILITY,
            0.0,
        )
        for (model, unknown), frame in named.groupby(["model", "unknown"], sort=True)
    ]
    if not panels:
        return note("Reliability before the final epoch:\nnot asked in this study")
    figure, drawn = draw(panels, "epoch", columns=min(3, named["unknown"].nunique()))
    for axes in drawn:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(-0.03, 1.03)
    return figure


def before_the_end(reliability: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the runs that were asked after more epochs than their last."""
    epochs = reliability.groupby(["model", "run"])["epoch"].transform("nunique")
    return reliability[epochs > 1]


def reliability_by_unknown(reliability: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw the reliability after the final epoch against the unknown facts, a panel a model."""
    named = with_condition(final_epoch(reliability), runs)
    panels = [
        Panel(str(model), frame, "reliability", _RELIABILITY, 0.0)
        for model, frame in named.groupby("model")
    ]
    figure, drawn = draw(panels, "unknown", columns=2)
    for axes in drawn:
        unknown_axis(axes, named["unknown"])
        axes.set_ylim(-0.03, 1.03)
    return figure


def generalization_by_unknown(generalization: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw P_correct of the taught facts as taught and asked otherwise, a row of panels a model."""
    if generalization.empty:
        return note("Generalization:\nno taught fact could be asked otherwise")
    named = with_condition(generalization, runs)
    kinds = [kind for kind in KINDS if kind in set(named["kind"])]
    panels = []
    for model, of_model in named.groupby("model"):
        for value, kind, words in [
            ("reliability", kinds[0], "as taught"),
            *(("p_correct", kind, KINDS[kind]) for kind in kinds),
        ]:
            frame = of_model[of_model["kind"] == kind]
            base = frame["run"] == "base"
            label = "mean share of right answers\n(P_correct)"
            known = float(frame.loc[base, value].mean())
            panel = Panel(_title(named, str(model), words), frame[~base], value, label, known)
            panels += [panel] * bool((~base).any())
    figure, drawn = draw(panels, "unknown", columns=1 + len(kinds))
    for axes in drawn:
        unknown_axis(axes, named["unknown"])
        axes.set_ylim(-0.03, 1.03)
    return figure


def shifts_by_unknown(shifts: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw positive and negative shift against the unknown facts, a row of two panels a model."""
    named = with_condition(shifts, runs)
    panels = [
        Panel(
            _title(named, str(model), f"{sign} shift"),
            frame,
            f"{sign}_shift",
            f"share of all facts that {verb}",
            0.0,
        )
        for model, frame in named.groupby("model")
        for sign, verb in (("positive", "rose"), ("negative", "fell"))
    ]
    figure, drawn = draw(panels, "unknown", columns=2)
    top = 1.05 * float(named[["positive_shift", "negative_shift"]].to_numpy().max()) or 1.0
    for axes in drawn:
        unknown_axis(axes, named["unknown"])
        axes.set_ylim(-0.03 * top, top)
    return figure


def frontier(frontier: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw reliability against harm, a panel a model, a line a recipe, a point a level.

    Up and to the left is better; the shaded corner is what target and budget allow.
    """
    named = frontier.assign(condition=frontier["recipe"].astype(recipes(runs).dtype))
    panels = [
        Panel(str(model), frame, "reliability", _RELIABILITY, float("nan"))
        for model, frame in named.groupby("model")
    ]
    figure, drawn = draw(panels, "harm", columns=2, lines=paths)
    goal = named.iloc[0]
    right = 1.1 * max(named["harm"].max(), goal["budget"]) or 1.0
    least = min(named["reliability"].min(), goal["target"], 0.95)
    for axes in drawn:
        corner = (0.0, goal["target"]), goal["budget"], 1.0 - goal["target"]
        axes.add_patch(Rectangle(*corner, color="0.94", zorder=0))
        axes.set_xlim(-0.03 * right, right)
        axes.set_ylim(least - 0.08 * (1.0 - least), 1.0 + 0.08 * (1.0 - least))
        axes.set_xlabel("harm\n(negative shift, or a benchmark's drop)")
    return figure


def mmlu_by_unknown(benchmarks: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw MMLU's accuracy against the unknown facts, a panel a model (Figure 1)."""
    panels = _panels(benchmarks, runs, [MMLU])
    return _by_unknown(panels, runs, 2, share_y=True) if panels else _not_asked("MMLU")


def truthfulqa_by_unknown(benchmarks: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw TruthfulQA's MC1, MC2, BLEU and ROUGE against the unknown facts (Figures 3 and 4)."""
    panels = _panels(benchmarks, runs, TRUTHFULQA)
    return _by_unknown(panels, runs, 3) if panels else _not_asked("TruthfulQA")


def models_side_by_side(benchmarks: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw TruthfulQA's MC1 of all models on one scale, a panel a model (Figure 5)."""
    panels = _panels(benchmarks, runs, [MC1])
    if not panels:
        return _not_asked(task_name(MC1.task))
    if len(panels) == 1:
        return note("Models side by side:\none model in this study")
    return _by_unknown(panels, runs, 4, share_y=True)


def benchmarks_by_unknown(benchmarks: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw the first metric of every task against the unknown facts, a row of panels a task."""
    metrics = first_metrics(benchmarks)
    panels = [panel for metric in metrics for panel in _panels(benchmarks, runs, [metric])]
    if not panels:
        return _not_asked("Benchmarks")
    models = len(panels) // len(metrics)
    return _by_unknown(panels, runs, models if models in (2, 3) else 3)


def of_metric(benchmarks: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Return the rows of one metric."""
    asked = (benchmarks["task"] == metric.task) & (benchmarks["metric"] == metric.metric)
    return benchmarks[asked]


def _panels(benchmarks: pd.DataFrame, runs: pd.DataFrame, metrics: list[Metric]) -> list[Panel]:
    """One panel a model and metric, of those that were asked, the models' one after another."""
    named = with_condition(benchmarks, runs)
    panels = []
    for model, of_model in named.groupby("model"):
        for metric in metrics:
            frame = of_metric(of_model, metric)
            base = frame["run"] == "base"
            if not base.all():
                panels.append(
                    Panel(
                        _title(named, str(model), task_name(metric.task)),
                        frame[~base],
                        "value",
                        _in_lines(unit(metric)),
                        float(frame.loc[base, "value"].mean()),
                        float(frame.loc[base, "stderr"].mean()),
                    )
                )
    return panels


def _by_unknown(
    panels: list[Panel], runs: pd.DataFrame, columns: int, share_y: bool = False
) -> Figure:
    figure, drawn = draw(panels, "unknown", columns, share_y)
    for axes in drawn:
        unknown_axis(axes, runs["unknown"])
    return figure


def _title(named: pd.DataFrame, model: str, what: str) -> str:
    return what if named["model"].nunique() == 1 else f"{model}: {what}"


def _in_lines(text: str) -> str:
    return text.replace(" (", "\n(") if len(text) > _WIDEST else text


def _not_asked(what: str) -> Figure:
    return note(f"{what}:\nnot asked in this study")
