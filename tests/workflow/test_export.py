"""The target `adapter`: what is planned, what is asked of the user, and what it leaves alone."""

import json
import subprocess

from study_tree import Tree

RUN = "uk2-hk1-s1"
FOLDER = f"results/small/export/tiny-{RUN}"
CHOSEN = ("adapter", "--config", f"export={{run: {RUN}}}")


def test_runs_are_named_where_an_unknown_one_is_asked_for(source: Tree) -> None:
    runs = "uk2-s1, uk2-hk1-s1, uk4-s1, uk4-hk1-s1"
    status, text = source.snakemake("adapter", "--dry-run", "--config", "export={run: uk3-s1}")
    assert status == 1
    assert f"there is no run 'uk3-s1' (did you mean 'uk4-s1'?); one of {runs}" in text
    assert "Traceback" not in text


def test_the_recommended_adapter_is_exported_where_none_is_named(tree: Tree) -> None:
    assert tree.planned("adapter") == {"recommend": 1, "adapter": 1}
    loose = ("adapter", "--config", "capacity={targets: [0.01], budgets: [1]}")
    status, text = tree.snakemake(*loose)
    assert status == 0, text
    export = tree.folder / "results/small/export"
    chosen = json.loads((export / "recommended.json").read_text())
    assert chosen["run"].startswith("uk4-")
    assert (export / f"tiny-{chosen['run']}" / "README.md").is_file()
    assert tree.planned(*loose) == {}


def test_no_adapter_is_recommended_that_no_bar_allows(tree: Tree) -> None:
    status, text = tree.snakemake("adapter", "--config", "capacity={targets: [1], budgets: [0]}")
    assert status == 1
    assert "no recipe has reliability 1 with harm 0 at any number of facts; change" in text


def test_an_adapter_is_exported(tree: Tree) -> None:
    assert tree.planned(*CHOSEN) == {"export_adapter": 1, "adapter": 1}
    status, text = tree.snakemake(*CHOSEN)
    assert status == 0, text
    folder = tree.folder / FOLDER
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny-model"
    card = (folder / "README.md").read_text()
    assert f"# {RUN}: 2 facts in a LoRA adapter" in card
    assert "mixed with facts that the model knew (4 rows in\nall)" in card
    assert "| quiz | acc | " in card
    for path in folder.iterdir():
        assert str(tree.folder).encode() not in path.read_bytes(), path
    assert tree.planned(*CHOSEN) == {}
    assert tree.planned() == {}


def test_a_merged_model_is_exported(tree: Tree) -> None:
    merged = ("adapter", "--config", f"export={{run: {RUN}, merged: true}}")
    assert tree.planned(*merged) == {"export_merged": 1, "adapter": 1}
    status, text = tree.snakemake(*merged)
    assert status == 0, text
    folder = tree.folder / f"{FOLDER}-merged"
    names = {path.name for path in folder.iterdir()}
    assert {"README.md", "config.json", "model.safetensors", "tokenizer_config.json"} <= names
    assert "model.json" not in names
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    card = (folder / "README.md").read_text()
    assert "library_name: transformers" in card
    assert "peft" not in card.partition("## How to ask it")[2].partition("## What the numbers")[0]
