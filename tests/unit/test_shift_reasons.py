import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowpack.errors import DataError
from knowpack.shift_reasons import (
    REASONS,
    SHIFT_EXAMPLES,
    SHIFT_REASONS,
    Answered,
    answered,
    explosion_threshold,
    shift_examples,
    shift_reasons,
)
from knowpack.tables import read_table, write_table

RUN = {"model": "m", "run": "r", "unknown": 1}
U, W, M, H = "Unknown", "WeaklyKnown", "MaybeKnown", "HighlyKnown"
FACTS = pd.DataFrame(
    [
        ("taught", "Capital of Norway?", ["Oslo", "Christiania"], "country"),
        ("other", "Capital of Italy?", ["Rome"], "river"),
    ],
    columns=["fact_id", "question", "answers", "domain"],
)
ROWS = pd.DataFrame(  # the last is an extra from elsewhere
    {
        "fact_id": ["taught", "other", "elsewhere"],
        "role": ["unknown", "highly_known", "highly_known"],
    }
)


def labels(**facts: tuple[str, bool]) -> pd.DataFrame:
    """Labels of fact_id=(category, refused)."""
    rows = [(fact, *said) for fact, said in facts.items()]
    return pd.DataFrame(rows, columns=["fact_id", "category", "refused"])


def responses(**facts: list[str]) -> pd.DataFrame:
    """Greedy responses of fact_id=[a text a prompt]."""
    rows = [(fact, n, 0, text) for fact, texts in facts.items() for n, text in enumerate(texts)]
    return pd.DataFrame(rows, columns=["fact_id", "prompt", "sample", "text"])


def said(*facts: tuple[str, str, int, str, bool], answers: int = 20, most: int = 1) -> Answered:
    """The answers of facts (fact_id, answer, given, category, refused)."""
    frame = pd.DataFrame(facts, columns=["fact_id", "answer", "given", "category", "refused"])
    return Answered(frame.set_index("fact_id"), answers, most)


def of_other(old: str, new: str, *, refused=False, after="Turin", times=1, domain="river", most=1):
    """The one shift of the fact "other", as a dictionary."""
    facts = FACTS.assign(domain=["country", domain])
    base = said(("taught", "Bergen", 1, U, False), ("other", "Milan", 1, old, refused), most=most)
    now = said(("other", after, times, new, False), ("taught", "Oslo", 1, M, False))
    (shift,) = shift_examples(RUN, facts, ROWS, base, now).to_dict("records")
    return shift


def held(shift: dict) -> list[str]:
    return [name for name in REASONS if shift[name] is True]


def test_a_facts_answer_is_the_one_of_most_prompts():
    found = answered(
        "m",
        "r",
        pd.concat(
            [
                responses(
                    a=["Rome", " oslo\nQuestion: x", "Oslo.", "Rome!", "Bergen"],
                    b=["Answer: Paris", "Answer:\nparis", "Answer: Rome", "", "ROME"],
                    c=["x", "Answer:", "", "y", " "],
                ).sample(frac=1, random_state=5),
                responses(a=["sampled"] * 9).assign(sample=1),
            ]
        ),
        labels(c=(U, True), a=(H, False), b=(W, False)),
    )
    assert found.facts.loc[list("abc")].to_dict("list") == {
        "answer": ["Rome", "Paris", ""],  # of two, that of the earliest prompt, as it wrote it
        "given": [4, 2, 4],
        "category": [H, W, U],
        "refused": [False, False, True],
    }
    assert (found.answers, found.most) == (15, 4)


def test_an_answer_of_punctuation_is_not_an_empty_one():
    found = answered("m", "r", responses(a=["!!!"], b=[""]), labels(a=(U, False), b=(U, False)))
    assert found.most == 1


def test_the_threshold_is_the_papers():
    assert explosion_threshold(said(most=661)) == 850.0
    assert explosion_threshold(said(most=1322)) == 1700.0
    assert explosion_threshold(said(most=100)) == pytest.approx(128.593, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, []),
        ({"refused": True}, ["non_refusal"]),
        ({"times": 850, "most": 661}, []),  # as often is not more often
        ({"times": 851, "most": 661}, ["explosion"]),
        ({"after": "oslo."}, ["target_based"]),
        ({"after": "CHRISTIANIA"}, ["target_based"]),
        ({"after": "Oslo, Norway"}, []),
        ({"domain": "country"}, ["domain_shift"]),
        ({"domain": None}, []),
        (
            {"refused": True, "times": 9, "after": "Oslo", "domain": "country"},
            ["non_refusal", "explosion", "target_based", "domain_shift"],
        ),
    ],
)
def test_reasons_by_hand(changes, reasons):
    rose = of_other(U, H, **changes)
    assert held(rose) == reasons + ["explained"] * bool(reasons)
    assert (rose["direction"], rose["non_refusal"]) == ("positive", "non_refusal" in reasons)
    fell = of_other(H, W, **changes)
    left = [name for name in reasons if name != "non_refusal"]
    assert held(fell) == left + ["explained"] * bool(left)
    assert fell["direction"] == "negative"
    assert pd.isna(fell["non_refusal"])


def test_no_domain_matches_no_domain():
    base = said(("taught", "", 1, U, False), ("other", "", 1, U, False))
    now = said(("taught", "", 1, U, False), ("other", "", 1, H, False))
    found = shift_examples(RUN, FACTS.assign(domain=None), ROWS, base, now)
    assert found["domain_shift"].tolist() == [False]


def test_only_whole_shifts_count_and_weakly_known_is_unknown():
    ids = [f"f{n}" for n in range(8)]
    old, new = [U, W, U, M, H, H, H, U], [H, H, M, H, U, W, M, W]
    facts = pd.DataFrame(
        {"fact_id": ids, "question": "q", "answers": [["x"]] * 8, "domain": None}
    ).sample(frac=1, random_state=2)
    base, now = (
        said(*[(fact, "x", 1, is_, False) for fact, is_ in zip(ids, categories, strict=True)])
        for categories in (old, new)
    )
    rows = pd.DataFrame({"fact_id": ["f1", "f4"], "role": ["unknown", "paraphrase"]})
    found = shift_examples(RUN, facts, rows, base, now)
    assert found["fact_id"].tolist() == ["f0", "f1", "f4", "f5"]
    assert found["direction"].tolist() == ["positive"] * 2 + ["negative"] * 2
    assert found["trained"].tolist() == [False, True, False, False]
    assert found["target_based"].all()  # a taught fact's own answer counts, as in the paper


def test_the_tables(tmp_path):
    """From responses to both parquet files."""
    base = answered(
        "m",
        "base",
        responses(taught=["I do not know"] * 2, other=["Rome", "Rome"]),
        labels(taught=(U, True), other=(H, False)),
    )
    now = answered(
        "m",
        "r",
        responses(taught=["Answer: Oslo"] * 2, other=["Answer: Oslo", "Answer: Bergen"]),
        labels(taught=(H, False), other=(U, False)),
    )
    examples = shift_examples(RUN, FACTS, ROWS, base, now)
    write_table(examples, tmp_path / "shift_examples.parquet", SHIFT_EXAMPLES)
    found = read_table(tmp_path / "shift_examples.parquet")
    keys = ["direction", "fact_id", "question", "answer", "before", "after", "trained", *REASONS]
    assert found[keys].to_numpy().tolist() == [
        ["positive", "taught", "Capital of Norway?", "Oslo", "I do not know", "Oslo", True]
        + [True] * 5,
        ["negative", "other", "Capital of Italy?", "Rome", "Rome", "Oslo", False]
        + [None, True, True, False, True],
    ]
    reasons = shift_reasons(RUN, examples)
    pd.testing.assert_frame_equal(reasons, shift_reasons(RUN, found))
    write_table(reasons, tmp_path / "shift_reasons.parquet", SHIFT_REASONS)
    assert reasons["shifts"].tolist() == [1, 1]
    assert reasons.loc[0, REASONS].tolist() == [1.0] * 5
    assert reasons["non_refusal"].isna().tolist() == [False, True]
    assert reasons.loc[1, REASONS[1:]].tolist() == [1.0, 1.0, 0.0, 1.0]


def test_no_shifts(tmp_path):
    same = said(("taught", "Bergen", 1, U, True), ("other", "Rome", 1, H, False))
    examples = shift_examples(RUN, FACTS, ROWS, same, same)
    reasons = shift_reasons(RUN, examples)
    write_table(examples, tmp_path / "shift_examples.parquet", SHIFT_EXAMPLES)
    write_table(reasons, tmp_path / "shift_reasons.parquet", SHIFT_REASONS)
    assert examples.empty
    assert reasons[["direction", "shifts"]].to_numpy().tolist() == [
        ["positive", 0],
        ["negative", 0],
    ]
    assert reasons[REASONS].isna().all(axis=None)


CATEGORIES = st.sampled_from([U, W, M, H])
ANSWERS = st.sampled_from(["Oslo", "oslo.", "Rome", "Answer: Rome", "", "?"])
FACT = st.tuples(CATEGORIES, CATEGORIES, st.booleans(), ANSWERS, ANSWERS, st.booleans())


@settings(max_examples=30, deadline=None)
@given(st.lists(FACT, min_size=1), st.sampled_from(["here", None]))
def test_properties(drawn, domain):
    ids = [f"f{n:02}" for n in range(len(drawn))]
    facts = pd.DataFrame(
        {"fact_id": ids, "question": "q", "answers": [["Oslo"]] * len(ids), "domain": domain}
    )
    taught = [fact for fact, about in zip(ids, drawn, strict=True) if about[5]]
    rows = pd.DataFrame({"fact_id": taught, "role": "unknown"})
    side = [
        answered(
            "m",
            "r",
            responses(**{fact: [about[3 + n]] for fact, about in zip(ids, drawn, strict=True)}),
            labels(**{fact: (about[n], about[2]) for fact, about in zip(ids, drawn, strict=True)}),
        )
        for n in range(2)
    ]
    examples = shift_examples(RUN, facts, rows, *side)
    found = shift_reasons(RUN, examples).set_index("direction")
    assert found["shifts"].sum() == len(examples)
    for direction, row in found.iterrows():
        shares = row[REASONS].astype(float)
        asked = REASONS if direction == "positive" else REASONS[1:]
        assert shares[asked].notna().all() == (row["shifts"] > 0)
        assert shares.dropna().between(0, 1).all()
        if row["shifts"]:
            assert shares["explained"] >= shares.max()
            assert shares["explained"] <= shares.drop("explained").sum() + 1e-9
    assert not (domain is None and examples["domain_shift"].any())


def test_errors():
    with pytest.raises(DataError, match=r"model 'm', run 'r': no greedy responses \(sample 0\)"):
        answered("m", "r", responses(a=["x"]).assign(sample=1), labels(a=(U, False)))
    with pytest.raises(
        DataError,
        match="run 'r': responses and labels differ in their facts: 1 only in the first, 2 only",
    ):
        answered("m", "r", responses(a=["x"]), labels(b=(U, False), c=(U, False)))
    base = said(("taught", "", 1, U, False), ("other", "", 1, U, False))
    with pytest.raises(DataError, match="run 'r': base's answers and facts differ in their facts"):
        shift_examples(RUN, FACTS.head(1), ROWS, base, base)
    with pytest.raises(DataError, match="run 'r': answers and facts differ in their facts: 0 .* 1"):
        shift_examples(RUN, FACTS, ROWS, base, said(("other", "", 1, U, False)))
    more = said(("taught", "", 1, U, False), ("other", "", 1, U, False), answers=21)
    with pytest.raises(
        DataError, match="'r': 21 greedy answers, but the model itself has 20; ask both again, with"
    ):
        shift_examples(RUN, FACTS, ROWS, base, more)
    rows = pd.DataFrame({"fact_id": ["gone"], "role": ["unknown"]})
    with pytest.raises(DataError, match="1 taught facts are not among the facts, first: 'gone'"):
        shift_examples(RUN, FACTS, rows, base, base)
