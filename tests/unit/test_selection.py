from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowpack.errors import DataError
from knowpack.extras import MORE
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
        f"lower grid.unknown or grid.per_unknown, {MORE} or more extra_facts"
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
            f"13 Unknown facts are needed, but there are 12; take 12 in grid.unknown, or {MORE}",
        ),
        (
            {"unknown": 4, "extra": "highly_known", "per_unknown": 10},
            "40 HighlyKnown facts are needed, but there are 30; "
            f"lower grid.unknown or grid.per_unknown, {MORE}, or add extra_facts",
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


# --- extras of the same domain

# Of 12 Unknown facts 6 are of rivers, 4 of lakes, and 2 have no domain; of HighlyKnown ones 3, 20, and 7.
DOMAINS = ["river"] * 6 + ["lake"] * 4 + [None] * 2
DOMAINS += ["river"] * 3 + ["lake"] * 20 + [None] * 7 + ["river"] * 5
PLACES = FACTS.assign(domain=DOMAINS)
DOMAIN = dict(zip(PLACES.fact_id, PLACES.domain, strict=True))


@pytest.mark.parametrize(("unknown", "per_unknown"), [(12, 1), (12, 2), (4, 3), (1, 1)])
def test_extras_of_the_same_domain_go_with_their_facts(unknown, per_unknown):
    table = rows(PLACES, unknown=unknown, extra="same_domain", per_unknown=per_unknown)
    near, others = of(table, "same_domain"), of(table, "highly_known")
    assert len(near) + len(others) == unknown * per_unknown
    assert len({*near, *others}) == len(near) + len(others)
    assert all(KINDS[NUMBER[fact]] == "highly_known" for fact in near + others)
    taught = [DOMAIN[fact] for fact in of(table, "unknown")]
    for domain, there in [("river", 3), ("lake", 20)]:
        due = min(there, per_unknown * taught.count(domain))
        assert [DOMAIN[fact] for fact in near].count(domain) == due
    assert None not in [DOMAIN[fact] for fact in near]


def test_extras_of_the_same_domain_are_the_first_of_the_usual_order():
    order = of(rows(extra="highly_known", unknown=3, per_unknown=10), "highly_known")
    table = rows(PLACES, unknown=12, extra="same_domain", per_unknown=2)
    for domain in ("river", "lake"):
        near = [fact for fact in of(table, "same_domain") if DOMAIN[fact] == domain]
        assert near == [fact for fact in order if DOMAIN[fact] == domain][: len(near)]
    left = [fact for fact in order if fact not in of(table, "same_domain")]
    others = of(table, "highly_known")
    assert others == left[: len(others)]


def test_each_fact_has_one_of_its_domain_before_any_has_two():
    few, many = (
        of(rows(PLACES, extra="same_domain", per_unknown=count), "same_domain") for count in (1, 2)
    )
    assert many[: len(few)] == few


def test_the_pool_has_domains_too():
    pool = EXTRAS.assign(domain="river")
    settings = {"extra": "same_domain", "unknown": 12, "per_unknown": 1, "seed": 1}
    table = select_rows(PLACES, POOLS, None, pool, **settings, facts_seed=42)
    rivers = [fact for fact in of(table, "same_domain") if DOMAIN.get(fact, "river") == "river"]
    assert [fact[0] for fact in rivers] == ["f"] * 3 + ["x"] * 3


# --- the model's own answers

REFUSALS = [r"\bdon't know\b"]


def said(**texts: str) -> pd.DataFrame:
    """Responses of the model itself to two prompts, greedy and sampled."""
    return pd.DataFrame(
        [
            (
                fact,
                prompt,
                sample,
                texts.get(fact, f" said {fact}\n") if not prompt + sample else "x",
            )
            for fact in FACTS.fact_id
            for prompt in (0, 1)
            for sample in (0, 1)
        ],
        columns=["fact_id", "prompt", "sample", "text"],
    )


def replayed(responses: pd.DataFrame, **settings: Any) -> pd.DataFrame:
    plain = {"unknown": 4, "extra": "replay", "per_unknown": 3, "seed": 1, "facts_seed": 42}
    settings = {**plain, "refusals": REFUSALS, **settings}
    return select_rows(FACTS, POOLS, None, None, responses, **settings)


def test_replay_is_the_models_own_answer_to_facts_that_are_not_taught():
    table = replayed(said(), per_unknown=10)
    own = table[table.role == "replay"]
    assert len(own) == 40
    assert own.fact_id.is_unique
    assert not set(own.fact_id) & set(of(table, "unknown"))
    assert {KINDS[NUMBER[fact]] for fact in own.fact_id} == {"unknown", "highly_known", "neither"}
    assert own.question.tolist() == [f"Where is S{NUMBER[fact]}?" for fact in own.fact_id]
    assert own.answer.tolist() == [f"said {fact}" for fact in own.fact_id]
    assert of(replayed(said()), "replay") == own.fact_id.tolist()[:12]
    assert of(replayed(said(), seed=2), "replay") != own.fact_id.tolist()[:12]


def test_empty_answers_and_refusals_are_not_replayed():
    texts = {"f20": "  \n", "f21": "I DON'T KNOW that.", "f22": "Answer: Lima", "f23": "Answer:"}
    with pytest.raises(DataError) as caught:
        replayed(said(**texts), per_unknown=11)
    assert str(caught.value) == (
        "44 answers of the model's own are needed, but there are 40; "
        f"lower grid.unknown or grid.per_unknown, or {MORE}"
    )
    table = replayed(said(**texts), per_unknown=10).set_index("fact_id")
    assert not {"f20", "f21", "f23"} & set(table.index)
    assert table.answer["f22"] == "Lima"


# --- held out


def held(extras: pd.DataFrame | None = None, **settings: Any) -> pd.DataFrame:
    plain = {"unknown": 4, "extra": "none", "per_unknown": 0, "seed": 1, "facts_seed": 42}
    return select_rows(FACTS, POOLS, PARAPHRASES, extras, said(), **{**plain, **settings})


@pytest.mark.parametrize("extra", ["none", "highly_known", "paraphrase", "replay"])
def test_held_out_facts_are_highly_known_and_no_extras(extra):
    settings = {"extra": extra, "per_unknown": 3}
    without, table = held(**settings), held(**settings, held_out=5)
    pd.testing.assert_frame_equal(table[: len(without)], without)
    assert table.role[len(without) :].tolist() == ["held_out"] * 5
    out = of(table, "held_out")
    assert all(KINDS[NUMBER[fact]] == "highly_known" for fact in out)
    assert len(set(out) - set(without.fact_id)) == 5
    assert table.answer[len(without) :].tolist() == [f"A{NUMBER[fact]}" for fact in out]


def test_as_many_are_held_out_as_there_are():
    table = held(extra="highly_known", per_unknown=7, held_out=50)
    assert len(of(table, "held_out")) == 2
    assert held(held_out=3, seed=2).fact_id.tolist() != held(held_out=3).fact_id.tolist()
    with pytest.raises(DataError) as caught:
        held(extra="highly_known", unknown=3, per_unknown=10, held_out=50)
    assert str(caught.value) == (
        "no HighlyKnown fact is left to be held out, as training.patience needs it; "
        f"lower grid.unknown or grid.per_unknown, {MORE}, or add extra_facts"
    )


def test_held_out_facts_come_from_elsewhere_first():
    out = of(held(EXTRAS, extra="highly_known", per_unknown=7, held_out=50), "held_out")
    assert [fact[0] for fact in out] == ["x"] * 20 + ["f"] * 2
