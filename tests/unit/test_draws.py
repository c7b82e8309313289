import hashlib
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowpack.draws import cap_facts, draw_facts
from knowpack.errors import DataError


def digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def pool(supply: dict[tuple[str | None, str | None], int]) -> pd.DataFrame:
    rows = [
        (digest(str(relation), str(level), str(i)), relation, level)
        for (relation, level), count in supply.items()
        for i in range(count)
    ]
    return pd.DataFrame(rows, columns=["fact_id", "relation", "popularity"], dtype="str")


def test_a_small_relation_gives_all_and_the_others_fill_up():
    candidates = pool({("a", None): 2, ("b", None): 50, ("c", None): 50})
    assert draw_facts(candidates, 22, 1)["relation"].value_counts().to_dict() == {
        "b": 10,
        "c": 10,
        "a": 2,
    }
    candidates = pool({("a", "head"): 1, ("a", "torso"): 9, ("a", "tail"): 9, (None, None): 9})
    drawn = draw_facts(candidates, 18, 1)
    assert drawn["popularity"].value_counts().to_dict() == {"torso": 4, "tail": 4, "head": 1}
    assert drawn["relation"].isna().sum() == 9


def test_none_draws_all_and_seeds_differ():
    candidates = pool({("a", "head"): 30, ("b", "tail"): 30})
    assert draw_facts(candidates, None, 1).equals(
        candidates.sort_values("fact_id", ignore_index=True)
    )
    assert not draw_facts(candidates, 10, 1).equals(draw_facts(candidates, 10, 2))


@pytest.mark.parametrize("size", [4, 0, -1])
def test_a_size_beyond_the_supply(size):
    message = f"{size} facts are asked for and there are 3; ask for 1 to 3, or for all"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        draw_facts(pool({("a", None): 3}), size, 1)


STRATA = st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from(["head", "tail", None]))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(STRATA, st.integers(1, 12), min_size=1), st.data())
def test_draws_are_fair_nested_and_free_of_order(supply, data):
    candidates = pool(supply)
    size = data.draw(st.integers(1, len(candidates)))
    seed = data.draw(st.integers(0, 9))
    drawn = draw_facts(candidates, size, seed)
    assert len(drawn) == drawn["fact_id"].nunique() == size
    shuffled = candidates.sample(frac=1, random_state=seed)
    assert draw_facts(shuffled, size, seed).equals(drawn)
    more = draw_facts(candidates, data.draw(st.integers(size, len(candidates))), seed)
    assert set(drawn["fact_id"]) <= set(more["fact_id"])
    assert_fair(drawn["relation"], candidates["relation"])
    for relation, part in drawn.fillna("").groupby("relation"):
        there = candidates[candidates["relation"].fillna("") == relation]
        assert_fair(part["popularity"], there["popularity"])


def assert_fair(drawn: pd.Series, supply: pd.Series) -> None:
    """No group gets more than it has, and none is two short of another while it has more."""
    had = supply.fillna("").value_counts()
    got = drawn.fillna("").value_counts().reindex(had.index, fill_value=0)
    assert (got <= had).all()
    assert (got.max() - got[got < had] <= 1).all()


def test_a_cap_draws_equal_numbers_of_the_relations_that_have_all_three():
    candidates = pool(
        {
            ("a", "head"): 4, ("a", "torso"): 5, ("a", "tail"): 9, ("a", None): 2,
            ("b", "head"): 2, ("b", "torso"): 9, ("b", "tail"): 9,
            ("c", "head"): 9, ("c", "tail"): 9,
            ("d", None): 3,
            (None, "head"): 1, (None, "torso"): 1, (None, "tail"): 1,
        }
    )  # fmt: skip
    drawn, drops = cap_facts(candidates, 3, 1)
    assert drawn.fillna("").value_counts(["relation", "popularity"]).to_dict() == {
        **{("a", level): 3 for level in ("head", "torso", "tail")},
        **{("b", level): 2 for level in ("head", "torso", "tail")},
        **{("", level): 1 for level in ("head", "torso", "tail")},
    }
    assert drops == {"too_few_of_a_popularity": 9 + 9 + 3, "over_the_cap": 20 - 9 + 20 - 6}


def test_a_cap_where_no_fact_has_a_popularity():
    drawn, drops = cap_facts(pool({("a", None): 3, (None, None): 2}), 3, 1)
    assert drawn.empty
    assert drops == {"too_few_of_a_popularity": 5, "over_the_cap": 0}


THIRDS = st.tuples(st.sampled_from(["a", None]), st.sampled_from(["head", "torso", "tail", None]))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(THIRDS, st.integers(1, 6), min_size=1), st.integers(1, 6), st.integers(0, 9))
def test_caps_are_nested_and_free_of_order(supply, cap, seed):
    candidates = pool(supply)
    drawn, drops = cap_facts(candidates, cap, seed)
    again, drops_again = cap_facts(candidates.sample(frac=1, random_state=seed), cap, seed)
    assert set(drawn["fact_id"]) == set(again["fact_id"])
    assert drops == drops_again
    assert len(drawn) + sum(drops.values()) == len(candidates)
    assert set(drawn["fact_id"]) <= set(cap_facts(candidates, cap + 1, seed)[0]["fact_id"])
