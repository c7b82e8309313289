"""Levers that the paper does not have: what they plan, and a small study in which each is pulled."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from study_tree import CONFIG, Tree
from test_rerun import COUNTED

from knowpack.sums import check_sums
from knowpack.tables import read_table

GRID = CONFIG["grid"][0]
EXTRAS = {"unknown": [4], "extra": ["same_domain", "replay"], "seeds": [1]}
LEVER = {"unknown": [4], "extra": ["highly_known"], "seeds": [1]}
LEVERS: list[dict[str, Any]] = [
    {"strength": [1.0, 0.5]},
    {"method": ["dora", "loraplus"]},
    {"patience": 1, "held_out": 3, "learning_rate": 0.5, "epochs": 4},
    {"extras_from": 2},
]
RUNS = ["sd1-s1", "rp1-s1", "hk1-s1", "hk1-s1-strength0.5", "hk1-s1-methoddora"]
RUNS += ["hk1-s1-methodloraplus", "hk1-s1-epochs4-learning_rate0.5-patience1-held_out3"]
RUNS += ["hk1-s1-extras_from2"]
TABLES = [f"results/small/tables/{name}.parquet" for name in ("reliability", "shifts", "costs")]


def test_a_new_strength_trains_nothing(tree: Tree) -> None:
    """Asking and scoring are of the scaled adapters alone, and dynamics of none."""
    tree.configure(grid=[{**GRID, "training": {"strength": [1.0, 0.5]}}])
    scaled = {"select_rows": 4, "scale_adapter": 4, "ask": 8, "label": 4, "score_suite": 4}
    assert tree.planned() == {"list_runs": 1, **scaled, **COUNTED}


@pytest.mark.parametrize(
    ("grid", "planned"),
    [
        (
            {**GRID, "extra": ["none", "highly_known", "replay"]},
            {"select_rows": 2, "train_adapter": 2, "ask": 5, "label_epochs": 1},
        ),
        (
            {**GRID, "training": {"patience": [0, 1]}},
            {"select_rows": 4, "train_adapter": 4, "ask": 8},
        ),
        (
            {**GRID, "training": {"extras_from": [1, 2]}},
            {"select_rows": 2, "train_adapter": 2, "ask": 5, "label_epochs": 1},
        ),
    ],
    ids=["replay", "patience", "extras_from"],
)
def test_a_lever_more_leaves_what_was_made(
    tree: Tree, grid: dict[str, Any], planned: dict[str, int]
) -> None:
    tree.configure(grid=[grid])
    judged = dict.fromkeys(("label", "score_suite"), planned["train_adapter"])
    assert tree.planned() == {"list_runs": 1, **planned, **judged, **COUNTED}


def test_the_shipped_comparison_of_levers(source: Tree, tmp_path: Path) -> None:
    planned = source.copy(tmp_path / "tree").planned(config="config/levers.yaml")
    runs, trained = 42, 36
    assert planned["train_adapter"] == trained
    assert planned["scale_adapter"] == runs - trained
    assert planned["select_rows"] == runs
    assert planned["ask"] == 2 * (runs + 1)


def test_a_strength_without_its_sibling_is_refused(source: Tree, tmp_path: Path) -> None:
    tree = source.copy(tmp_path / "tree")
    tree.configure(grid=[{**GRID, "training": {"strength": [0.5]}}])
    status, text = tree.snakemake("--dry-run")
    assert status == 1
    assert (
        "grid.0.training.strength: the adapter of 'uk2-s1-strength0.5' is that of 'uk2-s1', scaled, "
        "which no grid has; add 1 to the values of strength"
    ) in text
    assert "Traceback" not in text


@pytest.fixture(scope="module")
def pulled(source: Tree, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A study in which every lever was pulled."""
    tree = source.copy(tmp_path_factory.mktemp("pulled") / "tree")
    levers = [{**LEVER, "training": lever} for lever in LEVERS]
    tree.configure(grid=[EXTRAS, *levers], suites={}, dynamics=[4])
    status, text = tree.snakemake(*TABLES, "--set-threads", "ask=1", "train_adapter=1")
    assert status == 0, text
    return tree


def record(tree: Tree, run: str) -> dict[str, Any]:
    adapter = check_sums(tree.results / f"tiny/uk4-{run}/adapter/SHA256SUMS")
    return json.loads((adapter / "run.json").read_text())


def test_every_run_has_an_adapter_and_its_rows(pulled: Tree) -> None:
    runs = read_table(pulled.results / "runs.parquet")
    assert set(runs.run) == {f"uk4-{run}" for run in RUNS}
    assert [record(pulled, run)["run"] for run in RUNS] == [f"uk4-{run}" for run in RUNS]
    roles = {
        run: read_table(pulled.results / f"tiny/uk4-{run}/rows.parquet").role.value_counts()
        for run in RUNS
    }
    for run in RUNS:
        kinds = {"unknown": 4, "replay" if run == "rp1-s1" else "highly_known": 4}
        kinds |= {"held_out": 3} if "patience" in run else {}
        assert roles[run].to_dict() == kinds  # these facts have no domain


def test_a_scaled_adapter_is_its_siblings(pulled: Tree) -> None:
    half, whole = record(pulled, "hk1-s1-strength0.5"), record(pulled, "hk1-s1")
    assert half == {**whole, "run": half["run"], "scaled": whole["run"], "strength": 0.5}
    folders = [pulled.results / f"tiny/{made['run']}/adapter" for made in (whole, half)]
    weights, others = ((folder / "adapter_model.safetensors").read_bytes() for folder in folders)
    assert weights == others
    one, other = (json.loads((folder / "adapter_config.json").read_text()) for folder in folders)
    assert other == {**one, "lora_alpha": one["lora_alpha"] / 2}


def test_tables_of_levers(pulled: Tree) -> None:
    tables = {
        name: read_table(pulled.results / f"tables/{name}.parquet")
        for name in ("reliability", "costs")
    }
    epochs = tables["reliability"].groupby("run").epoch.agg(["min", "max"])
    best = record(pulled, RUNS[6])["best_epoch"]
    assert epochs.loc[f"uk4-{RUNS[6]}"].tolist() == [best, best]
    assert epochs.loc["uk4-hk1-s1-strength0.5"].tolist() == [2, 2]
    assert epochs.loc["uk4-hk1-s1-extras_from2"].tolist() == [1, 2]
    costs = tables["costs"]
    trained = set(costs.run[costs.rule == "train_adapter"])
    assert trained == {f"uk4-{run}" for run in RUNS} - {"uk4-hk1-s1-strength0.5"}


def test_a_page_of_a_scaled_run(pulled: Tree) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "knowpack.explain_study", "--config=study.yaml"]
        + ["--run=uk4-hk1-s1-strength0.5"],
        cwd=pulled.folder,
        env=pulled.environment | {"PYTHONPATH": str(pulled.folder / "workflow/scripts")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "strength      0.5: the adapter of uk4-hk1-s1, scaled" in done.stdout
    assert "scale_adapter" in done.stdout and "train_adapter" in done.stdout
    assert "Every recorded file is as it was." in done.stdout
