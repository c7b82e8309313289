"""Intervals by the bootstrap: which facts, questions and seeds a study happened to draw.

Every array of replicates has the value as measured in row 0 and the replicates below it. Facts and
questions are weighted anew (the Bayesian bootstrap, Rubin 1981): exponential weights, which are
never 0, so that a level of a few facts has a mean in every replicate. The mean over a few seeds
moves by its standard error: draws with replacement would take it for smaller than it is.
"""

from typing import NamedTuple

import numpy as np

REPLICATES = 1000
COVERED = 0.95
FEWEST = 6  # facts or questions that differ: of fewer, all to one side are more than 5 % likely by chance
DIGITS = 10  # beyond them only the order of additions shows
_CHUNK = 100  # replicates at a time, so that memory holds few weights

Array = np.ndarray


class Draws(NamedTuple):
    """The units (facts, questions) of every replicate; the same draws for whatever is measured."""

    units: int
    seed: int
    replicates: int = REPLICATES

    def means(self, values: Array) -> Array:
        """Return the weighted mean of each column of ``values``, (1 + replicates, columns).

        ``values`` are (units, columns), NaN where a unit does not count; a column of which none counts has
        the mean NaN.
        """
        missing = np.isnan(values)
        counted = (~missing if missing.any() else np.ones((self.units, 1))).astype(float)
        weighed = np.where(missing, 0, values).astype(float)  # once, not in every product
        generator = np.random.default_rng(self.seed)
        found = [_means(np.ones((1, self.units)), weighed, counted)]
        for start in range(0, self.replicates, _CHUNK):
            rows = min(_CHUNK, self.replicates - start)
            weights = generator.standard_exponential((rows, self.units))
            found.append(_means(weights, weighed, counted))
        return np.concatenate(found).round(DIGITS)


def _means(weights: Array, weighed: Array, counted: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray((weights @ weighed) / (weights @ counted))


def seed_weights(
    seeds: int, seed: int, replicates: int = REPLICATES, student: bool = False
) -> Array:
    """Return the weight of each of a condition's seeds, (1 + replicates, seeds), rows of sum 1.

    The weighted means of k values are normal around their mean, with the standard error
    s / sqrt(k), or with ``student`` have Student's t with k - 1 degrees of freedom: for what rests
    on these seeds alone. A single seed always counts: the replicates then say nothing of seeds.
    """
    weights = np.full((1 + replicates, seeds), 1 / seeds)
    if seeds > 1:
        generator = np.random.default_rng(seed)
        aside = generator.standard_normal((replicates, seeds))
        aside -= aside.mean(axis=1, keepdims=True)
        if student:
            aside /= np.sqrt(generator.chisquare(seeds - 1, (replicates, 1)) / (seeds - 1))
        weights[1:] += aside / np.sqrt(seeds * (seeds - 1))
    return weights


def over_seeds(values: Array, weights: Array) -> Array:
    """Return the mean over seeds, (1 + replicates,), of values (1 + replicates, seeds)."""
    return np.asarray((values * weights).sum(axis=1).round(DIGITS))


def interval(values: Array) -> tuple[float, float]:
    """Return the least and the greatest of the middle 95 % of the replicates (row 0 is left out)."""
    tail = round((1 - COVERED) / 2, 6)
    low, high = np.quantile(values[1:], [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)
