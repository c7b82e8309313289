import pandas as pd
import pytest
import study_frames as study

from knowpack import figures, panels
from knowpack.benchmark_names import TRUTHFULQA, Metric, first_metrics

BENCHMARKED = [
    "mmlu_by_unknown",
    "truthfulqa_by_unknown",
    "models_side_by_side",
    "benchmarks_by_unknown",
]
TASKS = [("mmlu", "acc"), *TRUTHFULQA, ("reasoning", "acc"), ("reasoning", "acc_norm")]
MODELS = ("m1", "m2")


def lines(figure, panel: int = 0) -> dict[str, list[float]]:
    """The lines with a name, by it; the edges of bands have none."""
    drawn = {line.get_label(): list(line.get_ydata()) for line in figure.axes[panel].get_lines()}
    return {name: values for name, values in drawn.items() if not name.startswith("_")}


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def titles(figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


def test_reliability_by_epoch():
    runs = study.runs()
    figure = figures.reliability_by_epoch(study.reliability(runs, epochs=(1, 2, 3)), runs)
    assert titles(figure) == ["10 unknown facts", "50 unknown facts"]
    assert lines(figure)["10 HK"] == pytest.approx([0.25, 0.35, 0.45])
    assert lines(figure)["base model"] == [0, 0]
    assert figure.axes[0].get_xlabel() == "epoch"
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["base model", "no extras", "10 HK", "1 paraphrase"]


def test_only_the_levels_asked_after_each_epoch_are_drawn():
    runs = study.runs()
    table = study.reliability(runs, epochs=(1, 2, 3))
    table = table[(table["unknown"] == 50) | (table["epoch"] == 3)]
    assert titles(figures.reliability_by_epoch(table, runs)) == ["50 unknown facts"]


def test_final_epochs_only_are_said_to_be_so():
    runs = study.runs()
    figure = figures.reliability_by_epoch(study.reliability(runs), runs)
    assert texts(figure) == ["Reliability before the final epoch:\nnot asked in this study"]


def test_shifts_and_reliability_by_unknown():
    runs = study.runs(MODELS)
    figure = figures.shifts_by_unknown(study.shifts(runs), runs)
    assert titles(figure) == [
        "m1: positive shift",
        "m1: negative shift",
        "m2: positive shift",
        "m2: negative shift",
    ]
    assert lines(figure)["no extras"] == pytest.approx([0.015, 0.015])
    assert lines(figure)["base model"] == [0, 0]
    assert [axes.get_ylabel() for axes in figure.axes[:2]] == [
        "share of all facts that rose",
        "share of all facts that fell",
    ]
    by_level = figures.reliability_by_unknown(study.reliability(runs, epochs=(1, 3)), runs)
    assert titles(by_level) == ["m1", "m2"]
    assert lines(by_level)["no extras"] == pytest.approx([0.45, 0.45])


def test_frontier_has_a_point_for_each_level_and_recipe():
    runs = study.runs(MODELS)
    table = study.frontier(runs)
    table.loc[table["recipe"] == "10 HK", "reliability"] = 0.5
    figure = figures.frontier(table, runs)
    assert titles(figure) == ["m1", "m2"]
    assert lines(figure)["10 HK"] == [0.5, 0.5]
    assert lines(figure)["no extras"] == [0.95, 0.95]
    axes = figure.axes[0]
    assert [line.get_xdata().tolist() for line in axes.get_lines()] == [[0.01, 0.05]] * 3
    # Two lines lie on each other, so their levels are written once.
    assert sorted(text.get_text() for text in axes.texts) == ["10", "10", "50", "50"]
    corner = axes.patches[0]
    assert (corner.get_width(), corner.get_y()) == (0.1, 0.9)
    assert axes.get_ylim()[0] < 0.5 < 1 < axes.get_ylim()[1]


def test_generalization_by_unknown():
    runs = study.runs(MODELS)
    figure = figures.generalization_by_unknown(study.generalization(runs), runs)
    words = ["as taught", "held-out wordings", "reversed"]
    assert titles(figure) == [f"{model}: {asked}" for model in MODELS for asked in words]
    assert lines(figure)["no extras"] == pytest.approx([0.9, 0.9])
    assert lines(figure, 1)["no extras"] == pytest.approx([0.15, 0.15])
    assert lines(figure, 2)["no extras"] == pytest.approx([0.175, 0.175])
    assert [lines(figure, panel)["base model"][0] for panel in range(3)] == [0, 0, 0.1]
    back = figures.generalization_by_unknown(study.generalization(runs, ["reversed"]), runs)
    assert titles(back)[:2] == ["m1: as taught", "m1: reversed"]
    assert lines(back)["no extras"] == pytest.approx([0.8, 0.8])
    none = figures.generalization_by_unknown(study.generalization(runs, []), runs)
    assert texts(none) == ["Generalization:\nno taught fact could be asked otherwise"]


def test_mmlu_by_unknown():
    runs = study.runs(MODELS)
    figure = figures.mmlu_by_unknown(study.benchmarks(runs, TASKS), runs)
    assert titles(figure) == ["m1: MMLU", "m2: MMLU"]
    assert lines(figure)["base model"] == [0.6, 0.6]
    assert lines(figure)["10 HK"] == pytest.approx([0.15, 0.15])
    assert {axes.get_ylabel() for axes in figure.axes} == {"accuracy"}


def test_truthfulqa_by_unknown_has_a_unit_for_each_metric():
    runs = study.runs(MODELS)
    figure = figures.truthfulqa_by_unknown(study.benchmarks(runs, TASKS), runs)
    assert titles(figure)[:3] == [f"m1: TruthfulQA {name}" for name in ("MC1", "MC2", "generation")]
    assert [axes.get_ylabel() for axes in figure.axes] == 2 * [
        "accuracy",
        "probability of the true answers",
        "BLEU (0 to 100)",
        "ROUGE-1 (0 to 100)",
        "ROUGE-2 (0 to 100)",
        "ROUGE-L (0 to 100)",
    ]
    some = figures.truthfulqa_by_unknown(study.benchmarks(runs, TRUTHFULQA[:2]), runs)
    assert len(some.axes) == 4


def test_models_side_by_side_on_one_scale():
    runs = study.runs(MODELS)
    table = study.benchmarks(runs, TASKS)
    table.loc[table["model"] == "m2", "value"] *= 0.1
    figure = figures.models_side_by_side(table, runs)
    assert titles(figure) == ["m1: TruthfulQA MC1", "m2: TruthfulQA MC1"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_benchmarks_by_unknown_has_the_first_metric_of_every_task():
    runs = study.runs(MODELS)
    figure = figures.benchmarks_by_unknown(study.benchmarks(runs, TASKS), runs)
    names = ["MMLU", "TruthfulQA MC1", "TruthfulQA MC2", "TruthfulQA generation", "Reasoning"]
    assert titles(figure) == [f"{model}: {name}" for name in names for model in MODELS]


def test_a_base_model_that_was_not_asked_has_no_line():
    runs = study.runs()
    table = study.benchmarks(runs)
    figure = figures.mmlu_by_unknown(table[table["run"] != "base"], runs)
    assert "base model" not in lines(figure)


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ([], ["MMLU", "TruthfulQA", "TruthfulQA MC1", "Benchmarks"]),
        ([("reasoning", "acc")], ["MMLU", "TruthfulQA", "TruthfulQA MC1", None]),
    ],
)
def test_what_was_not_asked_is_said(tasks, said):
    runs = study.runs()
    table = study.benchmarks(runs, tasks)
    for name, what in zip(BENCHMARKED, said, strict=True):
        expected = [f"{what}:\nnot asked in this study"] if what else []
        assert texts(getattr(figures, name)(table, runs)) == expected


def test_one_model_is_not_put_side_by_side():
    runs = study.runs()
    figure = figures.models_side_by_side(study.benchmarks(runs, TASKS), runs)
    assert texts(figure) == ["Models side by side:\none model in this study"]


def test_first_metrics_and_of_metric():
    table = study.benchmarks(study.runs(), TASKS)
    assert first_metrics(table)[-1] == Metric("reasoning", "acc")
    found = panels.of_metric(table, Metric("reasoning", "acc_norm"))
    assert set(found["metric"]) == {"acc_norm"}
    assert isinstance(found, pd.DataFrame)
