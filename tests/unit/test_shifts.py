import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowpack.errors import DataError
from knowpack.shifts import COUNTS, SHIFTS, count_shifts, shifts
from knowpack.tables import write_table

CATEGORIES = ["Unknown", "WeaklyKnown", "MaybeKnown", "HighlyKnown"]


def labels(*categories: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"fact_id": [f"f{n}" for n in range(len(categories))], "category": categories}
    )


BASE = labels("Unknown", "Unknown", "MaybeKnown", "HighlyKnown", "HighlyKnown")
AFTER = labels("HighlyKnown", "WeaklyKnown", "Unknown", "MaybeKnown", "HighlyKnown")


def test_by_hand():
    found = count_shifts(BASE, AFTER.sample(frac=1, random_state=3), {"f0", "elsewhere"})
    assert {name: found[name] for name in COUNTS if found[name]} == {
        "uk_hk": 1,
        "uk_uk": 1,
        "mk_uk": 1,
        "hk_mk": 1,
        "hk_hk": 1,
    }
    assert " ".join(COUNTS) == "uk_uk uk_mk uk_hk mk_uk mk_mk mk_hk hk_uk hk_mk hk_hk"
    assert (found["positive_shift"], found["negative_shift"]) == (0.2, 0.4)
    assert (found["positive_shift_untrained"], found["negative_shift_untrained"]) == (0.0, 0.5)


def test_all_facts_trained():
    found = count_shifts(BASE, AFTER, list(BASE["fact_id"]))
    assert found["positive_shift_untrained"] is None
    assert found["negative_shift_untrained"] is None


@given(
    st.lists(
        st.tuples(st.sampled_from(CATEGORIES), st.sampled_from(CATEGORIES), st.booleans()),
        min_size=1,
    )
)
def test_properties(facts):
    before, after = labels(*[f[0] for f in facts]), labels(*[f[1] for f in facts])
    trained = {f"f{n}" for n, fact in enumerate(facts) if fact[2]}
    found = count_shifts(before, after, trained)
    back = count_shifts(after, before, trained)
    assert sum(found[name] for name in COUNTS) == len(facts)
    same = found["uk_uk"] + found["mk_mk"] + found["hk_hk"]
    total = found["positive_shift"] + found["negative_shift"] + same / len(facts)
    assert total == pytest.approx(1)
    for suffix in ("", "_untrained"):
        assert found[f"positive_shift{suffix}"] == back[f"negative_shift{suffix}"]
    rest = [f"f{n}" for n, fact in enumerate(facts) if not fact[2]]
    if rest:
        left = [frame[frame["fact_id"].isin(rest)] for frame in (before, after)]
        assert found["positive_shift_untrained"] == count_shifts(*left, [])["positive_shift"]


def test_the_table_row(tmp_path):
    run = {"model": "m", "run": "r", "unknown": 1, "extra": "none", "per_unknown": 0, "seed": 42}
    rows = pd.DataFrame({"fact_id": ["f0", "f1"], "role": ["unknown", "held_out"]})
    found = shifts(run, BASE, AFTER, rows)
    write_table(found, tmp_path / "shifts.parquet", SHIFTS)
    assert found.loc[0, "negative_shift_untrained"] == 0.5
    with pytest.raises(DataError, match=r"model 'm', run 'r': .* 1 only in the base's, 0 only in"):
        shifts(run, BASE, AFTER.head(4), rows)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (BASE, AFTER.assign(fact_id=list("abcde")), "5 only in the base's, 5 only in the run's"),
        (BASE, pd.concat([AFTER, AFTER]), "labels of the run: 5 facts stand there more than once"),
        (BASE.assign(category="Known"), AFTER, r"labels of the base model: categories \['Known'\]"),
        (BASE.head(0), AFTER.head(0), "labels: no facts"),
    ],
)
def test_errors(before, after, message):
    with pytest.raises(DataError, match=message):
        count_shifts(before, after, [])
