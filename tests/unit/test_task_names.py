from pathlib import Path
from types import SimpleNamespace

import pytest

from knowpack import task_names
from knowpack.task_names import unseen


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An lm-eval whose tasks are what the test writes; return their folder."""
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(task_names.importlib.util, "find_spec", lambda name: found)
    (tmp_path / "tasks/quiz").mkdir(parents=True)
    return tmp_path / "tasks/quiz"


def test_names_of_tasks_groups_and_tags_are_seen(installed: Path) -> None:
    (installed / "a.yaml").write_text("tag: quizzes\ntask: one\ndoc_to_text: text\n")
    (installed / "b.yaml").write_text("include: a.yaml\r\n\"task\": 'two-2.0'  # the second\r\n")
    (installed / "c.yaml").write_text("group: both\ntask:\n  - one\n  - task: inside\n")
    (installed / "d.txt").write_text("task: three\n")
    assert unseen(["one", "two-2.0", "both", "quizzes"]) == []
    assert unseen(["three", "one", "inside", "text", "three"]) == ["three", "inside", "text"]


def test_without_lm_eval_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_names.importlib.util, "find_spec", lambda name: None)
    assert unseen(["mmlu"]) == ["mmlu"]


def test_the_papers_benchmarks_are_seen() -> None:
    assert unseen(["mmlu", "truthfulqa_mc1", "arc_easy", "mmul"]) == ["mmul"]
