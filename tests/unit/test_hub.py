from pathlib import Path
from typing import Any

import datasets
import huggingface_hub.constants
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowpack.errors import ConfigError, DataError, KnowpackError
from knowpack.facts import build_facts
from knowpack.hub import read_hub_source

FULL = pa.table(
    {
        "question": ["Who?", "Why?", "Why?"],
        "answer": [
            [{"aliases": ["Ann", "A. N.", ""], "votes": [1]}],
            [{"aliases": ["so"], "votes": [2]}],
            [{"aliases": ["so"], "votes": [3]}],
        ],
        "best": [{"value": "Ann"}, {"value": " so "}, None],
        "names": [["Ann", "", None, " "], [], None],
        "prompts": [["long"] * 9] * 3,
    }
)
COLUMNS = {"answers": "answer.aliases"}
README = """---
configs:
- config_name: default
  data_files:
  - split: full
    path: data/full-*
  - split: tail
    path: data/tail-*
---
"""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub is out of reach, and nothing of it was fetched before."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset as the hub lays it out, with two splits."""
    folder = tmp_path / "lighthouses"
    (folder / "data").mkdir(parents=True)
    pq.write_table(FULL, folder / "data/full-00000-of-00001.parquet")
    pq.write_table(FULL.slice(0, 1), folder / "data/tail-00000-of-00001.parquet")
    (folder / "README.md").write_text(README)
    return folder


def spec(dataset: Path | str, **keys: Any) -> dict[str, Any]:
    return {"dataset": str(dataset), "split": "full", "columns": COLUMNS, **keys}


def failing(values: dict[str, Any], kind: type[KnowpackError]) -> str:
    with pytest.raises(kind) as caught:
        read_hub_source(values)
    return str(caught.value)


def write(folder: Path, **columns: Any) -> Path:
    (folder / "other").mkdir()
    pq.write_table(pa.table(columns), folder / "other/train.parquet")
    return folder / "other"


def test_a_folder_laid_out_as_on_the_hub(folder: Path):
    frame, empty = read_hub_source(spec(folder))
    assert frame[["question", "answers", "row"]].to_numpy().tolist() == [
        ["Who?", ["Ann", "A. N."], 1],
        ["Why?", ["so"], 2],
        ["Why?", ["so"], 3],
    ]
    assert empty == 1
    assert frame[["subject", "relation", "object", "domain", "score"]].isna().all(axis=None)
    assert len(read_hub_source(spec(folder, split="tail"))[0]) == 1


def test_what_stands_twice_at_a_fixed_commit_is_left_out_and_counted(folder: Path):
    facts, drops = build_facts(read_hub_source(spec(folder))[0], {}, None, 42)
    assert sorted(facts.question) == ["Who?", "Why?"]
    assert drops["duplicate"] == 1


def test_texts_lists_and_fields_of_a_record_may_be_mapped(tmp_path: Path):
    best = [{"value": "Ann"}, {"value": " so "}]
    names = [["Ann", "", None, " ", "A."], None]
    other = write(tmp_path, prompt=["Who?", "Why?"], best=best, names=names)
    columns = {"question": "prompt", "answer": "best.value", "aliases": "names"}
    frame, empty = read_hub_source(spec(other, split="train", columns=columns))
    assert frame[["question", "answers"]].to_numpy().tolist() == [
        ["Who?", ["Ann", "A."]],
        ["Why?", ["so"]],
    ]
    assert empty == 3


def test_a_label_and_its_aliases_inside_one_column(tmp_path: Path):
    answer = [
        {"value": "Ann", "aliases": ["A.", "Ann", "Anne"]},
        {"value": "so", "aliases": []},
    ]
    other = write(tmp_path, question=["Who?", "Why?"], answer=answer)
    columns = {"answer": "answer.value", "aliases": "answer.aliases"}
    frame, _ = read_hub_source(spec(other, split="train", columns=columns))
    assert frame["answers"].tolist() == [["Ann", "A.", "Anne"], ["so"]]


def test_whether_answers_were_right_is_no_list_of_answers(tmp_path: Path):
    other = write(tmp_path, question=["Who?"], answer=["Ann"], right=[[True, None]])
    message = failing(spec(other, split="train", columns={"correct": "right"}), DataError)
    assert message.endswith(
        "row 1: 'correct' is [True, None], not a list of true and false, one an answer"
    )


def test_columns_that_have_our_names_need_no_mapping(tmp_path: Path):
    other = write(tmp_path, question=["Who?"], answer=["Ann"], score=[2], prompts=[[1]])
    frame, _ = read_hub_source(spec(other, split="train", columns={}))
    assert (frame.answers[0], frame.score[0]) == (["Ann"], 2.0)


def test_only_the_columns_that_are_used_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch):
    chosen = []
    select = datasets.Dataset.select_columns
    monkeypatch.setattr(
        datasets.Dataset,
        "select_columns",
        lambda self, names: chosen.append(names) or select(self, names),
    )
    read_hub_source(spec(folder))
    assert chosen == [["answer", "question"]]


def test_no_such_split(folder: Path):
    assert failing(spec(folder, split="ful"), DataError) == (
        f"facts: {folder} has no split 'ful' (did you mean 'full'?); it has 'full', 'tail'"
    )


def test_no_such_column(folder: Path):
    assert failing(spec(folder, columns={"answers": "answer.alias"}), DataError) == (
        f"{folder}, split 'full': columns maps answers to 'answer.alias', which the table lacks "
        "(did you mean 'answer.aliases'?); it has 'question', 'answer.aliases', 'answer.votes', "
        "'best.value', 'names', 'prompts'"
    )
    assert failing(spec(folder, columns={}), DataError).startswith(
        f"{folder}, split 'full': lacks columns: it needs 'question' and 'answer' (or 'answers'), "
    )


def test_a_row_that_is_no_fact_is_named(tmp_path: Path):
    other = write(tmp_path, question=["Who?", "Why?"], answers=[["Ann"], [""]])
    message = failing(spec(other, split="train", columns={}), DataError)
    assert message == (
        f"{other}, split 'train', row 2: the answer is empty; write one or remove the row"
    )
    message = failing(
        spec(other, split="train", columns={"answers": "question", "question": "answers"}),
        DataError,
    )
    assert message.startswith(f"{other}, split 'train', row 1: the question ['Ann'] is not text")


def test_no_rows(tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "train.csv").write_text("question,answer\n")
    message = failing(spec(other, split="train", columns={}), ConfigError)
    assert 'cannot be read (Instruction "train" corresponds to no data!)' in message


def test_no_such_subset(folder: Path):
    assert failing(spec(folder, subset="small"), ConfigError) == (
        f"facts: {folder} cannot be read (BuilderConfig 'small' not found. Available: ['default']);"
        " check subset, and that the folder is laid out as a dataset of the hub"
    )
    text = "---\nconfigs:\n- config_name: a\n  data_files: data/f*\n- config_name: b\n  data_files: x\n"
    (folder / "README.md").write_text(text + "---\n")
    assert "Please pick one among the available configs: ['a', 'b'])" in failing(
        spec(folder), ConfigError
    )


def test_a_folder_that_holds_no_data(tmp_path: Path):
    (tmp_path / "data").mkdir()
    reason = f"The directory at {tmp_path}/data doesn't contain any data files"
    assert f"cannot be read ({reason})" in failing(spec(tmp_path / "data"), ConfigError)
    (tmp_path / "data/train.parquet").write_text("question,answer")
    assert "cannot be read (Parquet " in failing(spec(tmp_path / "data"), ConfigError)


def test_code_that_comes_with_a_dataset_is_refused(folder: Path):
    (folder / "lighthouses.py").write_text("raise SystemExit")
    assert failing(spec(folder), ConfigError) == (
        f"facts: {folder} comes with code of its own, which never runs (Dataset scripts are no "
        "longer supported, but found lighthouses.py); give a commit of its branch "
        "`refs/convert/parquet` as 'revision', or save its rows as a table"
    )


def test_the_hub_is_out_of_reach():
    assert failing(spec("a/b", revision="1" * 40), ConfigError) == (
        "facts: a/b at 111111111111 cannot be fetched (Couldn't reach 'a/b' on the Hub "
        "(OfflineModeIsEnabled)); check dataset, revision and subset, the network and HF_TOKEN, or "
        "give the folder of a local copy as 'dataset', without a revision"
    )


def test_another_revision_in_the_cache_is_not_taken(tmp_path: Path, folder: Path):
    """The library itself takes the newest revision that it finds there."""
    cached = datasets.load_dataset_builder(str(folder))
    cached.download_and_prepare(tmp_path / f"cache/a___lighthouses/default/0.0.0/{'2' * 40}")
    assert "what is here is not that revision" in failing(
        spec("a/lighthouses", revision="1" * 40), ConfigError
    )
    assert len(read_hub_source(spec("a/lighthouses", revision="2" * 40))[0]) == 3


def test_a_folder_is_read_as_it_is_now(folder: Path) -> None:
    """The library knows a folder by its name and README alone, and would keep what it once read."""
    before, _ = read_hub_source(spec(folder))
    assert before["question"].tolist() == ["Who?", "Why?", "Why?"]
    changed = FULL.set_column(0, "question", pa.array(["When?", "Where?", "Which?"]))
    pq.write_table(changed, folder / "data/full-00000-of-00001.parquet")
    after, _ = read_hub_source(spec(folder))
    assert after["question"].tolist() == ["When?", "Where?", "Which?"]
