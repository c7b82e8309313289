"""Which adapter is taken home where none is named: the answer's."""

from typing import Any

import pandas as pd
import pytest
from answer_study import fixed, run_table

from knowpack.answer import answers
from knowpack.capacity import capacity
from knowpack.conditions import recipes
from knowpack.errors import ConfigError, DataError
from knowpack.frontier import frontier
from knowpack.recommended import recommended

RUNS = run_table(levels=(10, 20), seeds=(1, 2))
NAMED = RUNS.assign(recipe=recipes(RUNS).astype(str))
SHIFTS = RUNS[["model", "run"]].assign(negative_shift=[n / 100 for n in range(len(RUNS))])
Curve = tuple[tuple[float, float], tuple[float, float]]  # reliability and harm, at 10 and at 20


def tables(plain: Curve, known: Curve) -> list[pd.DataFrame]:
    """Capacity and frontier of a study with these curves of 'no extras' and '1 HK'."""

    def curve(place: int) -> Any:
        def at(run: pd.Series) -> float:
            ends = (plain if run["extra"] == "none" else known)[place]
            return ends[run["unknown"] == 20]

        return at

    study = fixed(RUNS, {"reliability": curve(0), "negative_shift": curve(1)})
    return [capacity(study, [0.9, 0.5], [0.1]), frontier(study, 0.9, 0.1)]


def said(made: list[pd.DataFrame]) -> str:
    known = pd.DataFrame({"model": ["m"], "category": ["HighlyKnown"], "facts": [99]})
    return answers(*made, known)["m"]


def right(**runs: float) -> pd.DataFrame:
    """Reliability of some seeds of the recipe; of all else it is 0.5."""
    known = NAMED["seed"].map(lambda seed: runs.get(f"s{seed}", 0.5))
    table = RUNS[["model", "run"]].assign(epoch=10, reliability=known)
    return pd.concat([table.assign(epoch=1, reliability=1.0), table], ignore_index=True)


def run_of(unknown: int, recipe: str, seed: int = 1) -> str:
    rows = NAMED[(NAMED["unknown"] == unknown) & (NAMED["recipe"] == recipe)]
    return str(rows.loc[rows["seed"] == seed, "run"].item())


FAILS: Curve = ((0.5, 0.5), (0.3, 0.3))
GOOD: Curve = ((0.95, 0.95), (0.05, 0.05))
BETTER: Curve = ((0.95, 0.95), (0.05, 0.12))  # at 10 facts; at 20 its harm is too much
BETWEEN: Curve = ((0.85, 0.95), (0.05, 0.12))  # good enough between the levels, at neither


@pytest.mark.parametrize(
    ("plain", "known", "recipe", "unknown"),
    [
        (FAILS, GOOD, "1 HK", 20),
        (FAILS, BETTER, "1 HK", 10),
        # '1 HK' harms less at 10 facts, but carries fewer.
        (((0.95, 0.95), (0.09, 0.10)), ((0.95, 0.85), (0.05, 0.05)), "no extras", 20),
        (((0.95, 0.95), (0.09, 0.11)), ((0.95, 0.80), (0.05, 0.05)), "no extras", 10),
    ],
)
def test_the_adapter_is_of_the_recipe_that_the_answer_names(
    plain: Curve, known: Curve, recipe: str, unknown: int
):
    made = tables(plain, known)
    assert f"(recipe: {recipe}" in said(made)
    assert recommended(*made, RUNS, right(), SHIFTS) == ("m", run_of(unknown, recipe))


@pytest.mark.parametrize(("second", "seed"), [(0.95, 2), (0.9, 1)])
def test_of_its_seeds_the_more_reliable_and_then_the_less_harmful_is_taken(
    second: float, seed: int
):
    found = recommended(*tables(FAILS, GOOD), RUNS, right(s1=0.9, s2=second), SHIFTS)
    assert found == ("m", run_of(20, "1 HK", seed))


@pytest.mark.parametrize(
    ("plain", "near"),
    [
        (FAILS, f"RUN={run_of(10, '1 HK')} for example: 1 HK, reliability 0.850, harm 0.050"),
        (
            ((0.95, 0.95), (0.05, 0.2)),  # carries fewer, yet was trained where it does
            f"RUN={run_of(10, 'no extras')} for example: no extras, reliability 0.950, harm 0.050",
        ),
    ],
)
def test_where_it_was_not_trained_near_its_capacity_a_level_is_asked_for(plain: Curve, near: str):
    made = tables(plain, BETWEEN)
    assert said(made).startswith("m takes about 16 facts")
    with pytest.raises(DataError) as caught:
        recommended(*made, RUNS, right(), SHIFTS)
    assert str(caught.value) == (
        "1 HK has reliability 0.9 with harm 0.1 at about 16 facts, between levels that were trained; "
        "add a level near 16 to grid.unknown (docs/capacity.md), or name a run to export all the same, "
        + near
    )


def test_where_no_recipe_will_do_the_least_harmful_is_named():
    made = tables(FAILS, ((0.5, 0.5), (0.2, 0.3)))
    assert "takes no measured number of facts" in said(made)
    with pytest.raises(DataError) as caught:
        recommended(*made, RUNS, right(), SHIFTS)
    assert str(caught.value) == (
        "no recipe has reliability 0.9 with harm 0.1 at any number of facts; change the section 'capacity' "
        f"(docs/capacity.md), or name a run to export all the same, RUN={run_of(10, '1 HK')} for example: "
        "1 HK, reliability 0.500, harm 0.200"
    )


def test_of_several_models_one_is_named():
    both: list[Any] = [
        pd.concat([table, table.assign(model="n")], ignore_index=True)
        for table in (*tables(FAILS, GOOD), RUNS, right(), SHIFTS)
    ]
    with pytest.raises(ConfigError, match="export.model: say which model's, one of m, n$"):
        recommended(*both)
    assert recommended(*both, "n") == ("n", run_of(20, "1 HK"))
