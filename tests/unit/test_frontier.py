import pandas as pd
import pytest
from answer_study import fixed, run_table

from knowpack.frontier import FRONTIER, frontier
from knowpack.tables import write_table

FOUR = [("none", 0), ("highly_known", 1), ("highly_known", 10), ("paraphrase", 1)]
NAMES = ["no extras", "1 HK", "10 HK", "1 paraphrase"]


def table(right: list[float], harm: list[float], tmp_path=None, **others) -> pd.DataFrame:
    """The frontier of one level, at a target of 0.9 and a budget of 0.1."""
    runs = run_table(levels=(10,), extras=FOUR)
    order = {(extra, per): place for place, (extra, per) in enumerate(FOUR)}

    def of(values):
        return lambda run: values[order[run["extra"], run["per_unknown"]]]

    study = fixed(runs, {"reliability": of(right), "negative_shift": of(harm)} | others)
    return frontier(study, 0.9, 0.1).set_index("recipe")


def picked(found: pd.DataFrame) -> list[str]:
    return list(found.index[found["pick"]])


@pytest.mark.parametrize(
    ("right", "harm", "pick", "on_frontier"),
    [
        # The least harm of those that meet both, not the greatest reliability.
        ([1.0, 0.95, 0.85, 0.9], [0.2, 0.08, 0.01, 0.09], "1 HK", [True, True, True, False]),
        # None meets both: the least harm of those that reach the target.
        ([1.0, 0.95, 0.85, 0.8], [0.3, 0.2, 0.01, 0.02], "1 HK", [True, True, True, False]),
        # None reaches the target: the greatest reliability.
        ([0.5, 0.6, 0.7, 0.7], [0.0, 0.0, 0.3, 0.2], "1 paraphrase", [False, True, False, True]),
        # Of equals all are on the frontier; the one with fewer rows is picked, then the first.
        ([0.95] * 4, [0.05] * 4, "no extras", [True] * 4),
        ([0.5, 0.95, 0.95, 0.95], [0.05] * 4, "1 HK", [False, True, True, True]),
    ],
)
def test_frontier_and_pick(right, harm, pick, on_frontier):
    found = table(right, harm)
    assert list(found.index) == NAMES
    assert picked(found) == [pick]
    assert found["on_frontier"].tolist() == on_frontier


def test_the_worst_benchmark_counts_as_harm(tmp_path):
    found = table(
        [0.95] * 4,
        [0.05] * 4,
        **{
            "mmlu acc": lambda run: 0.48,
            "arc_easy acc": lambda run: 0.3 if run["extra"] == "none" else 0.55,
        },
    )
    write_table(found.reset_index(), tmp_path / "frontier.parquet", FRONTIER)
    assert found["benchmark"].tolist() == ["arc_easy", "mmlu", "mmlu", "mmlu"]
    assert found["drop"].tolist() == pytest.approx([0.2, 0.02, 0.02, 0.02])
    assert found["harm"].tolist() == pytest.approx([0.2, 0.05, 0.05, 0.05])
    assert found["meets"].tolist() == [False, True, True, True]


def test_benchmarks_that_all_rose_harm_nothing():
    found = table([0.95] * 4, [0.0] * 4, **{"mmlu acc": lambda run: 0.6})
    assert found["drop"].tolist() == pytest.approx([-0.1] * 4)
    assert found["harm"].tolist() == [0] * 4


def test_held_out_wordings_may_have_a_target_of_their_own():
    right = {"none": 0.6, "highly_known": 0.8, "paraphrase": 0.9}
    runs = run_table(levels=(10,), extras=FOUR)
    values = {
        "reliability": lambda run: 0.95,
        "generalization": lambda run: right[run["extra"]],
        "negative_shift": lambda run: 0.09 if run["extra"] == "paraphrase" else 0.05,
    }
    found = frontier(fixed(runs, values), 0.9, 0.1, 0.85).set_index("recipe")
    assert found["meets"].tolist() == [False, False, False, True]
    assert picked(found) == ["1 paraphrase"]
    assert found["generalization"].tolist() == pytest.approx([0.6, 0.8, 0.8, 0.9])
    assert picked(frontier(fixed(runs, values), 0.9, 0.1).set_index("recipe")) == ["no extras"]


def test_too_few_facts_have_no_interval(tmp_path):
    runs = run_table(levels=(5,))
    values = {"reliability": lambda run: 1.0, "negative_shift": lambda run: 0.1}
    few = frontier(fixed(runs, values, units=5), 0.9, 0.1)
    assert (
        few[["reliability_low", "negative_shift_high", "benchmark", "drop"]].isna().all(axis=None)
    )
    write_table(few, tmp_path / "frontier.parquet", FRONTIER)
    enough = frontier(fixed(runs, values, units=6), 0.9, 0.1)
    assert (enough["reliability_low"] == 1).all()
    assert (enough["seeds"] == 3).all()
