"""A machine of two GPUs, in name: the profile for it, and which job has which."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nvidia_smi import install_nvidia_smi
from study_tree import Tree

MADE = ["tiny/model/model.json", "facts.parquet", "shots.parquet", "suites/small.json"]
SUITES = ["facts", "small"]
ANSWERS = [f"results/small/tiny/base/responses/{suite}.parquet" for suite in SUITES]
HOLD = "import sys; from knowpack.devices import claim; claim(1, print); print(); sys.stdin.read()"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, source: Tree) -> Tree:
    """The study with all that a model needs to be asked its first questions. Not to be changed."""
    tree = source.copy(tmp_path_factory.mktemp("prepared") / "tree")
    status, text = tree.snakemake(*(f"results/small/{name}" for name in MADE))
    assert status == 0, text
    return tree


@pytest.fixture
def gpus(prepared: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """The prepared study on a machine of two GPUs."""
    monkeypatch.setenv(
        "PATH", str(install_nvidia_smi(tmp_path / "bin", 2, os.getpid())), prepend=":"
    )
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "engines").mkdir()
    monkeypatch.setenv("KNOWPACK_FAKE_DEVICES", str(tmp_path / "engines"))
    tree = prepared.copy(tmp_path / "tree")
    tree.configure(device="cuda")
    return tree


def ask(tree: Tree, company: int, *arguments: str) -> list[dict[str, Any]]:
    """Ask the model both suites with the profile; return which GPUs each engine had and when."""
    os.environ["KNOWPACK_FAKE_COMPANY"] = str(company)
    status, text = tree.snakemake("--profile", "workflow/profiles/gpus", *arguments, *ANSWERS)
    assert status == 0, text
    files = Path(os.environ["KNOWPACK_FAKE_DEVICES"]).glob("*.json")
    engines = sorted((json.loads(file.read_text()) for file in files), key=lambda e: e["start"])
    assert len(engines) == len(ANSWERS)
    return engines


def test_two_engines_run_side_by_side_each_on_its_own_gpu(gpus: Tree) -> None:
    first, second = ask(gpus, company=2)
    assert {first["visible"], second["visible"]} == {"0", "1"}
    assert second["start"] < first.get("end", math.inf)  # without one it lived on to the run's end


def test_two_engines_never_run_on_one_gpu(gpus: Tree) -> None:
    library = {"PYTHONPATH": str(gpus.folder / "workflow/scripts")}
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=os.environ | library,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    other.stdout.readline()
    first, second = ask(gpus, company=1)
    other.communicate()
    assert first["visible"] == second["visible"] == "1"
    assert first["end"] < second["start"]
    logs = [(gpus.results / f"logs/ask/tiny/base/{suite}.log").read_text() for suite in SUITES]
    assert sum("\nwaiting for 1 of 2 GPUs\n" in log for log in logs) == 1


@pytest.mark.slow
def test_an_engine_has_as_many_gpus_as_the_configuration_says(gpus: Tree) -> None:
    planned = gpus.planned(*ANSWERS)
    gpus.configure(device="cuda", jobs={"ask": {"devices": 2}, "train": {"devices": 2}})
    assert gpus.planned(*ANSWERS) == planned  # another number runs nothing again
    for engine in ask(gpus, company=1):
        assert (engine["visible"], engine["count"]) == ("0,1", 2)


def test_jobs_that_want_more_gpus_than_the_profile_has(gpus: Tree) -> None:
    gpus.configure(device="cuda", jobs={"train": {"devices": 2}})
    status, text = gpus.snakemake("--dry-run", "--resources", "gpu=1")
    assert status == 1
    assert (
        "jobs: devices: 2 GPUs for one job, where the profile or --resources has gpu=1; "
        "raise the one or lower the other"
    ) in text


def test_batches_that_the_devices_cannot_share(gpus: Tree) -> None:
    gpus.configure(jobs={"train": {"devices": 3}})
    status, text = gpus.snakemake("--dry-run")
    assert status == 1
    assert (
        "jobs.train.devices: 3 devices cannot share batches of 4 rows equally "
        "(training.batch_size); take a number that divides 4"
    ) in text
