import pandas as pd
import pytest

from knowpack.answer import answers

GOAL = "at least 90% right answers and at most 10% harm"


def cells(**recipes: list[tuple[int, float, float, bool]]) -> pd.DataFrame:
    """A frontier: of each recipe (level, reliability, harm, pick)."""
    return pd.DataFrame(
        [
            {"model": "m", "unknown": unknown, "recipe": name.replace("_", " "), "seeds": 3}
            | {"reliability": right, "harm": harm, "target": 0.9, "budget": 0.1, "pick": pick}
            | {"reaches": right >= 0.9, "target_otherwise": None, "benchmark": None}
            for name, row in recipes.items()
            for unknown, right, harm, pick in row
        ]
    )


def found(**recipes: tuple[float | None, float, float, bool]) -> pd.DataFrame:
    """A capacity: of each recipe (capacity, low, high, beyond), and of another target."""
    rows = [
        {"model": "m", "recipe": name.replace("_", " "), "target": target, "budget": 0.1}
        | dict(zip(["capacity", "low", "high", "beyond"], row, strict=True))
        for name, row in recipes.items()
        for target in (0.9, 0.5)
    ]
    rows = [
        row | {"capacity": 999.0, "beyond": True} if row["target"] == 0.5 else row for row in rows
    ]
    return pd.DataFrame(rows)


def base(unknown: int, maybe: int, highly: int) -> pd.DataFrame:
    """The categories of a model's facts."""
    names = ["Unknown", "MaybeKnown", "HighlyKnown"]
    return pd.DataFrame({"model": "m", "category": names, "facts": [unknown, maybe, highly]})


def answered(capacity: pd.DataFrame, frontier: pd.DataFrame) -> dict[str, str]:
    """The answer where the model knew enough of the facts."""
    return answers(capacity, frontier, base(100, 10, 20))


CELLS = cells(
    no_extras=[(10, 0.95, 0.15, False), (80, 0.93, 0.19, False)],
    HK=[(10, 0.92, 0.09, True), (80, 0.97, 0.04, True)],
)
NONE = (None, 0.0, 0.0, False)


@pytest.mark.parametrize(
    ("capacity", "said"),
    [
        (
            found(no_extras=NONE, HK=(80.0, 80.0, 80.0, True)),
            f"m takes 80 facts or more with {GOAL} (recipe: HK): with 80 it gives 97% right "
            "answers and has 4.0% harm, and more were not measured.",
        ),
        (
            found(no_extras=NONE, HK=(80.0, 0.0, 80.0, True)),
            f"m takes 80 facts or more with {GOAL} (recipe: HK): with 80 it gives 97% right "
            "answers and has 4.0% harm, and more were not measured. The 95% interval reaches down "
            "to none.",
        ),
        (
            found(no_extras=(33.9, 10.0, 44.0, False), HK=(57.9, 31.2, 80.0, False)),
            f"m takes about 57 facts with {GOAL} (recipe: HK; 95% interval 31 to 80 or more).",
        ),
        (
            found(no_extras=(33.9, 0.0, 44.0, False), HK=NONE),
            f"m takes about 33 facts with {GOAL} (recipe: no extras; 95% interval none to 44).",
        ),
        (
            found(no_extras=(None, 0.0, 44.4, False), HK=(None, 0.0, 80.0, False)),
            f"m takes no measured number of facts (10 to 80) with {GOAL}, whatever the recipe. "
            "Nearest comes HK with 80 facts: 97% right answers and 4.0% harm. The 95% interval "
            "reaches up to 80 or more all the same (HK).",
        ),
        (
            found(no_extras=NONE, HK=NONE),
            f"m takes no measured number of facts (10 to 80) with {GOAL}, whatever the recipe. "
            "Nearest comes HK with 80 facts: 97% right answers and 4.0% harm.",
        ),
    ],
)
def test_the_answer_in_words(capacity, said):
    assert answered(capacity, CELLS) == {"m": said}


def test_a_single_seed_is_said():
    capacity = found(no_extras=NONE, HK=(57.0, 31.0, 70.0, False))
    said = answered(capacity, CELLS.assign(seeds=1))["m"]
    assert said.endswith(" It rests on one seed, so it does not show how trainings differ.")


def test_of_equal_capacities_the_surer_and_then_the_less_harmful_is_taken():
    capacity = found(no_extras=(80.0, 80.0, 80.0, True), HK=(80.0, 31.0, 80.0, True))
    assert "(recipe: no extras)" in answered(capacity, CELLS)["m"]
    capacity = found(no_extras=(80.0, 80.0, 80.0, True), HK=(80.0, 80.0, 80.0, True))
    assert "(recipe: HK)" in answered(capacity, CELLS)["m"]


def test_a_study_of_one_fact():
    one = cells(HK=[(1, 0.5, 0.0, True)])
    said = answered(found(HK=NONE), one)["m"]
    assert said.startswith(f"m takes no measured number of facts (one fact) with {GOAL}")
    assert "Nearest comes HK with one fact: 50% right answers and 0.0% harm." in said


def test_bars_are_not_rounded():
    capacity, frontier = (
        frame.replace({"target": {0.9: 0.975}, "budget": {0.1: 0.07}})
        for frame in (found(no_extras=NONE, HK=(57.0, 31.0, 70.0, False)), CELLS)
    )
    said = answered(capacity, frontier)["m"]
    assert "with at least 97.5% right answers and at most 7% harm" in said


def test_what_is_asked_for_in_other_wordings_is_said():
    said = answered(found(no_extras=NONE, HK=NONE), CELLS.assign(target_otherwise=0.75))["m"]
    assert said.startswith(
        "m takes no measured number of facts (10 to 80) with at least 90% right answers, 75% in "
        "wordings that were not taught, and at most 10% harm, whatever the recipe. "
        "Nearest comes HK with 80 facts"
    )


@pytest.mark.parametrize(
    ("known", "benchmark", "said"),
    [
        ((7, 4), "quiz", "Harm on facts rests on only 11 facts that it knew; benchmarks say more."),
        (
            (0, 1),
            None,
            "Harm on facts rests on only one fact that it knew; no benchmark was asked.",
        ),
        ((0, 0), None, "Harm on facts rests on only 0 facts that it knew; no benchmark was asked."),
    ],
)
def test_few_facts_that_could_fall_are_said(
    known: tuple[int, int], benchmark: str | None, said: str
):
    capacity = found(no_extras=NONE, HK=(57.0, 31.0, 70.0, False))
    cells = CELLS.assign(benchmark=benchmark)
    assert answers(capacity, cells, base(20, *known))["m"].endswith(f"31 to 70). {said}")
