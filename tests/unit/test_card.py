"""The card of an adapter: its numbers are the tables', its code is code, and data stay data."""

import ast
import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from markdown_it import MarkdownIt

from knowpack.card import EXTRAS, asked_first, fenced, front_matter, taught_facts
from knowpack.config import load
from knowpack.config_training import Extra
from knowpack.errors import DataError
from knowpack.export import export_adapter
from knowpack.export_specs import export_spec
from knowpack.tables import read_table, write_table

RUN, MODEL = "uk2-s1", "tiny"
EVIL = "<script>alert(1)</script> | **bold** [x](http://evil.example) `code`\n```\n# head"
QUESTIONS = [f"Who is {EVIL}?", 'What is "it"?\u202e']
CONFIG: dict[str, Any] = {
    "study": "s",
    "models": [{"name": MODEL, "source": "folder", "path": "/secret/place/Tiny-1B"}],
    "facts": {"source": "table", "path": "x.csv", "templates": "resources/relations.yaml"},
    "grid": [{"unknown": [2], "seeds": [1]}],
    "generalization": {},
}
NAMED = {"model": MODEL, "run": RUN, "unknown": 2, "extra": "highly_known", "per_unknown": 1}


def write(frame: pd.DataFrame, path: Path) -> None:
    schema = pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()
    write_table(frame, path, schema)


@pytest.fixture
def folder(tmp_path: Path, text_model: Path) -> Path:
    """A study's folder with all that a card is made from; its weights are no weights."""
    study = tmp_path / "results/s"
    named = {**NAMED, "seed": 1}
    roles = ["unknown", "unknown", "highly_known"]
    rows = {"fact_id": ["a", "b", "c"], "role": roles, "question": [*QUESTIONS, "Known?"]}
    rows = pd.DataFrame({"position": range(3), **rows, "answer": [EVIL, "that", "yes"]})
    write(rows, study / MODEL / RUN / "rows.parquet")
    labels = pd.DataFrame({"fact_id": ["a", "b", "d"], "p_correct": [0.5, 1.0, 0.0]})
    write(labels, study / MODEL / RUN / "labels.parquet")
    facts = pd.DataFrame({"fact_id": ["a", "b", "d"], "relation": [f"is|{EVIL}", None, "other"]})
    write(facts, study / "facts.parquet")
    shots = {"prompt": [0], "position": [0], "question": ["Is it?"], "answer": ["```\nYes"]}
    write(pd.DataFrame(shots), study / "shots.parquet")
    tables = {
        "reliability": [
            {**named, "epoch": 9, "reliability": 0.11, "facts": 2},
            {**named, "epoch": 10, "reliability": 0.75, "facts": 2},
            {**named, "run": "other", "epoch": 10, "reliability": 0.22, "facts": 2},
        ],
        "shifts": [
            {**named, "uk_uk": 3, "hk_mk": 1, "positive_shift": 0.125, "negative_shift": 0.25}
            | {"positive_shift_untrained": None, "negative_shift_untrained": None}
        ],
        "benchmarks": [
            {"model": MODEL, "run": run, "task": "quiz_1", "metric": "acc", "value": value}
            | {"stderr": 0.04, "questions": 120}
            for run, value in (("base", 0.6), (RUN, 0.55))
        ],
        "generalization": [
            {**named, "kind": "held_out", "wordings": 2, "p_correct": 0.4321, "reliability": 0.8}
            | {"facts": 2, "base": 0.1}
        ],
    }
    for name, records in tables.items():
        write(pd.DataFrame(records), study / "tables" / f"{name}.parquet")
    (study / MODEL / "model").symlink_to(text_model)
    adapter = study / MODEL / RUN / "adapter"
    adapter.mkdir()
    made = {"spec": {"rank": 1, "seed": 1}, "code": "c0de", "stack": ["peft==1"], "device": "cpu"}
    made |= {"loss": [[1, 3.0], [8, 0.1234]], "seconds": 12.3}
    (adapter / "run.json").write_text(json.dumps(made))
    config = {"peft_type": "LORA", "r": 1, "base_model_name_or_path": "../model", "revision": None}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    names = ("adapter_config.json", "adapter_model.safetensors")
    sums = [f"{hashlib.sha256((adapter / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (adapter / "SHA256SUMS").write_text("".join(sums))
    return study


@pytest.fixture
def model_record(text_model: Path) -> None:
    """The record of the model's files, which lies in its folder."""
    files = {"model.safetensors": {"bytes": 3, "sha256": "ab12"}, "config.json": {"bytes": 1}}
    (text_model / "model.json").write_text(json.dumps({"source": {}, "files": files}))


def exported(study: Path, config: dict[str, Any] = CONFIG) -> Path:
    where = study / f"export/{MODEL}-{RUN}"
    export_adapter(study, MODEL, RUN, export_spec(load(config), MODEL, merged=False), where)
    return where


def blocks(text: str, language: str = "python") -> list[str]:
    """The blocks of code that a reader of Markdown sees."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [token.content for token in tokens if token.type == "fence" and token.info == language]


@pytest.mark.usefixtures("model_record")
def test_an_exported_adapter_is_whole_and_names_its_model_in_public(folder: Path):
    where = exported(folder)
    assert sorted(path.name for path in where.iterdir()) == [
        "README.md",
        "SHA256SUMS",
        "adapter_config.json",
        "adapter_model.safetensors",
        "facts.parquet",
    ]
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=where, check=True)
    config = json.loads((where / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "Tiny-1B"
    taught = pd.read_parquet(where / "facts.parquet")
    assert taught.role.tolist() == ["unknown", "unknown", "highly_known"]
    assert taught.p_correct.tolist()[:2] == [0.5, 1.0]
    assert taught.p_correct.isna().tolist() == [False, False, True]
    for path in where.iterdir():
        assert b"/secret" not in path.read_bytes(), path


@pytest.mark.usefixtures("model_record")
def test_the_card_has_the_numbers_of_the_tables(folder: Path):
    text = (exported(folder) / "README.md").read_text()
    meta = yaml.safe_load(text.split("---")[1])
    assert meta["base_model"] == "Tiny-1B"
    assert meta["library_name"] == "peft"
    assert "license" not in meta
    for said in (
        "It was taught 2 facts that the model did not know, mixed with facts that the model knew (3",
        "Asked as it was taught, 0.75 of its answers are right.",
        "Of all\n4 facts of the study, 0.125 rose in category and 0.250 fell.",
        "about 2 of them (asked as taught: 0.80; the model itself: 0.10) | 0.43 |",
        "| quiz\\_1 | acc | 0.600 | 0.550 | -0.050 | 0.040 | 120 |",
        "| loss | 3.0000 at step 1, 0.1234 at step 8 |",
        "| model.safetensors | 3 bytes, SHA-256 begins ab12 |",
        f"| adapter | SHA-256 {hashlib.sha256(b'weights').hexdigest()} |",
        "adapter, seed 1. Others",
        "among the 1 of 4 facts that the model knew, as no other can fall, and in the benchmarks above.",
    ):
        assert said in text, said
    assert "untrained" not in text  # null: all facts were trained on


@pytest.mark.usefixtures("model_record")
def test_a_card_says_what_was_scaled_and_which_epoch_was_kept(folder: Path):
    whole = (exported(folder) / "README.md").read_text()
    assert "| strength |" not in whole and "| epochs |" not in whole
    path = folder / MODEL / RUN / "adapter/run.json"
    levers = {"scaled": "uk2-s1-x", "strength": 0.5, "epochs": 5, "best_epoch": 3}
    path.write_text(json.dumps(json.loads(path.read_text()) | levers))
    text = (exported(folder) / "README.md").read_text()
    assert "| strength | 0.5: the adapter of uk2-s1-x, scaled |" in text
    stopped = "stopped after 5; kept is number 3, of the lowest loss on held-out facts"
    assert f"| epochs | {stopped} |" in text


@pytest.mark.usefixtures("model_record")
def test_data_in_a_card_are_only_text(folder: Path):
    text = (exported(folder) / "README.md").read_text()
    tokens = MarkdownIt("commonmark").enable("table").parse(text.split("---\n", 2)[2])
    inline = [child for token in tokens for child in token.children or []]
    assert not [t for t in [*tokens, *inline] if t.type.startswith("html")]
    links = [token.attrs["href"] for token in inline if token.type == "link_open"]
    assert links == ["https://arxiv.org/abs/2502.14502"]
    assert not [token for token in inline if token.type == "strong_open"]
    heads = [tokens[n + 1].content for n, t in enumerate(tokens) if t.type == "heading_open"]
    assert heads == [
        "uk2-s1: 2 facts in a LoRA adapter",
        "What it was taught",
        "How well, and at what cost",
        "How to ask it",
        "What the numbers do not say",
        "How it was made",
    ]
    shown = ["".join(c.content for c in t.children) for t in tokens if t.type == "inline"]
    for data in (QUESTIONS[0], EVIL, f"is|{EVIL}"):
        assert " ".join(data.split()) in shown
    assert "\u202e" not in text


@pytest.mark.usefixtures("model_record")
def test_the_code_of_a_card_is_python_and_asks_the_question_that_is_known_best(folder: Path):
    text = (exported(folder) / "README.md").read_text()
    prompt, transformers, vllm = blocks(text)
    names: dict[str, Any] = {}
    exec(prompt, names)
    assert names["PROMPT"] == "Question: {question}\nAnswer:"
    for code in (transformers, vllm):
        texts = [n.value for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Constant)]
        assert QUESTIONS[1] in texts
        assert names["PROMPT"] in texts
        assert f"../../{MODEL}/model" in texts
        assert [value for value in texts if value == "\n"] == ["\n"]
    assert "gpu_memory_utilization=0.1" in vllm  # the study ran on a CPU
    (shown,) = blocks(text, "text")
    assert shown.startswith("Question: Is it?\nAnswer: ```\nYes\nQuestion: What is")


@pytest.mark.usefixtures("model_record")
def test_a_model_of_the_hub_is_loaded_at_its_revision(folder: Path):
    hub = {"name": MODEL, "source": "hub", "repo": "a/b", "revision": "0" * 40}
    where = exported(folder, {**CONFIG, "models": [hub], "generalization": None})
    config = json.loads((where / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("a/b", "0" * 40)
    text = (where / "README.md").read_text()
    for code in blocks(text):
        ast.parse(code)
    assert f"MODEL, REVISION = 'a/b', '{'0' * 40}'" in text
    assert "from_pretrained(MODEL, revision=REVISION, dtype='auto')" in text
    assert "Whether the facts are known in other wordings was not measured." in text


@pytest.mark.usefixtures("model_record")
def test_what_vllm_does_not_serve_is_to_be_merged(folder: Path):
    path = folder / MODEL / RUN / "adapter/adapter_config.json"
    config = {**json.loads(path.read_text()), "use_dora": True}
    path.write_text(json.dumps(config))
    sums = path.with_name("SHA256SUMS")
    lines = [line for line in sums.read_text().splitlines() if "config" not in line]
    sums.write_text("\n".join(lines) + "\n")
    text = (exported(folder) / "README.md").read_text()
    assert "vLLM does not serve adapters of this kind; export the merged model for it." in text
    assert len(blocks(text)) == 2


def test_a_run_that_is_not_in_the_tables_is_named(folder: Path, model_record: None):
    path = folder / "tables/shifts.parquet"
    write(pd.read_parquet(path).assign(run="other"), path)
    with pytest.raises(DataError, match="run 'uk2-s1' of 'tiny' is not in the study's tables"):
        exported(folder)


def test_a_damaged_adapter_is_not_exported(folder: Path, model_record: None):
    (folder / MODEL / RUN / "adapter/adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(DataError, match="missing or not as it was written"):
        exported(folder)


def test_asked_first(folder: Path):
    assert asked_first(taught_facts(folder, MODEL, RUN)) == QUESTIONS[1]


def test_what_was_held_out_was_not_taught(folder: Path):
    path = folder / MODEL / RUN / "rows.parquet"
    rows = read_table(path)
    held = {"position": 3, "fact_id": "d", "role": "held_out", "question": "Held?", "answer": "no"}
    write(pd.concat([rows, pd.DataFrame([held])], ignore_index=True), path)
    assert taught_facts(folder, MODEL, RUN)["fact_id"].tolist() == ["a", "b", "c"]


def test_a_card_says_what_every_extra_is():
    assert set(EXTRAS) == set(get_args(Extra)) - {"none"}


@pytest.mark.parametrize("text", ["a", "```", "a\n````\nb", "~~~", "\x1b[31m"])
def test_a_fence_holds_anything(text: str):
    (held,) = blocks(fenced(text, "python"))
    assert held == text.replace("\x1b", "\ufffd") + "\n"


def test_the_metadata_of_a_merged_model():
    about = yaml.safe_load(front_matter({"base_model": "a: b\n---\n", "merged": True}))
    assert about["base_model"] == "a: b\n---\n"
    assert (about["library_name"], about["base_model_relation"]) == ("transformers", "finetune")


def test_the_form_of_a_card(folder: Path, model_record: None):
    text = (exported(folder) / "README.md").read_text()
    assert not re.search(r"[ \t]+$", text.split("## How to ask it")[0], re.MULTILINE)
    assert "\n\n\n" not in text
    assert not re.search(r"[^\n]\n## ", text)


@pytest.mark.usefixtures("model_record")
def test_a_chat_models_prompt_is_its_template_s(folder: Path, chat_model: Path):
    (folder / MODEL / "model").unlink()
    (folder / MODEL / "model").symlink_to(chat_model)
    files = {"model.safetensors": {"bytes": 3, "sha256": "ab12"}}
    (chat_model / "model.json").write_text(json.dumps({"files": files}))
    text = (exported(folder) / "README.md").read_text()
    (chat_model / "model.json").unlink()
    prompt, transformers, vllm = blocks(text)
    names: dict[str, Any] = {}
    exec(prompt, names)
    assert names["PROMPT"] == (
        "<bos><|system|>Answer the following question.<eot>"
        "<|user|>Question: {question}<eot><|assistant|>"
    )
    assert "add_special_tokens=False" in transformers
    assert "stop" not in transformers
    assert "add_special_tokens=False" in vllm
    assert "An answer ends with its turn, after 32 tokens" in text
