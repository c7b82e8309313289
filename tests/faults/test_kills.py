"""A study that is killed 25 times, its process group with SIGKILL, ends as if nothing had been."""

import os
import random
import sys
import time
from pathlib import Path

import pytest
import yaml
from killing import Started, kill_at_random, made
from same import differences
from small_study import CONFIG, clone
from study_tree import Tree

from knowpack.hold import TEMPORARY

KILLS = 25
# The real study in short: one run with dynamics, and one suite.
SHORT = {
    **CONFIG,
    "facts": {"source": "world", "size": 50},
    "prompts": {"count": 2},
    "training": {"loss": "answer", "batch_size": 4, "epochs": 5},
    "grid": [{"unknown": [8], "extra": ["none"], "seeds": [42]}],
    "dynamics": [8],
    "suites": {"general": [{"task": "resources/benchmarks/reasoning.yaml", "limit": 20}]},
}


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("SEED") or time.time())
    print(f"SEED={seed}")
    return random.Random(seed)


def test_with_the_fake_engine(
    source: Tree, finished: Tree, tmp_path: Path, chance: random.Random
) -> None:
    tree = source.copy(tmp_path / "tree")
    command = tree.command("--set-threads", "ask=1", "train_adapter=1")

    def start(number: int) -> Started:
        return Started(command, tree.folder, tree.environment, tmp_path / f"{number}.txt")

    kill_at_random(start, tree.results, len(made(finished.results)), KILLS, chance)
    assert differences(tree.results, finished.results) == []
    assert unfinished(tree.results) == []


def unfinished(results: Path) -> list[Path]:
    """What killed jobs were writing."""
    return [path for path in results.rglob(".*") if TEMPORARY.fullmatch(path.name)]


@pytest.mark.study
def test_with_the_real_engine(tmp_path: Path, chance: random.Random) -> None:
    for module in ("vllm", CONFIG["models"][0]["package"]):
        pytest.importorskip(module, reason=f"{module} is not installed (make setup)")
    folders = [tmp_path / "undisturbed", tmp_path / "killed"]
    for folder in folders:
        clone(folder)
        (folder / "small.yaml").write_text(yaml.safe_dump(SHORT))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "small.yaml"]
    begun = time.monotonic()
    whole = Started(command, folders[0], dict(os.environ), tmp_path / "undisturbed.txt")
    assert whole.end(1200) == 0, whole.text[-5000:]
    print(f"undisturbed: {time.monotonic() - begun:.0f} s", flush=True)
    one, other = (folder / "results/small" for folder in folders)

    def start(number: int) -> Started:
        return Started(command, folders[1], dict(os.environ), tmp_path / f"{number}.txt")

    kill_at_random(start, other, len(made(one)), KILLS, chance)
    print(f"in all: {time.monotonic() - begun:.0f} s", flush=True)
    assert differences(one, other) == []
    assert unfinished(other) == []
