from hypothesis import given
from hypothesis import strategies as st

from knowpack.scoring import requests_of

TOKENS = st.lists(st.integers(0, 3), max_size=4).map(tuple)
PAIRS = st.lists(st.tuples(TOKENS, TOKENS), max_size=12)


def test_single_token_choices_are_one_request_a_question():
    pairs = [((1, 2), (choice,)) for choice in (5, 6, 7, 8)]
    assert requests_of(pairs) == {((1, 2), ()): [5, 6, 7, 8]}


def test_a_longer_choice_is_said():
    pairs = [((1,), (2, 3)), ((1,), (5,)), ((1,), (2, 4)), ((1,), (6,))]
    assert requests_of(pairs) == {((1,), (2, 3)): [], ((1,), ()): [5, 6], ((1,), (2, 4)): []}


def test_an_empty_continuation_is_not_asked():
    assert requests_of([((1,), ())]) == {}


@given(PAIRS)
def test_every_pair_is_asked_once(pairs):
    wanted = requests_of(pairs)
    asked = [(context, said) for context, said in wanted if said]
    asked += [(context, (token,)) for (context, _), tokens in wanted.items() for token in tokens]
    assert sorted(asked) == sorted({pair for pair in pairs if pair[1]})
