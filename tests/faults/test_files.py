"""Files that vanish or are damaged: one clear line that names them, and going on."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from killing import Started
from short_tree import AGAIN, RECORD, RUN, SHORT, long_training
from study_tree import Tree

SHIFTS = "results/small/tables/shifts.parquet"


def damage(path: Path, content: bytes) -> None:
    """Change a file as a bad disk does, which leaves its time stamp."""
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def unkept(tree: Tree) -> Tree:
    """Without what is kept of earlier trainings and answers, so that all is made."""
    shutil.rmtree(tree.results / "kept", ignore_errors=True)
    return tree


def test_the_facts_file_is_gone_before_a_run(tree: Tree) -> None:
    (tree.folder / "facts.csv").unlink()
    (tree.folder / SHIFTS).unlink()
    status, text = tree.snakemake(SHIFTS)
    assert status == 1
    assert "facts.csv" in text
    assert "Traceback" not in text


def test_the_facts_file_goes_during_a_run(tree: Tree, start: Callable[..., Started]) -> None:
    (tree.results / "facts.parquet").unlink()
    started = start(tree, "results/small/facts.parquet")
    started.until(lambda: "Building DAG" in started.text)
    (tree.folder / "facts.csv").unlink()
    assert started.end() == 1
    assert "facts.csv" in started.text
    assert not (tree.results / "facts.parquet").exists()


def test_responses_are_deleted(tree: Tree) -> None:
    unkept(tree)
    folder = "results/small/tiny/uk4-s1"
    gone, labels = (
        tree.folder / folder / name for name in ("responses/facts.parquet", "labels.parquet")
    )
    before = labels.read_bytes()
    gone.unlink()
    assert tree.planned() == {}  # what was made of them is there
    labels.unlink()
    status, text = tree.snakemake(f"{folder}/labels.parquet")
    assert status == 0, text
    assert gone.is_file()
    assert labels.read_bytes() == before


@pytest.mark.parametrize("step", [RECORD, f"{RUN}/responses/facts.parquet"])
def test_the_models_weights_are_deleted(tree: Tree, step: str) -> None:
    unkept(tree)
    (tree.results / "tiny/model/model.safetensors").unlink()
    (tree.folder / step).unlink()
    status, text = tree.snakemake(step)
    assert status == 1
    assert not (tree.folder / step).exists()
    line = "error: results/small/tiny/model/model.safetensors: missing or not as it was; delete "
    assert f"{line}results/small/tiny/model/model.json and run the same command again" in text
    assert text.rstrip().endswith(AGAIN)
    (tree.results / "tiny/model/model.json").unlink()
    status, text = tree.snakemake(step)
    assert status == 0, text


@pytest.mark.parametrize("how", ["truncated", "flipped", "deleted"])
def test_a_damaged_adapter(tree: Tree, how: str) -> None:
    unkept(tree)
    weights = tree.folder / RUN / "adapter/adapter_model.safetensors"
    asked = tree.folder / RUN / "responses/facts.parquet"
    content = weights.read_bytes()
    if how == "deleted":
        weights.unlink()
    elif how == "truncated":
        damage(weights, content[: len(content) // 2])
    else:
        damage(weights, content[:-100] + bytes(255 - byte for byte in content[-100:]))
    asked.unlink()
    status, text = tree.snakemake(str(asked.relative_to(tree.folder)))
    if how == "deleted":  # Snakemake sees that it is gone, or else it is found out
        assert status == 0 or not asked.exists()
    else:
        assert status == 1
        assert (
            f"error: {weights.relative_to(tree.folder)}: missing or not as it was written" in text
        )
        assert not asked.exists()
    (weights.parent / "SHA256SUMS").unlink()
    status, text = tree.snakemake(str(asked.relative_to(tree.folder)))
    assert status == 0, text


def test_a_damaged_adapter_of_an_epoch(tree: Tree) -> None:
    unkept(tree)
    weights = tree.folder / RUN / "epochs/1/adapter_model.safetensors"
    asked = tree.folder / RUN / "responses/dynamics.parquet"
    damage(weights, weights.read_bytes()[:-20])
    asked.unlink()
    status, text = tree.snakemake(str(asked.relative_to(tree.folder)))
    assert status == 1
    sums = f"{RUN}/adapter/SHA256SUMS"  # of the training, which makes the epochs too
    named = f"error: {weights.relative_to(tree.folder)}: missing or not as it was written"
    assert f"{named}; delete {sums} and run again" in text
    assert not asked.exists()
    (tree.folder / sums).unlink()
    status, text = tree.snakemake(str(asked.relative_to(tree.folder)))
    assert status == 0, text


@pytest.mark.parametrize(
    ("damaged", "made"),
    [
        ("facts.parquet", "tiny/base/responses/facts.parquet"),
        ("tiny/uk4-s1/responses/facts.parquet", "tiny/uk4-s1/labels.parquet"),
        ("tiny/uk4-s1/labels.parquet", "tables/shifts.parquet"),
        ("tiny/uk4-s1/rows.parquet", "tiny/uk4-s1/adapter/run.json"),
    ],
)
def test_a_truncated_table(tree: Tree, damaged: str, made: str) -> None:
    unkept(tree)
    path = tree.results / damaged
    damage(path, path.read_bytes()[:-20])
    (tree.results / made).unlink()
    status, text = tree.snakemake(f"results/small/{made}")
    assert status == 1
    assert f"error: results/small/{damaged}: not a readable parquet table" in text
    assert "delete it and run again" in text
    assert not (tree.results / made).exists()
    path.unlink()
    status, text = tree.snakemake(f"results/small/{made}")
    assert status == 0, text


def test_a_checkpoint_that_is_cut_short(tree: Tree, start: Callable[..., Started]) -> None:
    long_training(tree)
    started = start(tree, RECORD)
    folder = tree.folder / RUN / "checkpoints"
    started.until(lambda: list(folder.glob("checkpoint-*/trainer_state.json")))
    started.send(9, group=True)
    started.end()
    for state in folder.glob("checkpoint-*/trainer_state.json"):
        damage(state, state.read_bytes()[:50])
    tree.configure(**SHORT, training={"epochs": 2, "batch_size": 1})
    status, text = tree.snakemake(RECORD)
    assert status == 0, text
