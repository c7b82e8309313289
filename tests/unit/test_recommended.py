"""Which adapter is taken home where none is named."""

from typing import Any

import pandas as pd
import pytest
from answer_study import run_table

from knowpack.conditions import recipes
from knowpack.errors import ConfigError, DataError
from knowpack.recommended import recommended

RUNS = run_table(levels=(10, 40), seeds=(1, 2))
NAMED = RUNS.assign(recipe=recipes(RUNS).astype(str))
SHIFTS = RUNS[["model", "run"]].assign(negative_shift=[n / 100 for n in range(len(RUNS))])


def frontier(*meeting: tuple[int, str]) -> pd.DataFrame:
    cells = NAMED[["model", "unknown", "recipe"]].drop_duplicates()
    able = [cell in meeting for cell in zip(cells["unknown"], cells["recipe"], strict=True)]
    pick = cells["recipe"] == "1 HK"
    return cells.assign(meets=able, pick=pick, harm=cells["unknown"] / 100, target=0.9, budget=0.1)


def right(**runs: float) -> pd.DataFrame:
    """Reliability of some seeds of the recipe; of all else it is 0.5."""
    known = NAMED["seed"].map(lambda seed: runs.get(f"s{seed}", 0.5))
    table = RUNS[["model", "run"]].assign(epoch=10, reliability=known)
    return pd.concat([table.assign(epoch=1, reliability=1.0), table], ignore_index=True)


def run_of(unknown: int, seed: int) -> str:
    rows = NAMED.query("unknown == @unknown and seed == @seed and recipe == '1 HK'")
    return rows["run"].item()


@pytest.mark.parametrize(
    ("meeting", "reliability", "unknown", "seed"),
    [
        ([(10, "1 HK"), (40, "1 HK")], {"s1": 0.9, "s2": 0.95}, 40, 2),  # the more reliable seed
        ([(10, "1 HK"), (40, "1 HK")], {"s1": 0.9, "s2": 0.9}, 40, 1),  # the less harmful one
        ([(10, "1 HK"), (40, "no extras")], {}, 10, 1),  # at 40 the pick does not meet them
    ],
)
def test_the_pick_of_the_largest_level_that_meets_the_bars(
    meeting: list[tuple[int, str]], reliability: dict[str, float], unknown: int, seed: int
):
    found = recommended(frontier(*meeting), RUNS, right(**reliability), SHIFTS)
    assert found == ("m", run_of(unknown, seed))


def test_where_none_meets_them_the_least_harmful_is_named():
    with pytest.raises(DataError) as caught:
        recommended(frontier(), RUNS, right(), SHIFTS)
    assert str(caught.value) == (
        "no recipe has reliability 0.9 with harm 0.1 at any level; name a run to export all the same, "
        f"RUN={run_of(10, 1)} for example, which harms least (0.100), or change the section 'capacity' "
        "(docs/capacity.md)"
    )


def test_of_several_models_one_is_named():
    both: list[Any] = [
        pd.concat([table, table.assign(model="n")], ignore_index=True)
        for table in (frontier((40, "1 HK")), RUNS, right(), SHIFTS)
    ]
    with pytest.raises(ConfigError, match="export.model: say which model's, one of m, n$"):
        recommended(*both)
    assert recommended(*both, "n") == ("n", run_of(40, 1))
