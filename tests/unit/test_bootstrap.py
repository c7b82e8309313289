import numpy as np
import pytest

from knowpack.bootstrap import Draws, interval, over_seeds, seed_weights


def test_the_first_row_is_what_was_measured():
    values = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.5, 1.0]])
    of = np.array([[True, False], [True, False], [False, True], [True, False]])
    draws = Draws(4, seed=1, replicates=3)
    assert draws.means(values)[0].tolist() == [0.625, 0.5]
    assert draws.means(np.where(of, values, np.nan))[0].tolist() == [0.5, 1.0]
    assert draws.means(values).shape == (4, 2)


def test_no_replicate_of_one_fact_is_empty_and_none_of_no_fact_has_a_mean():
    of_none = np.array([[0.7, np.nan], [np.nan, np.nan]])
    means = Draws(2, seed=1, replicates=150).means(of_none)
    assert means[:, 0] == pytest.approx(0.7)
    assert np.isnan(means[:, 1]).all()


def test_the_same_units_are_drawn_for_all_that_is_measured():
    values = np.random.default_rng(0).uniform(size=(30, 2))
    draws = Draws(30, seed=5, replicates=120)
    both = draws.means(values)
    assert (draws.means(values[:, [1]]) == both[:, [1]]).all()
    assert draws.means(values + 0.25) - both == pytest.approx(0.25, abs=1e-9)
    assert not (Draws(30, seed=6, replicates=120).means(values) == both)[1:].any()


def test_replicates_spread_as_the_mean_of_drawn_units_does():
    values = np.random.default_rng(0).uniform(size=(200, 1))
    means = Draws(200, seed=1, replicates=2000).means(values)[1:]
    assert means.mean() == pytest.approx(values.mean(), abs=0.002)
    assert means.std() == pytest.approx(values.std() / np.sqrt(201), rel=0.06)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_mean_over_few_seeds_moves_by_its_standard_error(seeds: int):
    values = np.random.default_rng(2).normal(size=seeds)
    weights = seed_weights(seeds, seed=3, replicates=4000)
    means = over_seeds(np.tile(values, (4001, 1)), weights)
    assert means[0] == pytest.approx(values.mean())
    assert weights.sum(axis=1) == pytest.approx(1)
    assert means[1:].var() == pytest.approx(values.var(ddof=1) / seeds, rel=0.08)


@pytest.mark.parametrize(("seeds", "t"), [(2, 12.706), (3, 4.303), (5, 2.776)])
def test_what_rests_on_a_few_seeds_alone_has_students_interval(seeds: int, t: float):
    values = np.random.default_rng(2).normal(size=seeds)
    weights = seed_weights(seeds, seed=3, replicates=20_000, student=True)
    low, high = interval(over_seeds(np.tile(values, (20_001, 1)), weights))
    error = values.std(ddof=1) / np.sqrt(seeds)
    assert (high - low) / 2 == pytest.approx(t * error, rel=0.12)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.2 * t * error)


def test_a_single_seed_always_counts():
    assert (seed_weights(1, seed=3, replicates=5) == 1).all()


def test_an_interval_leaves_out_what_was_measured():
    assert interval(np.array([99.0, *range(1000)])) == (24.0, 974.0)
    assert interval(np.array([99.0, 1.0])) == (1.0, 1.0)
