import math

import numpy as np
import pandas as pd
import pytest
from answer_study import drawn, fixed, measured, run_table

from knowpack.bootstrap import Draws
from knowpack.levers import LEVERS, levers
from knowpack.measures import Measure
from knowpack.tables import read_table, write_table

DEFAULTS = {"rank": 1, "learning_rate": 0.001}


def runs_of(*settings: dict, **grid) -> pd.DataFrame:
    tables = [run_table(levels=(10,), **grid, **(DEFAULTS | each)) for each in settings]
    return pd.concat(tables, ignore_index=True)


def pairs(table: pd.DataFrame) -> list[tuple[str, ...]]:
    first = table.drop_duplicates(["recipe", "against"])
    return list(first[["recipe", "against", "lever"]].itertuples(index=False, name=None))


def plainly(runs: pd.DataFrame, **others) -> pd.DataFrame:
    return levers(fixed(runs, {"reliability": lambda run: run["rank"] / 100} | others), DEFAULTS)


def test_recipes_are_set_against_the_plain_one_and_where_one_thing_differs():
    grid = {"extras": [("none", 0), ("highly_known", 1)]}
    table = plainly(runs_of({}, {"rank": 8}, **grid))
    assert pairs(table) == [
        ("no extras, rank 8", "no extras, rank 1", "rank 8 for 1"),
        ("1 HK, rank 1", "no extras, rank 1", "1 HK for no extras"),
        ("1 HK, rank 8", "no extras, rank 1", "1 HK for no extras, rank 8 for 1"),
        ("1 HK, rank 8", "no extras, rank 8", "1 HK for no extras"),
        ("1 HK, rank 8", "1 HK, rank 1", "rank 8 for 1"),
    ]
    assert table["difference"].tolist() == pytest.approx([0.07, 0, 0.07, 0, 0.07])


def test_the_plain_recipe_has_the_studys_settings_or_is_the_first():
    several = [{"rank": 8}, {"rank": 4}, {}]
    table = plainly(runs_of(*several, extras=[("none", 0)]))
    assert set(pairs(table)[:2]) == {
        ("no extras, rank 4", "no extras, rank 1", "rank 4 for 1"),
        ("no extras, rank 8", "no extras, rank 1", "rank 8 for 1"),
    }
    table = plainly(runs_of(*several[:2], extras=[("none", 0)]))
    assert pairs(table) == [("no extras, rank 8", "no extras, rank 4", "rank 8 for 4")]


def test_two_settings_at_once_are_set_against_the_plain_recipe_only():
    both = {"rank": 8, "learning_rate": 0.002}
    found = pairs(plainly(runs_of({}, both, {"rank": 2}, extras=[("none", 0)])))
    assert {lever for _, _, lever in found} == {
        "rank 2 for 1",
        "rank 8 for 1, learning rate 0.002 for 0.001",
    }
    assert {against for _, against, _ in found} == {"no extras, rank 1"}


def test_several_settings_at_once_are_set_against_the_studys_own_with_the_same_extras():
    both = {"rank": 8, "learning_rate": 0.002}
    grid = {"extras": [("none", 0), ("highly_known", 1)]}
    found = pairs(plainly(runs_of({}, both, **grid)))
    assert found[-1] == (
        "1 HK, rank 8, learning rate 0.002",
        "1 HK, rank 1, learning rate 0.001",
        "rank 8 for 1, learning rate 0.002 for 0.001",
    )


def test_helps_counts_harm_downwards_and_needs_an_interval(tmp_path):
    grid = {"extras": [("none", 0), ("highly_known", 1)]}
    table = plainly(
        runs_of({}, **grid),
        positive_shift=lambda run: 0.2,
        negative_shift=lambda run: 0.1 - run["per_unknown"] / 50,
        **{"mmlu acc": lambda run: 0.5 - run["per_unknown"] / 10},
    )
    write_table(table, tmp_path / "levers.parquet", LEVERS)
    read = read_table(tmp_path / "levers.parquet").set_index("measure")
    assert read["difference"].tolist() == pytest.approx([0, 0, -0.02, -0.1])
    assert read["helps"].tolist() == [None, None, True, False]
    assert set(zip(read["units"], read["seeds"], strict=True)) == {(100, 3)}
    few = levers(
        fixed(runs_of({}, **grid), {"reliability": lambda run: run["per_unknown"]}, units=5),
        DEFAULTS,
    ).iloc[0]
    assert few["difference"] == 1
    assert few[["low", "high", "helps"]].isna().all()


def test_common_seeds_are_paired_and_others_are_not():
    plain = run_table(levels=(10,), extras=[("none", 0)], seeds=(1, 2, 3))
    known = run_table(levels=(10,), extras=[("highly_known", 1)], seeds=(2, 3, 4))
    # Seeds differ by much, each pair of one seed by 0.1.
    values = {"reliability": lambda run: run["seed"] / 5 + run["per_unknown"] / 10}
    row = levers(fixed(pd.concat([plain, known]), values, replicates=60), {}).iloc[0]
    assert row["seeds"] == 2
    assert row[["difference", "low", "high"]].tolist() == pytest.approx([0.1] * 3)
    assert row["helps"]
    known = known[known["seed"] == 4]
    row = levers(fixed(pd.concat([plain, known]), values, replicates=60), {}).iloc[0]
    assert row["seeds"] == 0
    assert row["difference"] == pytest.approx(0.5)
    assert row["low"] < row["high"]


def test_what_makes_no_difference_seldom_helps():
    """Seeds differ by much more than facts: of 80 studies 4 are expected, with a deviation of 2."""
    rng, told = np.random.default_rng(6), {"reliability": 0, "negative_shift": 0}
    for _ in range(80):
        runs = run_table(levels=(200,))
        study = drawn(runs, 400, lambda level: 0.8, lambda level: 0.2, rng, spread=0.15)
        for row in levers(study, {"rank": 1}).to_dict("records"):
            told[row["measure"]] += row["helps"] is not None
    assert max(told.values()) <= 10


@pytest.mark.parametrize(("lost", "told"), [(1, None), (5, None), (6, False)])
def test_a_few_questions_judge_no_lever(lost: int, told: bool | None):
    """Five that all seeds lost, of sixty: as likely all to one side by chance as one in sixteen."""
    runs = runs_of({}, extras=[("none", 0), ("highly_known", 1)])
    each = np.ones((60, len(runs)))
    each[:lost, runs["per_unknown"] == 1] = 0
    table = levers(measured(runs, Measure("quiz acc", Draws(60, 1).means(each), each)), DEFAULTS)
    row = table.iloc[0]
    assert row["difference"] == pytest.approx(-lost / 60)
    assert row["helps"] == told
    assert pd.isna(row["low"]) == (told is None)


def test_pairs_over_facts_tell_what_two_intervals_do_not():
    """The same facts are hard in both recipes, so their difference is better known than either."""
    runs = run_table(levels=(300,), extras=[("none", 0), ("highly_known", 1)], seeds=(1,))
    rng = np.random.default_rng(5)
    study = drawn(runs, 600, lambda level: 0.7, lambda level: 0.1, rng)
    row = levers(study, {"rank": 1}).iloc[0]
    one = study.measures[0].values[1:, 0].std()
    assert (row["high"] - row["low"]) / (2 * 1.96) < 0.97 * math.sqrt(2) * one


def test_a_single_recipe_has_no_levers():
    runs = run_table(levels=(10,), extras=[("none", 0)])
    table = plainly(runs)
    assert table.empty
    assert list(table) == LEVERS.names
