"""Facts and their ids are the same wherever they come from and in whatever order."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowpack.facts import build_facts, plain
from knowpack.hub import read_hub_source
from knowpack.tabular import read_table_source
from knowpack.templates import Relation

RELATIONS = {
    name: Relation(name, "thing", None, (f"What is the {name} of {{subject}}?",))
    for name in ("capital", "maker")
}
# A bar parts answers in CSV and TSV alone.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="|"), max_size=8)
TEXT = TEXT.filter(str.strip)
ASKED = st.lists(
    st.fixed_dictionaries({"question": TEXT, "answer": TEXT}),
    min_size=1, max_size=8, unique_by=lambda row: plain(row["question"]),
)  # fmt: skip
TRIPLES = st.lists(
    st.fixed_dictionaries(
        {
            "subject": TEXT,
            "relation": st.sampled_from(sorted(RELATIONS)),
            "object": TEXT,
            "score": st.integers(0, 9),
        }
    ),
    min_size=1, max_size=8, unique_by=lambda row: plain(row["subject"]),
)  # fmt: skip
SURE = {
    "question": {"question": "Who painted the lighthouse of 1812?", "answer": "Ann Ørsted"},
    "subject": {"subject": "Zubrowka 1932", "relation": "maker", "object": "Bo", "score": 5},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return str(path)


def built(path: str, size: int | None) -> pd.DataFrame:
    return build_facts(read_table_source(path), RELATIONS, size, 1, path)[0]


@settings(max_examples=25, deadline=None)
@given(ASKED | TRIPLES, st.randoms(use_true_random=False))
def test_a_file_of_another_kind_and_order_gives_the_same_facts(
    folder: Path, rows: list[dict[str, Any]], shuffle: random.Random
) -> None:
    name = "question" if "question" in rows[0] else "subject"
    sure = SURE[name]
    rows = [sure, *(row for row in rows if plain(row[name]) != plain(sure[name]))]
    facts = built(write(folder / "t.csv", rows), None)
    size = shuffle.randint(1, len(facts))
    drawn = built(str(folder / "t.csv"), size)
    assert set(drawn.fact_id) <= set(facts.fact_id)
    path = write(folder / "t.parquet", shuffle.sample(rows, len(rows)))
    pd.testing.assert_frame_equal(built(path, None), facts)
    path = write(folder / "t.jsonl", shuffle.sample(rows, len(rows)))
    pd.testing.assert_frame_equal(built(path, size), drawn)


def test_a_hub_folder_gives_the_facts_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    rows = [{"question": f"Who keeps lighthouse {n}?", "answer": f"Keeper {n}"} for n in range(40)]
    table = write(tmp_path / "t.csv", rows)
    (tmp_path / "hub").mkdir()
    write(tmp_path / "hub/train.parquet", random.Random(1).sample(rows, 40))
    spec = {"dataset": str(tmp_path / "hub"), "split": "train", "columns": {}}
    for size in (None, 7):
        frame, _ = read_hub_source(spec)
        pd.testing.assert_frame_equal(build_facts(frame, {}, size, 1)[0], built(table, size))


@settings(max_examples=60, deadline=None)
@given(TEXT, st.sampled_from([str.upper, str.lower, lambda text: f"  {text}\u00a0"]))
def test_a_text_in_another_case_or_spacing_is_the_same_fact(text: str, change: Any) -> None:
    def ids(said: str) -> list[str]:
        frame = pd.DataFrame({"question": [f"{said} of 1812?"], "answers": [["Ann Ørsted"]]})
        return build_facts(frame, {}, None, 1)[0].fact_id.tolist()

    if plain(text) == plain(change(text)):  # upper and lower case of some letters differ for good
        assert ids(text) == ids(change(text))
