"""The workflow under Snakemake's own commands, kills and conditions that cannot be run."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from zipfile import ZipFile

import pytest
from study_tree import CONFIG, FACTS, Tree

from knowpack.tables import read_table

GRID = CONFIG["grid"][0]
RUN = "results/small/tiny/uk2-s1"
RECORD = f"{RUN}/adapter/run.json"


def test_the_fake_study_is_whole(finished: Tree) -> None:
    tables = finished.results / "tables"
    assert sorted(path.name for path in tables.glob("*.parquet")) == [
        "answers.parquet",
        "benchmarks.parquet",
        "capacity.parquet",
        "categories.parquet",
        "costs.parquet",
        "frontier.parquet",
        "levers.parquet",
        "published.parquet",
        "reliability.parquet",
        "shift_examples.parquet",
        "shift_reasons.parquet",
        "shifts.parquet",
    ]
    runs = ["uk2-s1", "uk2-hk1-s1", "uk4-s1", "uk4-hk1-s1"]
    assert list(read_table(finished.results / "runs.parquet").run) == runs
    epochs = read_table(tables / "reliability.parquet").groupby("run").epoch.agg(list)
    assert epochs.to_dict() == {run: [1, 2] if "uk4" in run else [2] for run in runs}
    quiz = read_table(tables / "benchmarks.parquet").set_index("run")
    assert list(quiz.index) == [*runs, "base"]
    assert set(zip(quiz.task, quiz.metric, quiz.questions, strict=True)) == {("quiz", "acc", 4)}
    asked = read_table(finished.results / "tiny/base/questions/small.parquet")
    assert quiz.value["base"] == asked.value.mean()
    capacity = read_table(tables / "capacity.parquet")
    assert list(zip(capacity.recipe, capacity.target, capacity.budget, strict=True)) == [
        ("no extras", 0.9, 0.1),
        ("1 HK", 0.9, 0.1),
    ]
    levers = read_table(tables / "levers.parquet")
    assert set(levers.lever) == {"1 HK for no extras"}
    assert list(levers.measure[:4]) == [
        "reliability",
        "positive_shift",
        "negative_shift",
        "quiz acc",
    ]
    cells = read_table(tables / "frontier.parquet")
    assert list(cells.unknown) == [2, 2, 4, 4]
    assert (cells.groupby("unknown").pick.sum() == 1).all()
    # The fake answers as it is meant to: of each category there are enough to be taught.
    base = read_table(finished.results / "tiny/base/labels.parquet").category.value_counts()
    assert base.sum() == len(FACTS)
    assert set(base.index) == {"Unknown", "MaybeKnown", "HighlyKnown"}


def test_lint_finds_nothing(source: Tree) -> None:
    status, text = source.snakemake("--lint")
    assert status == 0, text
    assert "Congratulations, your workflow is in a good condition!" in text


@pytest.mark.parametrize("name", ["snakemake-report.html", "snakemake-report.zip"])
def test_snakemakes_own_report(tree: Tree, name: str) -> None:
    status, text = tree.snakemake("--report", name)
    assert status == 0, text
    if name.endswith("zip"):
        with ZipFile(tree.folder / name) as archive:
            names = {Path(inside).name for inside in archive.namelist()}
        assert {"report.html", "reliability_by_epoch.svg", "shifts_by_unknown.svg"} <= names
    else:
        page = (tree.folder / name).read_text(encoding="utf-8")
        assert "taught ones among them) whose category rose (positive) or fell" in page


def test_config_on_the_command_line_extends_the_file(finished: Tree) -> None:
    planned = finished.planned("--config", 'training={"rank": 2}', "dynamics=[]")
    trained = {"train_adapter": 4, "ask": 8, "label": 4, "score_suite": 4}
    names = ["reliability", "shifts", "answers", "shift_reasons", "benchmarks", "published"]
    tables = {f"table_{name}": 1 for name in [*names, "capacity", "costs"]}
    shown = {"draw_figure": 8, "make_report": 1}
    assert planned == {"list_runs": 1, **trained, **tables, **shown}


def test_the_facts_can_be_made_and_seen_alone(source: Tree, tmp_path: Path) -> None:
    tree = source.copy(tmp_path / "tree")
    (tree.folder / "facts").touch()
    assert tree.planned("facts") == {"facts": 1, "build_facts": 1, "describe_facts": 1}


def test_a_configfile_stands_alone(source: Tree, tmp_path: Path) -> None:
    # With no facts of its own, a study that were merged into the default would take the default's.
    tree = source.copy(tmp_path / "tree")
    (tree.folder / "study.yaml").write_text("study: small\n")
    status, text = tree.snakemake("--dry-run")
    assert status == 1
    for key in ("models", "facts", "grid"):
        assert f"  {key}: this key is needed\n" in text
    status, text = tree.snakemake("--dry-run", config=None)
    assert status == 0, text


def test_a_condition_that_needs_more_facts_fails_alone(tree: Tree) -> None:
    # Two levels are new, of which only the larger cannot be had.
    tree.configure(grid=[{**GRID, "unknown": [2, 3, 4, 59], "extra": ["none"]}])
    folder = tree.results / "tiny"
    status, text = tree.snakemake(
        *(f"results/small/tiny/uk{level}-s1/adapter/run.json" for level in (3, 59))
    )
    unknown = read_table(folder / "base/pools.parquet").pool.eq("unknown").sum()
    assert status == 1
    message = (
        f"error: 59 Unknown facts are needed, but there are {unknown}; "
        f"take {unknown} in grid.unknown, or study more facts (facts.size, or more rows of a table)"
    )
    assert message in (tree.results / "logs/select_rows/tiny/uk59-s1.log").read_text()
    assert message in text
    assert "Traceback" not in text
    assert (folder / "uk3-s1/adapter/run.json").is_file()
    assert not (folder / "uk59-s1/rows.parquet").exists()


def test_a_killed_study_starts_again(tree: Tree) -> None:
    shutil.rmtree(tree.folder / RUN / "adapter")
    shutil.rmtree(tree.folder / RUN / "checkpoints", ignore_errors=True)
    tree.configure(training={"epochs": 20, "batch_size": 1})
    killed = subprocess.Popen(
        tree.command(RECORD),
        cwd=tree.folder,
        env=tree.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list((tree.folder / RUN).glob("checkpoints/checkpoint-*/trainer_state.json")):
        assert killed.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGSTOP)  # it is alive, and does not end while we look
    status, text = tree.snakemake(RECORD)
    assert status == 1
    assert "results/small: another run is at work here; wait for its end, or stop it" in text
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tree.folder / RECORD).exists()
    status, text = tree.snakemake(RECORD)
    assert status == 0, text
    assert (tree.folder / RECORD).is_file()
