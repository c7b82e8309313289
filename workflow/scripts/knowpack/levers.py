"""Levers: what one recipe changes against another, as paired differences with intervals."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from knowpack.bootstrap import DIGITS, FEWEST, Array, interval, over_seeds, seed_weights
from knowpack.conditions import differences, has_settings
from knowpack.measures import Measure, Measured
from knowpack.seeds import sub_seed

LEVERS = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("unknown", pa.int64(), nullable=False),
        pa.field("recipe", pa.string(), nullable=False),
        pa.field("against", pa.string(), nullable=False),
        pa.field("lever", pa.string(), nullable=False),
        pa.field("measure", pa.string(), nullable=False),
        pa.field("difference", pa.float64(), nullable=False),
        pa.field("low", pa.float64()),  # null: too few facts or questions differ to tell
        pa.field("high", pa.float64()),
        pa.field("units", pa.int64(), nullable=False),
        pa.field("seeds", pa.int64(), nullable=False),  # that both have; 0: not paired over seeds
        pa.field(
            "helps", pa.bool_()
        ),  # null: the interval holds 0, or a single seed stands behind it
    ]
)


def levers(measured: Measured, defaults: Mapping[str, Any]) -> pd.DataFrame:
    """Return `LEVERS` of a model: the recipes of a level that are set against each other.

    Each recipe is set against the plain one: no extras and the settings ``defaults`` of the study,
    or the level's first recipe where that was not trained. Beside, a recipe is set against the one of
    the same extras that has those settings, and recipes against each other that differ in their extras
    only, or in one setting only, the later against the earlier.
    """
    counted = [measure for measure in measured.measures if measure.units.all()]
    rows = [
        {
            "model": measured.model,
            "unknown": unknown,
            "recipe": recipe["recipe"],
            "against": against["recipe"],
            "lever": ", ".join(differences(recipe, against)),
        }
        | _compared(measured, measure, unknown, recipe["recipe"], against["recipe"])
        for unknown in sorted(set(measured.runs["unknown"]))
        for recipe, against in _pairs(measured, unknown, defaults)
        for measure in counted
    ]
    return pd.DataFrame(rows, columns=LEVERS.names)


def _pairs(
    measured: Measured, unknown: int, defaults: Mapping[str, Any]
) -> Iterator[tuple[dict[Any, Any], dict[Any, Any]]]:
    """Each pair of recipes of a level as rows of the run table: the recipe, and what it is against."""
    runs = measured.runs[measured.runs["unknown"] == unknown].sort_values(["recipe", "seed"])
    recipes = runs.drop_duplicates("recipe").to_dict("records")
    plain = next(
        (row for row in recipes if row["extra"] == "none" and has_settings(row, defaults)),
        recipes[0],
    )
    others = [recipe for recipe in recipes if recipe is not plain]
    for recipe in others:
        yield recipe, plain
    for pair in combinations(others, 2):
        of_study = [row for row in pair if has_settings(row, defaults)]
        if len(of_study) == 1 and len({(row["extra"], row["per_unknown"]) for row in pair}) == 1:
            yield next(row for row in pair if row is not of_study[0]), of_study[0]
        elif len(differences(*pair)) == 1:
            yield pair[1], pair[0]


def _compared(
    measured: Measured, measure: Measure, unknown: int, recipe: str, against: str
) -> dict[str, Any]:
    cells = [measured.cell(unknown, name) for name in (recipe, against)]
    paired = _paired(measured, *cells)
    seeds = len(paired[0])
    ours, theirs = paired if seeds else cells
    units = min(measure.fewest(cell) for cell in cells)
    values = _difference(measured, measure, ours, theirs, bool(seeds))
    low, high = interval(values) if _differing(measure, ours, theirs) >= FEWEST else (None, None)
    helps = None
    several = seeds > 1 or (not seeds and min(map(len, cells)) > 1)
    if several and low is not None and high is not None and not low <= 0 <= high:
        helps = (low > 0) == (measure.sign > 0)
    return {
        "measure": measure.name,
        "difference": float(values[0]),
        "low": low,
        "high": high,
        "units": units,
        "seeds": seeds,
        "helps": helps,
    }


def _paired(measured: Measured, ours: list[int], theirs: list[int]) -> tuple[list[int], list[int]]:
    """The columns of the seeds that both have."""
    seeds = measured.runs["seed"].to_numpy()
    both = [(one, other) for one in ours for other in theirs if seeds[one] == seeds[other]]
    return [one for one, _ in both], [other for _, other in both]


def _differing(measure: Measure, ours: list[int], theirs: list[int]) -> int:
    """How many facts or questions have another mean over seeds in one recipe than in the other."""
    means = [
        np.nan_to_num(measure.each[:, columns].astype(float)).mean(axis=1)
        for columns in (ours, theirs)
    ]
    return int(np.count_nonzero((means[0] - means[1]).round(DIGITS)))


def _difference(
    measured: Measured, measure: Measure, ours: list[int], theirs: list[int], paired: bool
) -> Array:
    """The difference of the means over seeds, (1 + replicates,)."""
    if not paired:
        means = [measured.mean(measure, columns, student=True) for columns in (ours, theirs)]
        return (means[0] - means[1]).round(DIGITS)
    name = f"{measured.model} {measured.runs['seed'].to_numpy()[ours].tolist()} seeds"
    weights = seed_weights(len(ours), sub_seed(0, name), len(measure.values) - 1, student=True)
    return over_seeds(measure.values[:, ours] - measure.values[:, theirs], weights)
