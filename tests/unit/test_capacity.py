"""Capacity by hand, its properties, and its interval over studies whose capacity is known."""

import math

import numpy as np
import pytest
from answer_study import drawn, fixed, run_table
from hypothesis import given, settings
from hypothesis import strategies as st

from knowpack.capacity import CAPACITY, capacity, largest
from knowpack.tables import read_table, write_table

PLAIN = [("none", 0)]
LEVELS = np.array([10.0, 100.0, 1000.0])
CURVES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.5)), min_size=1, max_size=5)


def at(right: list[float], harm: list[float], target: float, budget: float) -> float:
    """The capacity of one recipe with these curves at 10, 100 ... facts."""
    levels = 10.0 ** np.arange(1, len(right) + 1)
    slack = np.stack([np.array(right) - target, budget - np.array(harm)], axis=1)
    return float(largest(levels, slack))


@pytest.mark.parametrize(
    ("right", "harm", "expected"),
    [
        ([1.0, 1.0, 1.0], [0.0, 0.0, 0.1], 1000),  # nothing beyond was measured
        ([1.0, 1.0, 0.8], [0.0, 0.0, 0.0], 10**2.5),  # halfway between 100 and 1,000
        ([1.0, 1.0, 0.8], [0.0, 0.2, 0.2], 10**1.5),  # the harm is reached first
        ([1.0, 0.9, 0.5], [0.0, 0.0, 0.0], 100),  # just reached at a level
        ([0.8, 0.8, 0.8], [0.0, 0.0, 0.0], math.nan),
        ([1.0, 1.0, 1.0], [0.3, 0.2, 0.11], math.nan),
        ([0.5, 0.5, 1.0], [0.3, 0.2, 0.0], 1000),  # few facts fail, many do
        (
            [1.0, 0.7, 1.0],
            [0.0, 0.0, 0.4],
            10 ** (1 + 1 / 3),
        ),  # harm and reliability never meet again
        ([0.8, 1.0, 0.8], [0.0, 0.2, 0.2], 10**1.5),  # one point between levels
        ([0.8, 1.0, 0.8], [0.0, 0.3, 0.3], math.nan),  # each is met somewhere, never both
        ([0.95], [0.05], 10),
        ([0.85], [0.05], math.nan),
    ],
)
def test_by_hand(right, harm, expected):
    assert at(right, harm, 0.9, 0.1) == pytest.approx(expected, nan_ok=True)


def test_held_out_wordings_may_have_a_target_of_their_own():
    """Reliability falls from 1 to 0.9, generalization from 0.9 to 0.5: 0.7 is met halfway."""
    runs = run_table(levels=(10, 1000), extras=PLAIN)
    values = {
        "reliability": lambda run: 1.0 if run["unknown"] == 10 else 0.9,
        "generalization": lambda run: 0.9 if run["unknown"] == 10 else 0.5,
        "negative_shift": lambda run: 0.0,
    }
    study = fixed(runs, values)
    assert capacity(study, [0.9], [0.1])["capacity"].tolist() == [1000]
    assert capacity(study, [0.9], [0.1], 0.7)["capacity"].tolist() == pytest.approx([100])
    assert capacity(study, [0.9], [0.1], 0.95)["capacity"].isna().all()


def test_the_table_has_a_row_a_recipe_target_and_budget(tmp_path):
    runs = run_table(extras=[("none", 0), ("highly_known", 1)])
    right = {10: 1.0, 40: 0.95, 80: 0.85}
    study = fixed(
        runs,
        {
            "reliability": lambda run: right[run["unknown"]] + run["per_unknown"] / 20,
            "negative_shift": lambda run: run["seed"] / 100,
            "mmlu acc": lambda run: 0.6 if run["extra"] == "none" else 0.5 - run["unknown"] / 400,
        },
    )
    table = capacity(study, [0.9, 0.99], [0.1, 0.01])
    write_table(table, tmp_path / "capacity.parquet", CAPACITY)
    table = read_table(tmp_path / "capacity.parquet")
    halfway = 40 * math.sqrt(2)
    rows = list(table.drop(columns=["low", "high"]).itertuples(index=False, name=None))
    assert [(row[1:4], row[5]) for row in rows] == [
        (("no extras", 0.9, 0.1), False),
        (("no extras", 0.9, 0.01), False),
        (("no extras", 0.99, 0.1), False),
        (("no extras", 0.99, 0.01), False),
        (("1 HK", 0.9, 0.1), False),
        (("1 HK", 0.9, 0.01), False),
        (("1 HK", 0.99, 0.1), False),
        (("1 HK", 0.99, 0.01), False),
    ]
    found = table.set_index(["recipe", "target", "budget"])["capacity"]
    assert found["no extras", 0.9, 0.1] == pytest.approx(halfway)  # the benchmark rose: no harm
    assert found["no extras", 0.99, 0.1] == pytest.approx(10 * 4**0.2)
    assert found.loc[:, :, 0.01].isna().all()  # the shift, a mean of 0.01, 0.02 and 0.03, is more
    # With 1 HK the benchmark's drop, 0.1 at 40 facts, comes before the reliability.
    assert found["1 HK", 0.9, 0.1] == pytest.approx(40)
    nothing_drawn = table[table["capacity"].notna() & (table["budget"] == 0.1)]
    assert nothing_drawn["low"].to_numpy() == pytest.approx(nothing_drawn["capacity"])
    assert (table.loc[table["capacity"].isna(), "low"] == 0).all()


def test_what_the_largest_level_holds_is_not_measured_beyond():
    runs = run_table(levels=(10, 80), extras=PLAIN)
    study = fixed(runs, {"reliability": lambda run: 0.95, "negative_shift": lambda run: 0.0})
    row = capacity(study, [0.9], [0.1]).iloc[0]
    assert row[["capacity", "low", "high"]].tolist() == [80, 80, 80]
    assert row["beyond"]


@settings(deadline=None, max_examples=60)
@given(CURVES, st.floats(0.05, 0.95), st.floats(0.01, 0.4), st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_lower_target_and_a_larger_budget_never_hold_less(curves, target, budget, less, more):
    right, harm = map(list, zip(*curves, strict=True))
    strict, mild = at(right, harm, target, budget), at(right, harm, target - less, budget + more)
    assert math.isnan(strict) or mild >= strict * (1 - 1e-9)


@settings(deadline=None, max_examples=40)
@given(CURVES, st.floats(0.05, 0.95), st.floats(0.01, 0.4))
def test_both_hold_at_the_capacity_and_nowhere_above(curves, target, budget):
    right, harm = map(list, zip(*curves, strict=True))
    found = at(right, harm, target, budget)
    places = np.linspace(1, len(right), 400)
    levels = np.arange(1, len(right) + 1)
    holds = np.interp(places, levels, right) >= target
    holds &= np.interp(places, levels, harm) <= budget
    above = 10**places > (0 if math.isnan(found) else found * (1 + 1e-6))
    assert not (holds & above).any()
    if not math.isnan(found):
        place = math.log10(found)
        assert np.interp(place, levels, right) >= target - 1e-6
        assert np.interp(place, levels, harm) <= budget + 1e-6


def line(ends: tuple[float, float]):
    """A share that goes from one to the other between 10 and 300 facts, linear in log n."""
    return lambda level: ends[0] + (ends[1] - ends[0]) * math.log(level / 10) / math.log(30)


@pytest.mark.parametrize(
    ("right", "fell", "spread"),
    [
        ((0.98, 0.78), (0.02, 0.05), 0.0),  # reliability decides
        ((0.99, 0.97), (0.02, 0.18), 0.0),  # harm does
        ((0.97, 0.79), (0.02, 0.17), 0.1),  # both do, and seeds differ
    ],
)
def test_the_interval_covers_the_true_capacity_about_as_often_as_it_says(right, fell, spread):
    """Of 200 simulated studies 190 are expected, with a standard error of 3.1."""
    runs = run_table(levels=(10, 30, 100, 300), extras=PLAIN)
    along = min(
        (right[0] - 0.9) / (right[0] - right[1]), (0.1 - fell[0]) / (fell[1] - fell[0]), 1.0
    )
    true = 10 * 30**along
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(200):
        study = drawn(runs, 500, line(right), line(fell), rng, spread=spread, replicates=200)
        row = capacity(study, [0.9], [0.1]).iloc[0]
        covered += row["low"] <= true <= row["high"]
    assert covered >= 180
