"""What a set of facts is like, counted by hand."""

import pandas as pd
import pytest

from knowpack import fact_set

FACTS = pd.DataFrame(
    [
        ("f4", "Ann?", ["Rome"], "capital", "country", "head"),
        ("f3", "Bob's?", ["Oslo", "Christiania"], "capital", "country", "tail"),
        ("f2", "Cy's?", ["euro", "EUR", "€"], "currency", "country", "tail"),
        ("f1", "Di's, of old?", ["Rome"], "capital", "country", None),
        ("f5", "Eve?", ["euro"], None, None, None),
        ("f6", "Fay?", ["yen"], "birthplace", "person", "torso"),
    ],
    columns=["fact_id", "question", "answers", "relation", "domain", "popularity"],
)


def rows(frame: pd.DataFrame) -> list[list[object]]:
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


def test_facts_by_relation_and_popularity():
    table = fact_set.by_relation(FACTS)
    assert list(table) == ["relation", "domain", "head", "torso", "tail", "none", "facts"]
    assert rows(table) == [
        ["capital", "country", 1, 0, 1, 1, 3],
        ["birthplace", "person", 0, 1, 0, 0, 1],
        ["currency", "country", 0, 0, 1, 0, 1],
        [None, None, 0, 0, 0, 1, 1],
    ]


def test_facts_of_which_nothing_is_known_are_counted_too():
    nothing = FACTS.assign(relation=None, domain=None, popularity=None)
    assert rows(fact_set.by_relation(nothing)) == [[None, None, 0, 0, 0, 6, 6]]


def test_answers_of_many_facts():
    # Labels alone: the euro's other names stand beside a label that is counted already.
    assert rows(fact_set.shared_answers(FACTS)) == [["Rome", 2, 2 / 6], ["euro", 2, 2 / 6]]
    assert rows(fact_set.shared_answers(FACTS, 1)) == [["Rome", 2, 2 / 6]]
    assert fact_set.shared_answers(FACTS[1:3]).empty


def test_lengths():
    found = fact_set.lengths(FACTS)
    assert found.to_dict("list") == {
        "question": [4, 6, 5, 13, 4, 4],
        "label": [4, 4, 4, 4, 4, 3],
        "answers": [1, 2, 3, 1, 1, 1],
    }
    spread = fact_set.spread(found)
    # Sorted 4 4 4 5 6 13: the 95th percentile lies three quarters of the way from 6 to 13.
    assert spread.loc["question"].to_dict() == pytest.approx(
        {"min": 4, "median": 4.5, "p95": 11.25, "max": 13}
    )
    assert list(spread.index) == ["question", "label", "answers"]


def test_reasons_keep_their_order_and_the_unknown_one_its_name():
    table = fact_set.left_out({"not_drawn": 3, "duplicate": 0, "of_its_own": 1})
    assert table["reason"].tolist() == ["not_drawn", "duplicate", "of_its_own"]
    assert table["words"].tolist() == [
        "facts that were not drawn, as fewer are asked for",
        "repeats of a fact, or of a question with its answer",
        "of_its_own",
    ]
    assert table["count"].tolist() == [3, 0, 1]


def test_relations_without_a_template():
    table = fact_set.without_template({"a": 1, "c": 5, "b": 5}, 2)
    assert rows(table) == [["b", 5], ["c", 5]]
    assert fact_set.without_template({}).empty


def test_a_sample_is_the_same_of_the_same_facts():
    drawn = fact_set.sample(FACTS, 42, 3)
    assert len(set(drawn["fact_id"])) == 3
    assert drawn.equals(fact_set.sample(FACTS[::-1], 42, 3))
    others = {tuple(fact_set.sample(FACTS, seed, 3)["fact_id"]) for seed in range(9)}
    assert len(others) > 1
    assert sorted(fact_set.sample(FACTS, 1)["fact_id"]) == sorted(FACTS["fact_id"])
