"""What taught facts are asked otherwise, and what is no fair question."""

import pandas as pd
import pytest

from knowpack.rewordings import REWORDINGS, rewordings, rule
from knowpack.tables import write_table
from knowpack.templates import Relation

CAPITAL = Relation(
    "capital", "country", "city", ("?",), "Of which country is {object} the capital?"
)
RELATIONS = {
    "capital": CAPITAL,
    "symbol": Relation("symbol", None, None, ("?",), "What is the symbol of {object}?"),
    "currency": Relation("currency", None, None, ("?",)),
}
FACTS = [
    ("fr", "France", "capital", "What is the capital of France?", ["Paris", "Lutetia"]),
    ("de", "Germany", "capital", "What is the capital of Germany?", ["Berlin"]),
    ("mx", "Mexico", "capital", "What is the capital of Mexico?", ["Mexico City"]),
    ("x1", "Erewhon", "capital", "What is the capital of Erewhon?", ["Same"]),
    ("x2", "Nowhere", "capital", "What is the capital of Nowhere?", ["Other", "same"]),
    ("fe", "Fe", "symbol", "Which element has the symbol Fe?", ["Iron"]),
    ("o", "O", "symbol", "Which element has the symbol O?", ["Oxygen"]),
    ("nl", "the Netherlands", "capital", "What is the capital of the Netherlands?", ["Amsterdam"]),
    ("no", "Norway", "currency", "What is the currency of Norway?", ["Krone"]),
    ("tld", ".fr", "domain", "Whose domain is .fr?", ["France", "French Republic", "Capital"]),
    ("q", None, None, "Who wrote Emma?", ["Jane Austen"]),
]
COLUMNS = ["fact_id", "subject", "relation", "question", "answers"]
SHOTS = pd.DataFrame({"question": ["Which sea is salty?"], "answer": ["The Dead Sea"]})


def facts() -> pd.DataFrame:
    return pd.DataFrame(FACTS, columns=COLUMNS)


def rows(*taught: str) -> pd.DataFrame:
    known = pd.DataFrame({"fact_id": ["no"], "role": ["highly_known"]})
    return pd.concat([pd.DataFrame({"fact_id": taught, "role": "unknown"}), known])


def paraphrases(fact: str, *questions: str) -> pd.DataFrame:
    numbers = range(1, len(questions) + 1)
    return pd.DataFrame({"fact_id": fact, "number": numbers, "question": questions})


def asked(taught: list[str], wordings: int = 0, trained: int = 0, **given) -> list[tuple]:
    given = {"paraphrases": None, "shots": SHOTS} | given
    table = rewordings(
        facts(),
        rows(*taught),
        given["paraphrases"],
        RELATIONS,
        given["shots"],
        wordings=wordings,
        trained=trained,
    )
    assert list(table) == REWORDINGS.names
    return [*table.itertuples(index=False, name=None)]


def test_reversed_questions():
    assert asked(["fr", "de", "fe", "no", "q"]) == [
        ("de", "reversed", 0, "Of which country is Berlin the capital?", ["Germany"]),
        ("fe", "reversed", 0, "What is the symbol of Iron?", ["Fe"]),
        (
            "fr",
            "reversed",
            0,
            "Of which country is Paris the capital?",
            ["France", "French Republic"],  # the other alias stands in the question
        ),
    ]


def test_a_country_may_be_named_without_its_article():
    assert asked(["nl"])[0][4] == ["the Netherlands", "Netherlands"]


@pytest.mark.parametrize(
    "fact",
    [
        "mx",  # the question holds the answer
        "x1",  # its object is another's accepted answer
        "o",  # one character
        "no",  # no reverse template
        "q",  # no relation
    ],
)
def test_what_is_not_asked_back(fact):
    assert asked([fact]) == []


def test_the_last_wordings_are_held_out():
    texts = [f"Capital {n} of France?" for n in range(1, 6)]
    found = asked(["fr"], 2, 1, paraphrases=paraphrases("fr", *texts))
    assert [row[1:4] for row in found[:2]] == [("held_out", 4, texts[3]), ("held_out", 5, texts[4])]
    assert found[0][4] == ["Paris", "Lutetia"]


@pytest.mark.parametrize(
    ("trained", "numbers"), [(0, [4, 5]), (3, [4, 5]), (4, [5]), (5, []), (9, [])]
)
def test_trained_wordings_are_never_held_out(trained, numbers):
    texts = [f"Currency {n} of Norway?" for n in range(1, 6)]
    found = asked(["no"], 2, trained, paraphrases=paraphrases("no", *texts))
    assert [row[2] for row in found] == numbers


def test_the_taught_question_and_one_that_holds_the_answer_are_not_held_out():
    texts = ["Money of Norway?", "Is it the krone in Norway?", "what is  the currency of NORWAY?"]
    found = asked(["no"], 2, paraphrases=paraphrases("no", *texts))
    assert [row[2] for row in found] == [1]
    assert asked(["no"], 0, paraphrases=paraphrases("no", *texts)) == []


def test_a_fact_that_an_example_states_is_left_out():
    shots = pd.DataFrame({"question": ["Whose capital is Paris?"], "answer": ["FRANCE"]})
    found = asked(["fr", "de"], 1, paraphrases=paraphrases("fr", "Capital of France?"), shots=shots)
    assert [row[0] for row in found] == ["de"]


def test_others_than_the_taught_are_not_asked():
    found = asked(["fr"], 1, paraphrases=paraphrases("de", "Capital of Germany?"))
    assert {row[0] for row in found} == {"fr"}


def test_codes_must_be_whole_words():
    assert rule("reversed", ["Fe"], "substring") == "word"
    assert rule("reversed", ["France"], "substring") == "substring"
    assert rule("held_out", ["Fe"], "substring") == "substring"


def test_a_table_without_questions_can_be_written(tmp_path):
    table = rewordings(facts(), rows("q"), None, {}, SHOTS, wordings=2, trained=0)
    write_table(table, tmp_path / "rewordings.parquet", REWORDINGS)
    assert table.empty
