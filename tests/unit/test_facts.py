import hashlib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowpack.errors import DataError
from knowpack.facts import FACTS, build_facts, clean_facts, leave_out
from knowpack.tables import read_table, write_table
from knowpack.tabular import read_table_source
from knowpack.templates import Relation

TREX = Path(__file__).parents[3] / "shared" / "data" / "trex_facts.parquet"
RELATIONS = {
    "capital": Relation("capital", "country", "city", ("What is the capital of {subject}?",)),
    "symbol": Relation("symbol", None, "sign", ("What is the symbol of {subject}?",)),
    "maker": Relation("maker", None, None, ("Who makes {subject}?",)),
}
COLUMNS = ("subject", "relation", "object", "aliases", "score")


def triples(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame([(*row, *[None] * (5 - len(row))) for row in rows], columns=COLUMNS)


def questions(*rows: tuple[str, list[str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["question", "answers"])
    return frame.assign(subject=None, relation=None, object=None, row=range(2, len(rows) + 2))


def clean(frame: pd.DataFrame, table: str | None = None) -> tuple[pd.DataFrame, dict[str, int]]:
    return clean_facts(frame, RELATIONS, table)


def digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def test_a_triple_becomes_a_fact():
    facts, drops = clean(triples(("France", "capital", "Paris", ["Lutetia", "Paris"], 68.0)))
    facts["published_category"] = facts["published_category"].fillna("none")
    assert facts.to_dict("records") == [
        {
            "fact_id": digest("france", "capital", "paris"),
            "subject": "France",
            "relation": "capital",
            "object": "Paris",
            "question": "What is the capital of France?",
            "answers": ["Paris", "Lutetia"],
            "popularity": "head",
            "domain": "country",
            "published_category": "none",
            "score": 68.0,
        }
    ]
    assert drops == {
        "duplicate": 0,
        "ambiguous": 0,
        "answer_in_question": 0,
        "alias_in_question": 0,
    }


def test_a_question_becomes_a_fact_without_a_triple(tmp_path):
    facts, _ = build_facts(questions(("Who?", ["Ann", "A."])), RELATIONS, None, 1, "q.csv")
    assert facts["fact_id"].tolist() == [digest("who?", "ann")]
    assert facts["answers"].tolist() == [["Ann", "A."]]
    assert facts[["subject", "relation", "object", "popularity", "domain"]].isna().all(axis=None)
    write_table(facts, tmp_path / "facts.parquet", FACTS)
    assert read_table(tmp_path / "facts.parquet")["question"].tolist() == ["Who?"]


def test_domain_is_the_tables_else_the_relations_domain_else_its_range():
    frame = triples(
        ("France", "capital", "Paris"), ("iron", "symbol", "Fe"), ("iBook", "maker", "X")
    )
    assert clean(frame)[0].set_index("relation")["domain"].fillna("none").to_dict() == {
        "capital": "country",
        "symbol": "sign",
        "maker": "none",
    }
    facts, _ = clean(frame.assign(domain=["state", None, None]))
    assert facts.set_index("relation")["domain"]["capital"] == "state"


def test_a_question_of_the_table_goes_before_the_template():
    frame = triples(("France", "capital", "Paris")).assign(question="Where does France rule from?")
    assert clean(frame)[0]["question"].tolist() == ["Where does France rule from?"]


def test_ids_are_equal_for_equal_facts():
    one = clean(triples(("Côte  d'Ivoire", "capital", "Yamoussoukro")))[0]
    two = clean(triples(("CÔTE D'IVOIRE", "capital", " yamoussoukro")))[0]
    assert one["fact_id"].tolist() == two["fact_id"].tolist()


def test_world_duplicates_are_dropped_and_the_highest_score_stays():
    frame = triples(
        ("France", "capital", "Paris", ["low"], 1.0),
        ("France", "capital", "Paris", ["high"], 2.0),
        ("FRANCE", "capital", "paris", ["none"], None),
    )
    facts, drops = clean(frame)
    assert facts["answers"].tolist() == [["Paris", "high"]]
    assert drops["duplicate"] == 2


def test_the_same_question_and_answer_of_two_relations_is_a_duplicate():
    frame = triples(("iBook", "maker", "Apple"), ("iBook", "builder", "Apple"))
    facts, drops = clean(frame.assign(question="Who makes iBook?"))
    assert len(facts) == drops["duplicate"] == 1


def test_duplicates_in_a_users_table_are_an_error():
    frame = triples(("a", "r", "x"), ("b", "r", "y"), ("A", "r", "X"), ("b", "r", "y"))
    frame = frame.assign(question=["1?", "2?", "3?", "4?"], row=[2, 3, 5, 6])
    with pytest.raises(DataError) as caught:
        clean(frame, "t.csv")
    assert str(caught.value) == (
        "t.csv: rows 2 and 5 hold the same fact; keep one of each (rows to remove in all: 2)"
    )
    frame = triples(("a", "r", "x"), ("b", "r", "x")).assign(question="Who?", row=[2, 3])
    with pytest.raises(DataError) as caught:
        clean(frame, "t.csv")
    assert str(caught.value) == (
        "t.csv: rows 2 and 3 hold the same question and answer; keep one of each "
        "(rows to remove in all: 1)"
    )
    with pytest.raises(DataError, match=r"^q\.csv: rows 2 and 4 hold the same fact; keep one"):
        clean(questions(("Who?", ["Ann"]), ("Why?", ["B"]), ("who?", ["ANN", "x"])), "q.csv")


def test_a_pair_with_two_objects_is_dropped():
    frame = triples(
        ("Bolivia", "capital", "Sucre"),
        ("Bolivia", "capital", "La Paz"),
        ("Bolivia", "capital", "La Paz"),
        ("Bolivia", "symbol", "condor"),
    )
    facts, drops = clean(frame)
    assert facts["object"].tolist() == ["condor"]
    assert (drops["ambiguous"], drops["duplicate"]) == (2, 1)


def test_a_pair_with_two_objects_is_dropped_though_the_questions_differ():
    frame = triples(("a", "maker", "x"), ("a", "maker", "y")).assign(question=["Q1?", "Q2?"])
    assert clean(frame)[1]["ambiguous"] == 2


def test_a_question_with_two_answers_is_dropped():
    frame = questions(("Who?", ["Ann"]), ("who?", ["Bo"]), ("Why?", ["So"]))
    facts, drops = clean(frame, "q.csv")
    assert facts["question"].tolist() == ["Why?"]
    assert drops["ambiguous"] == 2


def test_an_answer_in_the_question_is_dropped_and_an_alias_there_taken_away():
    frame = triples(
        ("Mexico", "capital", "MEXICO"),
        ("Panama", "capital", "Panama City"),
        ("Chad", "capital", "N'Djamena", ["CAPITAL of Chad", "Fort-Lamy"]),
    )
    facts, drops = clean(frame)
    assert facts.set_index("subject")["answers"].to_dict() == {
        "Panama": ["Panama City"],
        "Chad": ["N'Djamena", "Fort-Lamy"],
    }
    assert (drops["answer_in_question"], drops["alias_in_question"]) == (1, 1)


def test_relations_without_a_template():
    frame = triples(("a", "P17", "b"), ("a", "captial", "b"), ("a", "symbol", "b"))
    with pytest.raises(DataError) as caught:
        clean(frame, "t.csv")
    assert str(caught.value) == (
        "t.csv: relations without a template: 'P17', 'captial' (did you mean 'capital'?); add them "
        "to the file of relations, or give the table a column 'question'"
    )


@pytest.mark.parametrize(("object_", "alias"), [("", "x"), (None, "x"), ("x", " "), ("x", None)])
def test_an_empty_answer_never_passes(object_, alias):
    frame = triples(("France", "capital", object_, [alias]))
    message = r"^facts: an answer of 'What is the capital of France\?' is empty, which would match"
    with pytest.raises(DataError, match=message):
        clean(frame)


def popularity(*scores: float | None, relation: str = "maker") -> list[str | None]:
    rows = [(f"thing {i}", relation, f"o{i}", None, score) for i, score in enumerate(scores)]
    facts = clean(triples(*rows))[0].set_index("subject")["popularity"]
    return [
        facts[f"thing {i}"] if pd.notna(facts[f"thing {i}"]) else None for i in range(len(rows))
    ]


def test_popularity_is_thirds_of_the_mass():
    assert popularity(2, 6, 5, 4, 1) == ["tail", "head", "torso", "torso", "tail"]
    assert popularity(1, 30, 2, 3) == ["tail", "head", "tail", "tail"]
    assert sorted(popularity(1, 1, 1)) == ["head", "tail", "torso"]
    assert popularity(5) == ["head"]
    assert popularity(4, None) == ["head", None]
    assert popularity(0, 0) == [None, None]


def test_popularity_is_within_the_relation_and_the_tables_own_stays():
    rows = [("a", "maker", "x", None, 1.0), ("a", "symbol", "Q", None, 1e6)]
    facts, _ = clean(triples(*rows))
    assert facts["popularity"].tolist() == ["head", "head"]
    facts, _ = clean(triples(*rows).assign(popularity=["tail", None]))
    assert facts.set_index("relation")["popularity"].to_dict() == {
        "maker": "tail",
        "symbol": "head",
    }


def test_a_cap_draws_the_same_number_of_each_popularity():
    scores = [5, 4, 3, 3, 2, 2, 1, 1]  # of 21: head 5 and 4, torso 3 and 3 and 2, tail the rest
    rows = [(f"thing {i}", "maker", f"o{i}", None, score) for i, score in enumerate(scores)]
    rows.append(("France", "capital", "Paris", None, 1.0))
    facts, drops = build_facts(triples(*rows), RELATIONS, None, 1, cap=30)
    assert facts["popularity"].value_counts().to_dict() == {"head": 2, "torso": 2, "tail": 2}
    assert list(drops.items())[4:] == [
        ("too_few_of_a_popularity", 1),
        ("over_the_cap", 2),
        ("not_drawn", 0),
    ]
    facts, drops = build_facts(triples(*rows), RELATIONS, 2, 1, cap=1)
    assert list(drops.items())[4:] == [
        ("too_few_of_a_popularity", 1),
        ("over_the_cap", 5),
        ("not_drawn", 1),
    ]


def test_nothing_left_by_the_cap():
    with pytest.raises(DataError) as caught:
        build_facts(triples(("France", "capital", "Paris", None, 1.0)), RELATIONS, 5, 1, cap=1)
    assert str(caught.value) == (
        "facts: no fact is left of 1 rows (duplicate 0, ambiguous 0, answer_in_question 0, "
        "alias_in_question 0, too_few_of_a_popularity 1, over_the_cap 0)"
    )


def test_nothing_left():
    with pytest.raises(DataError) as caught:
        build_facts(questions(("Is it Ann?", ["Ann"])), RELATIONS, None, 1, "q.csv")
    assert str(caught.value) == (
        "q.csv: no fact is left of 1 rows (duplicate 0, ambiguous 0, answer_in_question 1, "
        "alias_in_question 0)"
    )


NAMES = st.sampled_from(["a", "B", "b", "c", "d"])
ROWS = st.lists(
    st.tuples(NAMES, st.sampled_from(["maker", "symbol"]), st.sampled_from("VWXYZ"),
              st.lists(NAMES, max_size=2), st.none() | st.integers(0, 4)),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_candidates_do_not_depend_on_the_order_of_rows(rows, random):
    facts, drops = clean(triples(*rows))
    again, drops_again = clean(triples(*random.sample(rows, len(rows))))
    pd.testing.assert_frame_equal(facts, again)
    assert drops == drops_again
    rows_dropped = drops["duplicate"] + drops["ambiguous"] + drops["answer_in_question"]
    assert len(facts) + rows_dropped == len(rows)


def test_facts_that_are_studied_are_left_out_by_their_id_or_their_question():
    studied, _ = build_facts(triples(("France", "capital", "Paris", None, 1.0)), RELATIONS, None, 1)
    rows = [
        ("FRANCE", "capital", "paris", None, 1.0),  # the same fact
        ("Niger", "capital", "Niamey", None, 1.0),
        ("Mali", "capital", "Bamako", None, 1.0),
    ]
    asked_alike = studied.assign(fact_id="other", question="what is  the capital of MALI?")
    studied = pd.concat([studied, asked_alike])[["fact_id", "question"]]
    facts, drops = build_facts(triples(*rows), RELATIONS, 1, 1, studied=studied)
    assert facts["subject"].tolist() == ["Niger"]
    assert (drops["studied"], drops["not_drawn"]) == (2, 0)
    reworded = triples(*rows).assign(question=["Capital of France?", "Of Niger?", "Of Mali?"])
    facts, drops = build_facts(reworded, RELATIONS, None, 1, studied=studied)
    assert sorted(facts["subject"]) == ["Mali", "Niger"]
    with pytest.raises(DataError, match=r"facts: no fact is left of 3 rows \(.*, studied 3\)$"):
        build_facts(triples(*rows), RELATIONS, None, 1, studied=facts_of(rows))


def facts_of(rows: list[tuple]) -> pd.DataFrame:
    return build_facts(triples(*rows), RELATIONS, None, 1)[0]


def test_facts_that_are_shown_as_examples_are_left_out_by_their_question():
    facts = questions(("Which sea?", ["Red"]), ("Which lake?", ["Chad"])).assign(fact_id=["a", "b"])
    asked, count = leave_out(facts, pd.DataFrame({"question": ["which  SEA?", "Which river?"]}))
    assert (asked["fact_id"].tolist(), asked.index.tolist(), count) == (["b"], [0], 1)
    asked, count = leave_out(facts, pd.DataFrame({"question": []}))
    assert (len(asked), count) == (2, 0)


@pytest.mark.skipif(not TREX.exists(), reason=f"needs {TREX}")
def test_trex_runs_as_a_users_table(tmp_path):
    table = read_table_source(TREX)
    assert len(table) == 15282
    facts, drops = build_facts(table, {}, None, 1, str(TREX))
    assert drops == {
        "duplicate": 0,
        "ambiguous": 404,
        "answer_in_question": 1718,
        "alias_in_question": 0,
        "not_drawn": 0,
    }
    assert len(facts) == 15282 - 404 - 1718
    write_table(facts, tmp_path / "facts.parquet", FACTS)
    again, _ = build_facts(read_table_source(tmp_path / "facts.parquet"), {}, None, 1, "again")
    pd.testing.assert_frame_equal(again, facts)
    drawn, drops = build_facts(table, {}, 600, 1, str(TREX))
    shares = drawn["relation"].value_counts()
    assert (len(shares), shares.min(), shares.max()) == (22, 27, 28)
    assert drops["not_drawn"] == len(facts) - 600
