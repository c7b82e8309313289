"""From answers to the table of generalization, by hand."""

import pandas as pd
import pytest

from knowpack.errors import DataError
from knowpack.generalization import GENERALIZATION, generalization
from knowpack.reworded_labels import REWORDED_LABELS, label_rewordings
from knowpack.rewordings import REWORDINGS
from knowpack.tables import write_table

FACTS = pd.DataFrame({"fact_id": ["a", "b", "c"], "answers": [["Oslo"], ["Rome"], ["Bonn"]]})
ASKED = pd.DataFrame(
    [
        ("a", "held_out", 8, "a 8?", ["Oslo"]),
        ("a", "held_out", 9, "a 9?", ["Oslo"]),
        ("b", "held_out", 9, "b 9?", ["Rome"]),
        ("a", "reversed", 0, "a back?", ["Norway"]),
        ("b", "reversed", 0, "b back?", ["It"]),  # a whole word, being short
    ],
    columns=REWORDINGS.names,
)
TEXTS = {
    ("a", "held_out", 8): ["Oslo", "in Oslo!"],
    ("a", "held_out", 9): ["Rome", "oslo"],
    ("b", "held_out", 9): ["Paris", "Paris"],
    ("a", "reversed", 0): ["Norway", "Norwayland"],
    ("b", "reversed", 0): ["Italy", "It."],
}
RESPONSES = pd.DataFrame(
    [(*key, prompt, text) for key, texts in TEXTS.items() for prompt, text in enumerate(texts)],
    columns=["fact_id", "kind", "wording", "prompt", "text"],
)
# Asked in three prompts, of which only the first two count here, and once more with sampling.
AS_TAUGHT = pd.DataFrame(
    [
        (fact, prompt, sample, text if not sample else "")
        for fact, texts in {"a": "Oslo Oslo Rome", "b": "Rome Oslo Rome", "c": "x x x"}.items()
        for prompt, text in enumerate(texts.split())
        for sample in (0, 1)
    ],
    columns=["fact_id", "prompt", "sample", "text"],
)
RUNS = pd.DataFrame(
    {
        "model": "m",
        "run": ["uk2", "uk1"],
        "unknown": [2, 1],
        "extra": "none",
        "per_unknown": 0,
        "seed": 1,
    }
)


def labels(**given: pd.DataFrame) -> pd.DataFrame:
    values = {"responses": RESPONSES, "rewordings": ASKED, "as_taught": AS_TAUGHT} | given
    return label_rewordings(**values, facts=FACTS, match="substring")


def test_labels(tmp_path):
    found = labels()
    assert [*found.itertuples(index=False, name=None)] == [
        ("a", "held_out", 8, 1.0),
        ("a", "held_out", 9, 0.5),
        ("b", "held_out", 9, 0.0),
        ("a", "reversed", 0, 1.0),
        ("b", "reversed", 0, 0.5),
        ("a", "trained", 0, 1.0),
        ("b", "trained", 0, 0.5),
    ]
    write_table(found, tmp_path / "labels.parquet", REWORDED_LABELS)


def test_nothing_asked_makes_an_empty_table(tmp_path):
    found = labels(responses=RESPONSES[:0], rewordings=ASKED[:0])
    assert found.empty
    write_table(found, tmp_path / "labels.parquet", REWORDED_LABELS)
    table = generalization(RUNS, [("m", "uk2", found), ("m", "base", found)])
    assert table.empty
    write_table(table, tmp_path / "generalization.parquet", GENERALIZATION)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"responses": RESPONSES[1:]}, "9, of which 9 are to the 5 questions in 2 prompts; ask"),
        ({"responses": pd.concat([RESPONSES, RESPONSES[:1]])}, "11, of which 11 are"),
        ({"responses": pd.concat([RESPONSES[2:], RESPONSES[:1], RESPONSES[:1]])}, "1 given more"),
        ({"rewordings": ASKED[1:]}, "10, of which 8 are to the 4 questions in 2 prompts"),
        ({"as_taught": AS_TAUGHT[2:]}, "1 missing"),
    ],
)
def test_what_does_not_cover_the_questions_is_an_error(given, message):
    with pytest.raises(DataError, match=message):
        labels(**given)


def test_table(tmp_path):
    of_base = labels()  # the model itself knows one of the reversed questions
    of_base["p_correct"] = ((of_base.kind == "reversed") & (of_base.fact_id == "b")).astype(float)
    of_one = labels().query("fact_id == 'b' and kind != 'reversed'")
    table = generalization(
        RUNS, [("m", "base", of_base), ("m", "uk2", labels()), ("m", "uk1", of_one)]
    )
    rows = table.drop(columns=["model", "extra", "per_unknown", "seed"])
    assert rows.astype(object).where(rows.notna(), None).to_numpy().tolist() == [
        ["base", None, "held_out", 2, 0.0, 0.0, 0.0, 2],
        ["base", None, "reversed", 1, 0.5, 0.0, 0.5, 2],
        # Of a 0.75, of b 0; both asked as taught: 1 and 0.5.
        ["uk2", 2, "held_out", 2, 0.375, 0.75, 0.0, 2],
        ["uk2", 2, "reversed", 1, 0.75, 0.75, 0.5, 2],
        ["uk1", 1, "held_out", 1, 0.0, 0.5, 0.0, 1],
    ]
    write_table(table, tmp_path / "generalization.parquet", GENERALIZATION)
