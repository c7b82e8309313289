from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowpack.config_sources import HubFacts
from knowpack.errors import ConfigError, DataError
from knowpack.hub import read_hub_source
from knowpack.hub_names import known_datasets, with_known
from knowpack.source_checks import check_source
from knowpack.specs import facts_spec

LLAMA = "s-nlp/Llama-3.1-8B-Instruct-DBpedia-HighlyKnown"
MISTRAL = "s-nlp/Mistral-7b-0.3-Instruct-DBpedia-HighlyKnown"
AUTHORS = {"answers": "answer.aliases", "correct": "p_greed"}
ROWS = {
    "question": ["Who?", "Why?", "When?"],
    "answer": [[{"aliases": ["Ann", "A."]}] * 2, [{"aliases": ["so"]}], [{"aliases": ["1969"]}]],
    "p_greed": [[True, False], [True, True], [False, False]],
}


def facts(dataset: str, **keys: Any) -> HubFacts:
    return HubFacts(source="hub", dataset=dataset, **keys)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local copy of one of the authors' sets, below the working folder under its id."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / LLAMA / "data"
    folder.mkdir(parents=True)
    pq.write_table(pa.table(ROWS), folder / "full-00000-of-00001.parquet")
    return folder


@pytest.mark.parametrize("name", known_datasets())
def test_what_is_known_is_a_source_of_facts(name: str) -> None:
    known = known_datasets()[name]
    found = with_known(facts(name))
    assert found == facts(name, **known)
    if found.revision:
        check_source("facts", found)


def test_what_the_configuration_says_wins() -> None:
    spec = facts_spec(facts(LLAMA))
    assert (spec["split"], spec["columns"]) == ("full", AUTHORS)
    assert len(spec["revision"]) == 40
    own = {"revision": "1" * 40, "split": "train", "columns": {"answers": "a"}}
    assert facts_spec(facts(LLAMA, **own)).items() >= own.items()
    assert with_known(with_known(facts(LLAMA, split="train"))).split == "train"
    assert with_known(facts("a/b")) == facts("a/b")


def test_a_misspelt_name_and_one_without_a_known_commit() -> None:
    rest = (
        "; write the path of one, or pin a dataset of the hub with extra_facts.revision, the "
        "commit's 40 hexadecimal digits"
    )
    for name, hint in [(LLAMA[:-1], f" (did you mean '{LLAMA}'?)"), (MISTRAL, "")]:
        with pytest.raises(ConfigError) as caught:
            check_source("extra_facts", facts(name))
        message = f"extra_facts.dataset: there is no folder {name}{hint}{rest}"
        assert str(caught.value) == message
    check_source("facts", facts(MISTRAL, revision="1" * 40))


def test_a_local_copy_is_read_as_the_set_is_with_the_categories_of_its_answers(copy: Path) -> None:
    check_source("facts", facts(LLAMA))
    spec = facts_spec(facts(LLAMA))
    assert "revision" not in spec
    frame, _ = read_hub_source(spec)
    assert frame[["question", "answers", "published_category"]].to_numpy().tolist() == [
        ["Who?", ["Ann", "A."], "MaybeKnown"],
        ["Why?", ["so"], "HighlyKnown"],
        ["When?", ["1969"], "Unknown"],
    ]


def test_a_copy_without_the_split_or_the_columns(copy: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_hub_source(facts_spec(facts(LLAMA, split="train")))
    assert str(caught.value) == f"facts: {LLAMA} has no split 'train'; it has 'full'"
    pq.write_table(pa.table(ROWS).drop(["p_greed"]), copy / "full-00000-of-00001.parquet")
    with pytest.raises(DataError) as caught:
        read_hub_source(facts_spec(facts(LLAMA)))
    assert str(caught.value) == (
        f"{LLAMA}, split 'full': columns maps correct to 'p_greed', which the table lacks; it has "
        "'question', 'answer.aliases'"
    )
