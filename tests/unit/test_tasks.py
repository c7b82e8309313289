"""Tasks of lm-eval; its index of 14,000 names takes seconds, so the last two tests share one."""

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from benchmark_files import GENERATE, MEAN, ROWS, loaded, write_task, write_yaml
from lm_eval.tasks import TaskManager

from knowpack import tasks
from knowpack.errors import KnowpackError

VERSION = importlib.metadata.version("lm-eval")


@pytest.fixture(scope="module")
def index() -> TaskManager:
    return TaskManager()


@pytest.fixture
def indexed(index: TaskManager, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskManager]:
    monkeypatch.setattr(tasks, "TaskManager", lambda **_: index)
    return index


def message(*names: str, **keys: Any) -> str:
    with pytest.raises(KnowpackError) as caught:
        loaded(*names, **keys)
    return str(caught.value)


def prompts(benchmark: tasks.Benchmark) -> list[str]:
    """What is asked before the first choice of each question."""
    (task,) = benchmark.tasks.values()
    task.build_all_requests()
    return [request.args[0] for request in task.instances if request.idx == 0]


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_a_task_file_with_data_of_every_kind(tmp_path: Path, kind: str):
    rows = pd.DataFrame(ROWS)
    if kind == "csv":
        rows["choices"] = [json.dumps(choices) for choices in rows.choices]
    data = tmp_path / f"rows.{kind}"
    write = {"json": "to_json", "csv": "to_csv", "parquet": "to_parquet"}[kind]
    options = {"orient": "records", "lines": True} if kind == "json" else {"index": False}
    getattr(rows, write)(data, **options)
    path = write_task(
        tmp_path,
        "quiz",
        dataset_path=kind,
        dataset_kwargs={"data_files": {"test": str(data)}},
        doc_to_choice="{{choices}}",
    )
    (benchmark,) = loaded(path)
    assert (benchmark.name, list(benchmark.tasks), benchmark.questions) == ("quiz", ["quiz"], 4)
    assert prompts(benchmark) == ["Q0?", "Q1?", "Q2?", "Q3?"]


def test_a_limit_counts_for_each_task(tmp_path: Path):
    write_task(tmp_path, "one")
    write_task(tmp_path, "two", ROWS[:2])
    group = write_yaml(tmp_path, "both", {"group": "both", "task": ["one", "two"]})
    assert [loaded(group, limit=limit)[0].questions for limit in (None, 3, 9)] == [6, 5, 6]


def test_shots_are_the_tasks_own_or_those_asked_for_and_always_the_same(tmp_path: Path):
    train = tmp_path / "train.jsonl"
    train.write_text("".join(json.dumps({**row, "question": "T?"}) + "\n" for row in ROWS))
    files = {"train": str(train), "test": str(tmp_path / "quiz.jsonl")}
    path = write_task(
        tmp_path,
        "quiz",
        num_fewshot=1,
        training_split="train",
        dataset_kwargs={"data_files": files},
    )
    assert [text.count("T?") for text in prompts(loaded(path)[0])] == [1] * 4
    three = prompts(loaded(path, shots=3)[0])
    assert [text.count("T?") for text in three] == [3] * 4
    assert prompts(loaded(path, shots=3)[0]) == three
    assert prompts(loaded(path, shots=0)[0])[0] == "Q0?"


def test_no_question_is_its_own_example(tmp_path: Path):
    benchmark = loaded(write_task(tmp_path, "quiz"), shots=3)[0]
    for question, text in enumerate(prompts(benchmark)):
        assert sorted(text.count(f"Q{n}?") for n in range(4)) == [1] * 4
        assert text.endswith(f"Q{question}?")


def test_shots_that_cannot_be_had(tmp_path: Path):
    path = write_task(tmp_path, "quiz")
    assert message(path, shots=4) == (
        f"suites: task '{path}': the first prompt cannot be built with 4 shots "
        "(Sample larger than population or is negative); lower `shots`, or check its data"
    )
    fixed = write_task(tmp_path, "fixed", num_fewshot=0)
    assert message(fixed, shots=5) == (
        f"suites: task '{fixed}' is made for 0 shots, not 5; leave out `shots`"
    )
    assert loaded(fixed, shots=0)[0].questions == 4


def test_data_without_questions(tmp_path: Path):
    path = write_task(tmp_path, "quiz", [])
    due = f"suites: task '{path}' has no questions, or an empty choice; check its data"
    assert message(path) == due
    path = write_task(tmp_path, "blank", [{**ROWS[0], "choices": ["", "b"]}])
    assert message(path) == due.replace("quiz", "blank")


def test_metrics_that_do_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "evaluate", None)  # where lm-eval looks next

    def said(**metric: Any) -> str:
        return message(write_task(tmp_path, "quiz", metric_list=[metric]))

    assert said(metric="acccc", **MEAN) == (
        "suites: task 'quiz' asks for the metric 'acccc', which is not to be had here; write one "
        "of lm-eval's own into its metric_list"
    )
    assert said(metric="acc", aggregation="maen", higher_is_better=True) == (
        "suites: task 'quiz' asks for an aggregation of 'acc' that is not to be had; write `mean` "
        "or another of lm-eval's own into its metric_list"
    )
    assert said(metric="acccc") == (
        f"suites: task '{tmp_path}/quiz.yaml' cannot be loaded (lm-eval lacks one of its metrics); "
        "check the task file and its data"
    )


@pytest.mark.parametrize(
    ("keys", "need"),
    [
        ({"unsafe_code": True}, "runs the code that a model writes"),
        ({"doc_to_image": "question"}, "shows pictures or plays sounds"),
        ({"generation_kwargs": {"temperature": 0.5, "top_p": 0.9}}, "samples with 'top_p'"),
    ],
)
def test_what_cannot_be_asked_or_scored_is_refused_at_once(tmp_path: Path, keys: Any, need: str):
    path = write_task(tmp_path, "quiz", **{**GENERATE, **keys})
    assert message(path) == (f"suites: task 'quiz' {need}, which cannot be done here; leave it out")
    greedy = {"do_sample": False, "temperature": 0.5, "top_p": 0.9}
    assert loaded(write_task(tmp_path, "quiz", **GENERATE, generation_kwargs=greedy))


def test_a_package_that_is_missing(tmp_path: Path):
    path = Path(write_task(tmp_path, "quiz", doc_to_text="FUNCTION"))
    name = "!function lm_eval.tasks.no_such.text"
    path.write_text(path.read_text().replace("FUNCTION", name))
    assert message(str(path)) == (
        f"suites: task '{path}' needs a package that is missing (ImportError: Cannot import module "
        f"'lm_eval.tasks.no_such' for function 'text' (from YAML in {tmp_path}))"
    )


def test_a_task_that_cannot_be_loaded_says_why(tmp_path: Path):
    path = write_task(tmp_path, "quiz", test_split="tset")
    assert message(path) == (
        f"suites: task '{path}' cannot be loaded (KeyError: 'tset'); check the task file and its "
        "data"
    )


def test_data_are_found_below_the_checkout_from_any_folder(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = {"data_files": {"test": "resources/benchmarks/reasoning.jsonl"}}
    write_task(tmp_path, "mine", dataset_kwargs=data)
    mine, embedded = loaded("mine.yaml", "resources/benchmarks/reasoning.yaml")
    assert (mine.questions, embedded.name, embedded.questions) == (120, "reasoning", 120)


def test_a_task_twice_in_a_suite(tmp_path: Path):
    one = write_task(tmp_path, "one")
    group = write_yaml(tmp_path, "both", {"group": "both", "task": ["one"]})
    assert message(one, group) == "suites: 'one' is in two of a suite's tasks; keep one of them"


def test_a_protocol_says_how_a_task_was_asked(tmp_path: Path):
    one = write_task(tmp_path, "one", num_fewshot=2, metadata={"version": 1.0})
    write_task(tmp_path, "two", **GENERATE)
    group = write_yaml(
        tmp_path, "both", {"group": "both", "task": ["one", "two"], "metadata": {"version": "2.1"}}
    )
    (plain,) = loaded(one)
    assert plain.protocol("one", 1.0) == f"lm-eval {VERSION}, one v1, 2-shot, plain text"
    (both,) = loaded(group, limit=3, chat=True)
    assert both.protocol("both", "2.1") == (
        f"lm-eval {VERSION}, both v2.1, 0 and 2-shot, chat template, first 3 of each task"
    )
    assert both.protocol("two", "Yaml").startswith(f"lm-eval {VERSION}, two, 0-shot, chat")


def test_an_unknown_name_has_the_nearest(indexed: TaskManager, tmp_path: Path):
    group = write_yaml(tmp_path, "mine", {"group": "mine", "task": ["arc_easi"]})
    due = (
        "suites: lm-evaluation-harness has no task 'arc_easi' (did you mean 'arc_easy'?); write "
        "another, or the path of a task file (.yaml)"
    )
    assert message("arc_easi") == due
    with pytest.raises(KnowpackError) as caught:
        tasks.check_names(["mmlu", "arc_easi"])
    assert str(caught.value) == due
    tasks.check_names(["mmlu", "arc_easy", "ai2_arc"])
    indexed.task_index["mine"] = TaskManager(
        include_path=str(tmp_path), include_defaults=False
    ).task_index["mine"]
    assert message(group) == due


def test_data_that_cannot_be_had(
    indexed: TaskManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # What HF_HUB_OFFLINE=1 sets where it stands before the import.
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    assert message("arc_easy") == (
        "suites: task 'arc_easy' cannot be loaded (ConnectionError: Couldn't reach "
        "'allenai/ai2_arc' on the Hub (OfflineModeIsEnabled)); check the network, or write a task "
        "file whose dataset_kwargs.data_files are local"
    )
