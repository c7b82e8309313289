"""A copy of the checkout with a small study in it, and Snakemake run there as users run it."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FAKE = Path(__file__).parent / "fake"
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "results", ".snakemake", "__pycache__", ".*_cache"
)
# Of 60 made-up facts the fake engine's "model" knows a third, and a third in some prompts only.
FACTS = {f"Which harbour is nearest to lighthouse {n}?": f"Port {n:03d}" for n in range(60)}
QUIZ = [
    {"question": f"Is lighthouse {n} lit?", "choices": ["yes", "not now"], "answer": n % 2}
    for n in range(4)
]
TASK = """\
task: quiz
dataset_path: json
dataset_kwargs: {data_files: {test: quiz/quiz.jsonl}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{question}}"
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
"""
SAME_AS_ITS_QUESTION = ("Which harbour is Port Royal?", "Port Royal")
CONFIG: dict[str, Any] = {
    "study": "small",
    "models": [{"name": "tiny", "source": "folder", "path": "tiny-model"}],
    "facts": {"source": "table", "path": "facts.csv"},
    "prompts": {"count": 2, "shots": 2},
    "training": {"epochs": 2, "batch_size": 4},
    "grid": [{"unknown": [2, 4], "extra": ["none", "highly_known"], "seeds": [1]}],
    "dynamics": [4],
    "suites": {"small": [{"task": "quiz/quiz.yaml"}]},
}


class Tree:
    """A checkout with a study file and its data; ``folder`` is its root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path, model: Path) -> "Tree":
        """Copy the checkout's sources, and write the study beside them."""
        shutil.copytree(ROOT, folder, symlinks=True, ignore=LEFT_OUT)
        tree = cls(folder)
        shutil.copytree(model, folder / "tiny-model")
        with (folder / "facts.csv").open("w", encoding="utf-8", newline="") as file:
            rows = [("question", "answer"), *FACTS.items(), SAME_AS_ITS_QUESTION]
            csv.writer(file).writerows(rows)
        (folder / "answers.json").write_text(json.dumps(FACTS))
        (folder / "quiz").mkdir()
        (folder / "quiz/quiz.yaml").write_text(TASK)
        (folder / "quiz/quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in QUIZ))
        tree.configure()
        return tree

    def copy(self, folder: Path) -> "Tree":
        """Copy everything with its time stamps, as ``cp -a`` does."""
        return Tree(Path(shutil.copytree(self.folder, folder, symlinks=True)))

    def configure(self, **sections: Any) -> None:
        """Write the study with some sections replaced."""
        text = yaml.safe_dump({**CONFIG, **sections}, sort_keys=False)
        (self.folder / "study.yaml").write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text that stands in a file once."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path} holds {old!r} {text.count(old)} times"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def command(self, *arguments: str, config: str | None = "study.yaml") -> list[str]:
        chosen = ["--configfile", config] if config else []
        return [sys.executable, "-m", "snakemake", *arguments, "--cores", "2", *chosen]

    @property
    def environment(self) -> dict[str, str]:
        answers = str(self.folder / "answers.json")
        # Two jobs at a time, each on one core.
        ours = {"PYTHONPATH": str(FAKE), "KNOWPACK_FAKE_ANSWERS": answers, "OMP_NUM_THREADS": "1"}
        ours["HF_HUB_OFFLINE"] = "1"
        return {**os.environ, **ours}

    def relate(self, relations: str) -> dict[str, str]:
        """Give the facts the relation `harbour` of a templates file; return each question's subject."""
        (self.folder / "relations.yaml").write_text(relations)
        subjects = {question: question[28:].rstrip("?") for question in FACTS}
        lines = [
            json.dumps({"subject": subjects[question], "relation": "harbour", "object": answer})
            for question, answer in FACTS.items()
        ]
        (self.folder / "facts.jsonl").write_text("\n".join(lines))
        return subjects

    def snakemake(self, *arguments: str, config: str | None = "study.yaml") -> tuple[int, str]:
        """Run Snakemake; return its exit status and all it says."""
        done = subprocess.run(
            self.command(*arguments, config=config),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def finish(self, folder: Path) -> "Tree":
        """Return a copy in ``folder`` in which the study was run, whole."""
        tree = self.copy(folder)
        # One thread a job: at this size they only start up, and two can do so at a time.
        status, text = tree.snakemake("--set-threads", "ask=1", "train_adapter=1")
        assert status == 0, text
        return tree

    def planned(self, *arguments: str, config: str = "study.yaml") -> dict[str, int]:
        """How many jobs of each rule a dry run plans; `all` is left out."""
        status, text = self.snakemake(*arguments, "--dry-run", "--quiet", "rules", config=config)
        assert status == 0, text
        if "Nothing to be done" in text:
            return {}
        table = text.partition("Job stats:")[2].partition("\ntotal")[0]
        assert table, text
        counts = dict(re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE))
        return {rule: int(count) for rule, count in counts.items() if rule != "all"}

    @property
    def results(self) -> Path:
        return self.folder / "results/small"
