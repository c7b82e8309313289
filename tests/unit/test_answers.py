import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowpack.answers import matches, normalise
from knowpack.errors import ConfigError, DataError

ALIASES = st.lists(st.text(min_size=1).filter(normalise), min_size=1, max_size=3)


def right(text: str, answer: str, rule: str) -> bool:
    return bool(matches([text], [answer], rule)[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  New\tYork \n City ", "new york city"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Sa\u0303o", "são"),
        ("ﬁnance ２", "finance 2"),
        ("a\u00a0b", "a b"),
        ("", ""),
    ],
)
def test_normalise(text, expected):
    assert normalise(text) == expected


@given(st.text())
def test_normalise_is_stable_and_blind_to_case(text):
    once = normalise(text)
    assert normalise(once) == once
    assert normalise(text.casefold()) == once


@pytest.mark.parametrize(
    ("text", "answer", "substring", "word"),
    [
        ("The answer is PARIS.", "Paris", True, True),
        ("Parisian", "Paris", True, False),
        ("Comparison, then Paris", "paris", True, True),
        ("It has 15 moons", "5", True, False),
        ("It has 5 moons", "5", True, True),
        ("5", "5", True, True),
        ("1,500", "500", True, False),
        ("3.5", "5", True, False),
        ("3.5", "3", True, False),
        ("It is 3. Then", "3", True, True),
        ("snake_case", "case", True, False),
        ("(C++)", "C++", True, True),
        ("हिन्दी", "हिन्द", True, False),
        ("New\nYork", "new york", True, True),
        ("London", "Paris", False, False),
        ("", "Paris", False, False),
    ],
)
def test_rules(text, answer, substring, word):
    assert right(text, answer, "substring") is substring
    assert right(text, answer, "word") is word


def test_any_alias_counts_and_order_is_kept():
    found = matches(["NYC!", "Boston", "new york"], ["New York", "NYC"], "word")
    assert found.tolist() == [True, False, True]
    assert found.dtype == bool
    assert matches([], ["x"], "word").shape == (0,)
    assert matches(np.array(["x"], dtype=object), np.array(["x"], dtype=object), "word").all()


@given(st.lists(st.text(), max_size=5), ALIASES)
def test_word_implies_substring(texts, answers):
    substring = matches(texts, answers, "substring")
    assert (matches(texts, answers, "word") <= substring).all()


@given(st.text(alphabet="ab ,."), ALIASES)
def test_an_answer_set_apart_is_found_by_both_rules(text, answers):
    response = f"{text} ; {answers[0]} ; {text}"
    assert right(response, answers[0], "substring")
    assert right(response, answers[0], "word")


@pytest.mark.parametrize("answers", [[""], ["Paris", " \n"], []])
def test_an_empty_answer_is_an_error(answers):
    with pytest.raises(DataError, match="one is empty or there is none; an empty answer would"):
        matches(["anything"], answers, "substring")


def test_an_unknown_rule_is_an_error():
    with pytest.raises(ConfigError) as error:
        matches(["x"], ["x"], "words")
    assert str(error.value) == (
        "match: 'words' is no rule (did you mean 'word'?); write 'substring' or 'word'"
    )
