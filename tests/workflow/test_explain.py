"""Every job of a study leaves its record, and runs and tables are explained from them."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from study_tree import CONFIG, Tree

from knowpack.config import load
from knowpack.explain_study import Place, explain_run, explain_table
from knowpack.records import read_records
from knowpack.runs import run_table

RUNS = ["base", "uk2-s1", "uk2-hk1-s1", "uk4-s1", "uk4-hk1-s1"]
UNCHANGED = "  Every recorded file is as it was.\n"
THE_SAME = "  The present configuration and code would make it in the same way.\n"
UNKNOWN = "Not known, for want of a record"


def place(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Place:
    """What `make explain` reads in a checkout."""
    monkeypatch.chdir(tree.folder)
    study = load(yaml.safe_load(Path("study.yaml").read_text()))
    folder = Path("results/small")
    return Place(folder, study, run_table(study), read_records(folder))


def explained(tree: Tree, *variables: str) -> tuple[int, str]:
    """What `make explain` says in a checkout, with nothing to set up."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # Not part of the `make test` that may run this.
    outside = {key: value for key, value in tree.environment.items() if not key.startswith("MAKE")}
    done = subprocess.run(
        ["make", "--old-file=setup", "explain", "CONFIG=study.yaml", *variables],
        cwd=tree.folder,
        env={**outside, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_every_job_leaves_a_record_where_it_leaves_its_log(finished: Tree) -> None:
    def names(folder: str) -> set[str]:
        found = (finished.results / folder).rglob("*.*")
        return {str(path.relative_to(finished.results / folder).with_suffix("")) for path in found}

    assert names("records") == names("logs") and names("records")
    for path in (finished.results / "records").rglob("*.json"):
        text = path.read_text()
        assert str(finished.folder) not in text and platform.release() not in text
        record = json.loads(text)
        assert record["rule"] == path.relative_to(finished.results / "records").parts[
            0
        ].removesuffix(".json")
        assert record["outputs"] and record["code"] and record["script"].endswith(".py")


def test_what_is_unchanged_is_explained_as_such(finished, monkeypatch) -> None:
    there = place(finished, monkeypatch)
    tables = sorted(path.stem for path in there.folder.glob("tables/*.parquet"))
    pages = {run: explain_run(there, run, None) for run in RUNS}
    pages |= {table: explain_table(there, table) for table in tables}
    for name, text in pages.items():
        assert text.endswith(f"\nNOW\n{UNCHANGED}{THE_SAME}"), name
        assert max(map(len, text.splitlines())) <= 100, name
    assert "4 Unknown facts, each with 1 HighlyKnown fact; seed 1\n" in pages["uk4-hk1-s1"]
    for title in ("DATA", "MODEL", "TRAINING", "ASKED", "RESULTS", "HOW IT WAS MADE"):
        assert f"\n{title}\n" in pages["uk4-hk1-s1"]
    assert "  runs          4: tiny uk2-hk1-s1, tiny uk2-s1, " in pages["shifts"]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_explain(finished: Tree) -> None:
    status, text = explained(finished, "RUN=uk2-s1")
    assert status == 0, text
    assert text.startswith("uk2-s1 of tiny, study 'small'\n")
    status, text = explained(finished, "TABLE=costs", "MODEL=")
    assert status == 0, text
    assert text.startswith("table 'costs', study 'small'\n")
    for variables, line in [
        ([], f"error: write RUN=, one of {', '.join(RUNS)}; or TABLE=, one of categories, "),
        (["RUN=uk2-s2"], "error: there is no run 'uk2-s2' (did you mean 'uk2-s1'?); one of base, "),
        (
            ["RUN=base", "MODEL=tiny2"],
            "error: there is no model 'tiny2' (did you mean 'tiny'?); one",
        ),
        (["TABLE=shift"], "error: there is no table 'shift' (did you mean 'shifts'?); one of "),
    ]:
        status, text = explained(finished, *variables)
        assert status == 2 and text.startswith(line), text
        assert "Traceback" not in text


def test_a_page_says_what_has_changed_since(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.configure(training={**CONFIG["training"], "learning_rate": 0.01})
    rows = tree.results / "tiny/uk2-s1/rows.parquet"
    rows.write_bytes(rows.read_bytes() + b"\0")
    (tree.results / "tiny/uk2-s1/labels.parquet").unlink()
    there = place(tree, monkeypatch)
    text = explain_run(there, "uk2-s1", "tiny")
    assert "  tiny/uk2-s1/rows.parquet: changed since (SHA-256 " in text
    assert "  train_adapter: learning_rate: 0.001 then, 0.01 now\n" in text
    assert UNCHANGED not in text and THE_SAME not in text
    base = explain_run(there, "base", None)
    assert UNCHANGED in base and THE_SAME in base
    text = explain_table(there, "shifts")
    assert "  tiny/uk2-s1/labels.parquet: gone\n" in text
    assert "  train_adapter (4 jobs): learning_rate: 0.001 then, 0.01 now\n" in text


def test_what_has_no_record_is_not_known_and_runs_nothing(tree: Tree, monkeypatch) -> None:
    shutil.rmtree(tree.results / "records/select_rows")
    shutil.rmtree(tree.results / "records/train_adapter")
    text = explain_run(place(tree, monkeypatch), "uk2-s1", None)
    assert "  condition     not known: there is no record of its rows\n" in text
    assert "  made with     code " in text
    found = " ".join(text.partition(UNKNOWN)[2].split())
    assert found.endswith(
        ": tiny/uk2-s1/adapter/SHA256SUMS, tiny/uk2-s1/adapter/adapter_config.json, "
        "tiny/uk2-s1/adapter/adapter_model.safetensors, tiny/uk2-s1/adapter/run.json, "
        "tiny/uk2-s1/rows.parquet"
    )
    shutil.rmtree(tree.results / "records")
    assert tree.planned() == {}
    text = explain_run(place(tree, monkeypatch), "uk2-s1", None)
    assert UNKNOWN in text and "RESULTS\n" in text
