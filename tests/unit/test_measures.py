"""From labels and questions to measures: as the other tables have them, and whatever the order."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from answer_study import answers, measured, run_table

from knowpack.benchmark_names import Metric
from knowpack.capacity import capacity
from knowpack.errors import DataError
from knowpack.frontier import frontier
from knowpack.levers import levers
from knowpack.measures import Measure, of_facts, of_rewordings, of_suite
from knowpack.reliability import reliability
from knowpack.shifts import shifts

RUNS = run_table(levels=(8, 20), seeds=(1, 2))
FACTS = 60


def study(shuffled: bool = False) -> list[Measure]:
    base, asked = answers(RUNS, FACTS, np.random.default_rng(4))
    if shuffled:
        base = base.sample(frac=1, random_state=1)
        asked = [
            (run, *(frame.sample(frac=1, random_state=2) for frame in two)) for run, *two in asked
        ]
    return of_facts("m", base, asked, replicates=40)


def test_measures_of_facts_are_those_of_the_other_tables():
    base, asked = answers(RUNS, FACTS, np.random.default_rng(4))
    found = {measure.name: measure for measure in study()}
    for place, (run, (_, labels, rows)) in enumerate(
        zip(RUNS.to_dict("records"), asked, strict=True)
    ):
        final = reliability(run | {"epochs": 2}, rows, labels)
        assert found["reliability"].values[0, place] == pytest.approx(final["reliability"].item())
        assert found["reliability"].units[place] == final["facts"].item() == run["unknown"]
        counted = shifts(run, base, labels, rows)
        for name in ("positive_shift", "negative_shift"):
            assert found[name].values[0, place] == pytest.approx(counted[name].item())
            assert found[name].units[place] == FACTS
    assert {name: measure.sign for name, measure in found.items()} == {
        "reliability": 1,
        "positive_shift": 1,
        "negative_shift": -1,
    }


def test_other_wordings_are_the_mean_of_each_facts_own():
    def labels(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=["fact_id", "kind", "p_correct"])

    runs = [
        labels([("b", "held_out", 1.0), ("b", "held_out", 0.5), ("c", "held_out", 0.25)]),
        labels([("a", "trained", 1.0)]),
    ]
    (found,) = of_rewordings("m", ["c", "b", "a"], runs, replicates=20)
    assert found.name == "generalization"
    assert found.units.tolist() == [2, 0]
    assert found.values[0, 0] == pytest.approx(0.5)
    assert np.isnan(found.values[:, 1]).all()
    assert found.values[1:, 0].min() >= 0.25 and found.values[1:, 0].max() <= 0.75
    table = levers(measured(RUNS[:2], found._replace(each=np.ones((3, 2)))), {})
    assert table.empty  # two seeds of one recipe


def test_the_order_of_rows_changes_nothing():
    order = np.random.default_rng(1).permutation(len(RUNS))
    plain, others = study(), study(shuffled=True)
    moved = [m._replace(values=m.values[:, order], each=m.each[:, order]) for m in others]
    for table in (
        lambda one: capacity(one, [0.5, 0.7], [0.3, 0.4]),
        lambda one: frontier(one, 0.6, 0.4),
        lambda one: levers(one, {"rank": 1}),
    ):
        expected = table(measured(RUNS, *plain))
        pd.testing.assert_frame_equal(table(measured(RUNS.iloc[order], *moved)), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda labels, rows: (labels[1:], rows),
            "model 'm', run 'r': labels of the base model and of the run differ in their facts: 1 "
            "only in the base's, 0 only in the run's; label both again",
        ),
        (
            lambda labels, rows: (labels, rows.replace(rows["fact_id"].iloc[0], "x")),
            "model 'm', run 'r': of 8 taught unknown facts 1 have no label; run again",
        ),
        (
            lambda labels, rows: (labels, rows[rows["role"] != "unknown"]),
            "model 'm', run 'r': of 0 taught unknown facts 0 have no label; run again",
        ),
    ],
)
def test_what_does_not_belong_together(change: Callable, message: str):
    base, asked = answers(RUNS, FACTS, np.random.default_rng(4))
    with pytest.raises(DataError) as error:
        of_facts("m", base, [("r", *change(*asked[0][1:]))])
    assert str(error.value) == message


def asked_of(values: dict[tuple[str, str], list[float | None]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"task": task, "question": number, "metric": metric, "value": value}
            for (task, metric), row in values.items()
            for number, value in enumerate(row)
        ]
    ).astype({"value": float})


def scored(values: dict[tuple[str, str], tuple[float, int]]) -> pd.DataFrame:
    rows = [(*names, value, count) for names, (value, count) in values.items()]
    return pd.DataFrame(rows, columns=["task", "metric", "value", "questions"])


def test_benchmarks_are_the_first_metric_of_each_task():
    questions = [
        asked_of({("quiz", "acc"): row, ("quiz", "acc_norm"): [0, 0, 0, 0]})
        for row in ([1, 0, 1, 1], [1, 0, 0, 1], [0, 0, 0, 1])
    ]
    scores = [
        scored({("quiz", "acc"): (value, 4), ("quiz", "acc_norm"): (0.0, 4)})
        for value in (0.75, 0.5, 0.25)
    ]
    (found,), left_out = of_suite("m", scores, questions)
    assert not left_out
    assert (found.name, found.task, found.sign, found.units.tolist()) == (
        "quiz acc",
        "quiz",
        1,
        [4, 4],
    )
    assert found.values[0].tolist() == [0.5, 0.25]
    assert found.base[0] == 0.75
    # Paired: what both answer alike never makes a difference, so the drop is that of two questions.
    drop = found.base - found.values[:, 0]
    assert drop.min() > 0
    assert 0 < drop[1:].std() < found.base[1:].std() + found.values[1:, 0].std()


@pytest.mark.parametrize("value", [0.7, 0.625], ids=["by question", "by task"])
def test_a_group_is_averaged_as_lm_eval_does(value: float):
    asked = asked_of(
        {
            ("first", "acc"): [0, 0],
            ("g_a", "acc"): [1, 1, 1, 1, 1, 1, 0, 0],
            ("g_b", "acc"): [0, 1],
            ("h_a", "acc"): [1, 0, 0],
        }
    )
    scores = scored(
        {("first", "acc"): (0.0, 2), ("g", "acc"): (value, 10), ("h", "acc"): (1 / 3, 3)}
    )
    found, left_out = of_suite("m", [scores, scores], [asked, asked])
    assert not left_out
    assert {m.name: m.units.tolist() for m in found} == {
        "first acc": [2],
        "g acc": [10],
        "h acc": [3],
    }
    assert found[1].values[0, 0] == pytest.approx(value)
    assert (found[1].base == found[1].values[:, 0]).all()


@pytest.mark.parametrize(
    ("metric", "values", "value"),
    [
        ("bleu", [0.2, 0.4], 0.9),  # of all questions together
        ("bleu", [None, None], 0.3),
        ("words", [3, 5], 4),  # no share
    ],
)
def test_what_is_no_mean_of_shares_is_left_out(metric, values, value):
    scores, asked = scored({("quiz", metric): (value, 2)}), asked_of({("quiz", metric): values})
    assert of_suite("m", [scores] * 2, [asked] * 2) == ([], [Metric("quiz", metric)])


def test_percent_are_made_shares():
    names = ("truthfulqa_gen", "bleu_max")
    scores, asked = scored({names: (30.0, 2)}), asked_of({names: [20.0, 40.0]})
    (found,), _ = of_suite("m", [scores] * 2, [asked] * 2)
    assert found.values[0, 0] == pytest.approx(0.3)


def test_other_questions_are_an_error():
    asked = [asked_of({("quiz", "acc"): row}) for row in ([1, 0], [1, 0, 1])]
    scores = [scored({("quiz", "acc"): (0.5, 2)}), scored({("quiz", "acc"): (2 / 3, 3)})]
    message = (
        "model 'm', task 'quiz': a run was asked other questions than the model itself; delete the "
        "folders questions/ and run again"
    )
    with pytest.raises(DataError) as error:
        of_suite("m", scores, asked)
    assert str(error.value) == message
