from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowpack.errors import DataError
from knowpack.paraphrases import numbered
from knowpack.selection import ROWS, select_rows
from knowpack.tables import write_table

KINDS = ["unknown"] * 12 + ["highly_known"] * 30 + ["neither"] * 5
FACTS = pd.DataFrame(
    {
        "fact_id": [f"f{number:02}" for number in range(len(KINDS))],
        "subject": [f"S{number}" for number in range(len(KINDS))],
        "relation": "country",
        "question": [f"Where is S{number}?" for number in range(len(KINDS))],
        "answers": [[f"A{number}", "alias"] for number in range(len(KINDS))],
    }
)
POOLS = pd.DataFrame({"fact_id": FACTS.fact_id, "pool": KINDS})
PARAPHRASES = numbered(
    {
        f"f{number:02}": [
            f"Find S{number}.",
            f"S{number} is where?",
            f"In which land is S{number}?",
        ]
        for number in range(len(KINDS))
    }
)
EXTRAS = pd.DataFrame(
    {
        "fact_id": [f"x{number:02}" for number in range(20)],
        "question": [f"Which is X{number}?" for number in range(20)],
        "answers": [[f"B{number}", "alias"] for number in range(20)],
    }
)
NUMBER = {fact_id: number for number, fact_id in enumerate(FACTS.fact_id)}


def rows(facts: pd.DataFrame = FACTS, pools: pd.DataFrame = POOLS, **settings: Any) -> pd.DataFrame:
    plain = {"unknown": 4, "extra": "none", "per_unknown": 0, "seed": 1, "facts_seed": 42}
    return select_rows(facts, pools, PARAPHRASES, **{**plain, **settings})


def of(table: pd.DataFrame, role: str) -> list[str]:
    return table.fact_id[table.role == role].tolist()


def test_the_unknown_facts_alone():
    table = rows()
    assert table.columns.tolist() == ROWS.names
    assert table.position.tolist() == [0, 1, 2, 3]
    assert table.role.tolist() == ["unknown"] * 4
    for row in table.itertuples():
        number = NUMBER[row.fact_id]
        assert KINDS[number] == "unknown"
        assert (row.question, row.answer) == (f"Where is S{number}?", f"A{number}")


@pytest.mark.parametrize("extra", ["none", "highly_known", "paraphrase"])
def test_levels_are_nested_whatever_is_mixed_in(extra):
    levels = [
        of(rows(unknown=level, extra=extra, per_unknown=2), "unknown") for level in (1, 4, 9, 12)
    ]
    for small, large in zip(levels, levels[1:], strict=False):
        assert large[: len(small)] == small
    assert sorted(levels[-1]) == [f"f{number:02}" for number in range(12)]


def test_extras_are_highly_known_and_drawn_without_replacement():
    table = rows(unknown=3, extra="highly_known", per_unknown=10)
    extras = of(table, "highly_known")
    assert len(table) == 33
    assert sorted(extras) == [f"f{number:02}" for number in range(12, 42)]
    assert table.position.tolist() == list(range(33))
    assert table.role.tolist() == ["unknown"] * 3 + ["highly_known"] * 30


def from_both(extras: pd.DataFrame = EXTRAS, **settings: Any) -> pd.DataFrame:
    plain = {"extra": "highly_known", "seed": 1, "facts_seed": 42}
    return select_rows(FACTS, POOLS, None, extras, **{**plain, **settings})


def test_where_the_own_facts_are_enough_a_pool_changes_nothing():
    for unknown, per_unknown in [(1, 1), (3, 10), (12, 2)]:
        plain = rows(unknown=unknown, extra="highly_known", per_unknown=per_unknown)
        pooled = from_both(unknown=unknown, per_unknown=per_unknown)
        pd.testing.assert_frame_equal(pooled, plain)


def test_extras_come_from_the_pool_after_all_of_the_own():
    table = from_both(unknown=4, per_unknown=10)
    assert table.position.tolist() == list(range(44))
    drawn = table[table.role == "highly_known"]
    assert drawn.fact_id[:30].tolist() == of(
        rows(unknown=3, extra="highly_known", per_unknown=10), "highly_known"
    )
    others = drawn[30:]
    assert others.fact_id.is_unique
    for row in others.itertuples():
        number = int(row.fact_id.removeprefix("x"))
        assert (row.question, row.answer) == (f"Which is X{number}?", f"B{number}")
    assert of(from_both(unknown=5, per_unknown=10), "highly_known")[:40] == drawn.fact_id.tolist()
    again = from_both(EXTRAS[::-1], unknown=4, per_unknown=10)
    pd.testing.assert_frame_equal(again, table)
    assert set(of(from_both(unknown=4, per_unknown=10, seed=2), "highly_known")[30:]) != set(
        others.fact_id
    )


def test_own_facts_and_pool_together_may_be_too_few():
    with pytest.raises(DataError) as caught:
        from_both(unknown=6, per_unknown=10)
    assert str(caught.value) == (
        "60 HighlyKnown facts are needed, but there are 50 (30 of facts, 20 of extra_facts); "
        "lower grid.unknown or grid.per_unknown, or raise facts.size or extra_facts.size"
    )


def test_fewer_extras_are_the_first_of_more():
    few, many = (rows(extra="highly_known", per_unknown=count) for count in (1, 3))
    assert of(many, "highly_known")[:4] == of(few, "highly_known")


def test_a_runs_seed_draws_the_extras_and_nothing_else():
    one, two = (rows(extra="highly_known", per_unknown=2, seed=seed) for seed in (1, 2))
    assert of(one, "unknown") == of(two, "unknown")
    assert set(of(one, "highly_known")) != set(of(two, "highly_known"))
    for extra in ("none", "paraphrase"):
        one, two = (rows(extra=extra, per_unknown=2, seed=seed) for seed in (1, 2))
        pd.testing.assert_frame_equal(one, two)


def test_the_facts_seed_orders_the_unknown_facts_and_nothing_else():
    one, two = (rows(extra="highly_known", per_unknown=2, facts_seed=seed) for seed in (1, 2))
    assert of(one, "unknown") != of(two, "unknown")
    assert of(one, "highly_known") == of(two, "highly_known")


def test_paraphrases_are_each_facts_first():
    table = rows(unknown=2, extra="paraphrase", per_unknown=3)
    first, second = of(table, "unknown")
    assert of(table, "paraphrase") == [first] * 3 + [second] * 3
    subject, answer = f"S{NUMBER[first]}", f"A{NUMBER[first]}"
    assert table.question[2:5].tolist() == [
        f"Find {subject}.",
        f"{subject} is where?",
        f"In which land is {subject}?",
    ]
    assert table.answer[2:5].tolist() == [answer] * 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"unknown": 13},
            "13 Unknown facts are needed, but there are 12; lower grid.unknown or raise facts.size",
        ),
        (
            {"unknown": 4, "extra": "highly_known", "per_unknown": 10},
            "40 HighlyKnown facts are needed, but there are 30; "
            "lower grid.unknown or grid.per_unknown, or raise facts.size, or add extra_facts",
        ),
    ],
)
def test_too_few_are_an_error_with_both_numbers(settings, message):
    with pytest.raises(DataError) as caught:
        rows(**settings)
    assert str(caught.value) == message


@pytest.mark.parametrize(("paraphrases", "needed", "there"), [(PARAPHRASES, 4, 3), (None, 1, 0)])
def test_too_few_paraphrases_are_an_error_with_both_numbers(paraphrases, needed, there):
    settings = {"unknown": 4, "seed": 1, "facts_seed": 42}
    alone = select_rows(FACTS, POOLS, paraphrases, extra="none", per_unknown=0, **settings)
    with pytest.raises(DataError) as caught:
        select_rows(FACTS, POOLS, paraphrases, extra="paraphrase", per_unknown=needed, **settings)
    assert str(caught.value) == (
        f"{needed} paraphrases of '{alone.question[0]}' are needed, but there are {there}; "
        "lower grid.per_unknown, add templates, or let a model write them (paraphrases.source)"
    )


def test_rows_are_a_table(tmp_path):
    write_table(rows(extra="highly_known", per_unknown=2), tmp_path / "rows.parquet", ROWS)


@given(st.permutations(range(len(KINDS))), st.sampled_from(["none", "highly_known", "paraphrase"]))
def test_the_order_of_the_facts_does_not_matter(order, extra):
    backwards = PARAPHRASES.iloc[::-1]
    settings = {"unknown": 4, "extra": extra, "per_unknown": 3, "seed": 1, "facts_seed": 42}
    again = select_rows(FACTS, POOLS, backwards, **settings)
    pd.testing.assert_frame_equal(again, rows(extra=extra, per_unknown=3))
    shuffled = rows(FACTS.iloc[order], POOLS.iloc[order], extra=extra, per_unknown=3)
    pd.testing.assert_frame_equal(shuffled, rows(extra=extra, per_unknown=3))


def test_one_more_fact_leaves_the_order_of_the_others():
    fewer = [fact for fact in of(rows(unknown=12), "unknown") if fact != "f03"]
    pools = POOLS[POOLS.fact_id != "f03"]
    assert of(rows(pools=pools, unknown=11), "unknown") == fewer
