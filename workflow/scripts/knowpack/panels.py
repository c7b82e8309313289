"""What the figures show: their panels, from tidy frames; drawn as `knowpack.figures` or `charts` do.

The base of a panel is the model itself: of the facts taught as unknown it knows none, it has no
shifts, and its benchmarks are measured.
"""

import pandas as pd

from knowpack.benchmark_names import Metric, first_metrics, task_name, unit
from knowpack.conditions import KINDS, final_epoch, recipes, with_condition
from knowpack.plots import Panel

_RELIABILITY = "reliability\n(mean share of right answers)"
_WIDEST = 24  # characters on one line of a y axis


def reliability_by_epoch(reliability: pd.DataFrame, runs: pd.DataFrame) -> list[Panel]:
    """Return the reliability after each epoch, a panel a model and level (Figure 2)."""
    named = with_condition(before_the_end(reliability), runs)
    return [
        Panel(
            _title(named, str(model), f"{unknown:,} unknown facts"),
            frame,
            "reliability",
            _RELIABILITY,
            0.0,
        )
        for (model, unknown), frame in named.groupby(["model", "unknown"], sort=True)
    ]


def before_the_end(reliability: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the runs that were asked after more epochs than their last."""
    epochs = reliability.groupby(["model", "run"])["epoch"].transform("nunique")
    return reliability[epochs > 1]


def reliability_by_unknown(reliability: pd.DataFrame, runs: pd.DataFrame) -> list[Panel]:
    """Return the reliability after the final epoch against the unknown facts, a panel a model."""
    named = with_condition(final_epoch(reliability), runs)
    return [
        Panel(str(model), frame, "reliability", _RELIABILITY, 0.0)
        for model, frame in named.groupby("model")
    ]


def generalization_by_unknown(generalization: pd.DataFrame, runs: pd.DataFrame) -> list[Panel]:
    """Return P_correct of the taught facts as taught and asked otherwise, a model after the other."""
    named = with_condition(generalization, runs)
    kinds = [kind for kind in KINDS if kind in set(named["kind"])]
    panels = []
    for model, of_model in named.groupby("model"):
        for value, kind, words in [
            *(("reliability", kind, "as taught") for kind in kinds[:1]),
            *(("p_correct", kind, KINDS[kind]) for kind in kinds),
        ]:
            frame = of_model[of_model["kind"] == kind]
            base = frame["run"] == "base"
            label = "mean share of right answers\n(P_correct)"
            known = float(frame.loc[base, value].mean())
            panel = Panel(_title(named, str(model), words), frame[~base], value, label, known)
            panels += [panel] * bool((~base).any())
    return panels


def shifts_by_unknown(shifts: pd.DataFrame, runs: pd.DataFrame) -> list[Panel]:
    """Return positive and negative shift against the unknown facts, two panels a model."""
    named = with_condition(shifts, runs)
    return [
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


def frontier(frontier: pd.DataFrame, runs: pd.DataFrame) -> list[Panel]:
    """Return reliability against harm, a panel a model."""
    named = frontier.assign(condition=frontier["recipe"].astype(recipes(runs).dtype))
    return [
        Panel(str(model), frame, "reliability", _RELIABILITY, float("nan"))
        for model, frame in named.groupby("model")
    ]


def reach(frontier: pd.DataFrame) -> tuple[float, float]:
    """Return how far the frontier's axes reach: the greatest harm, and the least reliability."""
    goal = frontier.iloc[0]
    harm = 1.1 * max(frontier["harm"].max(), goal["budget"]) or 1.0
    return harm, min(frontier["reliability"].min(), goal["target"], 0.95)


def benchmarks_by_unknown(benchmarks: pd.DataFrame, runs: pd.DataFrame) -> list[Panel]:
    """Return the first metric of every task, the models' one after another."""
    metrics = first_metrics(benchmarks)
    return [panel for metric in metrics for panel in of_metrics(benchmarks, runs, [metric])]


def of_metrics(benchmarks: pd.DataFrame, runs: pd.DataFrame, metrics: list[Metric]) -> list[Panel]:
    """Return one panel a model and metric, of those that were asked, a model after the other."""
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


def of_metric(benchmarks: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Return the rows of one metric."""
    asked = (benchmarks["task"] == metric.task) & (benchmarks["metric"] == metric.metric)
    return benchmarks[asked]


def _title(named: pd.DataFrame, model: str, what: str) -> str:
    return what if named["model"].nunique() == 1 else f"{model}: {what}"


def _in_lines(text: str) -> str:
    return text.replace(" (", "\n(") if len(text) > _WIDEST else text
