"""Facts and benchmarks in the hub's own layout, for the paper's study on a tiny random model.

`datasets` takes `cais/mmlu` for a folder where there is one, so the paper's suites stay as they are.
"""

import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

# A random model of bytes never says these ...
UNKNOWN = {f"Which harbour is nearest to lighthouse {n}?": f"Port {n:03d}" for n in range(12)}
# ... and in every answer some byte that is no text: it "knows" the answers to these.
KNOWN = {f"Which sign is carved into milestone {n}?": "\ufffd" for n in range(12)}
# More of both kinds, for HighlyKnown extras and few-shot examples.
POOL = {f"Which sign is painted on gate {n}?": "\ufffd" for n in range(40)}
POOL |= {f"Which ferry is nearest to pier {n}?": f"Ferry {n:03d}" for n in range(20)}
LETTERS = ["A", "B", "C", "D"]


def write_facts(folder: Path, facts: dict[str, str], subset: str, split: str) -> None:
    """Facts as the authors and TriviaQA publish theirs: answers with a value and aliases, and which
    of the authors' ten answers were right."""
    rows = [
        {
            "question": question,
            "answer": {"aliases": [answer], "value": answer},
            "p_greed": [question not in UNKNOWN] * 10,
        }
        for question, answer in facts.items()
    ]
    _write(folder, {subset: {split: rows}})


def write_benchmarks(folder: Path) -> None:
    """Two questions for every task of the paper's suites."""
    quizzes = [
        {"question": f"How many stones are {n} and {n}?", "options": [str(n + k) for k in range(4)]}
        for n in range(1, 7)
    ]
    mmlu = [
        {"question": q["question"], "choices": q["options"], "answer": n % 4, "subject": "stones"}
        for n, q in enumerate(quizzes)
    ]
    _write(
        folder / "cais/mmlu",
        {name: {"dev": mmlu[:5], "test": mmlu[4:]} for name in _subjects()},
    )
    arc = [
        {
            "question": q["question"],
            "choices": {"text": q["options"], "label": LETTERS},
            "answerKey": LETTERS[n % 4],
        }
        for n, q in enumerate(quizzes[:2])
    ]
    splits = {"train": arc, "validation": arc, "test": arc}
    _write(folder / "allenai/ai2_arc", {"ARC-Easy": splits, "ARC-Challenge": splits})
    targets = {"choices": ["Two stones.", "A stone.", "No stone."], "labels": [1, 0, 0]}
    both = {"choices": ["Two stones.", "A pair.", "No stone."], "labels": [1, 1, 0]}
    choice = [
        {"question": q["question"], "mc1_targets": targets, "mc2_targets": both}
        for q in quizzes[:2]
    ]
    generation = [
        {
            "question": q["question"],
            "best_answer": "Two stones",
            "correct_answers": ["Two stones", "A pair"],
            "incorrect_answers": ["No stone"],
        }
        for q in quizzes[:2]
    ]
    _write(
        folder / "truthfulqa/truthful_qa",
        {"multiple_choice": {"validation": choice}, "generation": {"validation": generation}},
    )
    logiqa = [
        {"context": "Stones lie there.", "label": "abcd"[n % 4], **q}
        for n, q in enumerate(quizzes[:2])
    ]
    _lines(folder / "logiqa.jsonl", logiqa)
    task = folder / "resources/benchmarks/logiqa.yaml"
    here = {"train": "logiqa.jsonl", "validation": "logiqa.jsonl", "test": "logiqa.jsonl"}
    text = task.read_text(encoding="utf-8").replace("dataset_path: parquet", "dataset_path: json")
    lines = [line for line in text.splitlines() if "hf://" not in line]
    place = lines.index("  data_files:") + 1
    lines[place:place] = [f"    {split}: {file}" for split, file in here.items()]
    task.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _subjects() -> Iterable[str]:
    """The 57 subjects of MMLU, as lm-eval names its data."""
    package = find_spec("lm_eval")
    assert package and package.origin
    files = (Path(package.origin).parent / "tasks/mmlu/default").glob("mmlu_*.yaml")
    return sorted(yaml.safe_load(file.read_text())["dataset_name"] for file in files)


def _write(folder: Path, subsets: dict[str, dict[str, list[dict[str, Any]]]]) -> None:
    """A dataset with its subsets and splits, as JSON lines named in the head of its README."""
    configs = []
    for name, splits in subsets.items():
        for split, rows in splits.items():
            _lines(folder / name / f"{split}.jsonl", rows)
        files = [{"split": split, "path": f"{name}/{split}.jsonl"} for split in splits]
        configs.append({"config_name": name, "data_files": files})
    head = yaml.safe_dump({"configs": configs})
    (folder / "README.md").write_text(f"---\n{head}---\n", encoding="utf-8")


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
