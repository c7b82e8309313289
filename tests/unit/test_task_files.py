from hashlib import sha256
from pathlib import Path

import pytest

from knowpack.errors import ConfigError
from knowpack.task_files import digests, home, is_file, is_group, outside, task_name

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str = "") -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return path


def data(files: str) -> str:
    return f"task: t\ndataset_kwargs: {{data_files: {files}}}\n"


def names(path: str) -> list[str]:
    return [line.split()[0] for line in digests(path)]


def message(function, *arguments) -> str:
    with pytest.raises(ConfigError) as caught:
        function(*arguments)
    return str(caught.value)


def test_a_file_is_told_from_a_name_by_its_ending():
    assert is_file("my/quiz.yaml")
    assert not is_file("mmlu")
    assert not is_file("quiz.yml")  # lm-eval would not find it


def test_the_name_of_a_task_and_of_a_group():
    assert task_name(write("t.yaml", "task: quiz\n")) == "quiz"
    group = write("g.yaml", "group: both\ntask: [one, two]\n")
    assert task_name(group) == "both"
    assert is_group(group)
    assert not is_group("t.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]\n", "t.yaml: no task file: write its name as `task: my_task`"),
        ("dataset_path: json\n", "t.yaml: no task file: write its name as `task: my_task`"),
        ("task: [one, two]\n", "t.yaml: no task file: write its name as `task: my_task`"),
        (
            "task: 'quiz\n",
            't.yaml: not a YAML file (while scanning a quoted scalar in "<unicode string>", '
            "line 1, column 7: task: 'quiz ^ found unexpected end of stream in "
            '"<unicode string>", line 2, column 1: ^)',
        ),
    ],
)
def test_what_is_no_task_file(text: str, said: str):
    assert message(task_name, write("t.yaml", text)) == said


def test_a_task_file_that_is_not_there():
    assert message(task_name, "quiz.yaml") == (
        "suites: there is no task file quiz.yaml; write the path of one"
    )
    assert message(digests, write("t.yaml", "include: base.yaml\ntask: t\n")) == (
        "suites: there is no task file base.yaml; write the path of one"
    )


def test_every_file_that_a_task_is_made_of_counts_by_its_content():
    write("tasks/base.yaml", "metric_list: []\n")
    write("rows.jsonl", "{}\n")
    path = write(
        "tasks/t.yaml",
        "include: base.yaml\ntask: t\n"
        "doc_to_target: !function lm_eval.tasks.logiqa.utils_logiqa.doc_to_target\n"
        "dataset_kwargs: {data_files: {test: rows.jsonl}}\n",
    )
    before = digests(path)
    assert names(path) == ["base.yaml", "rows.jsonl", "t.yaml"]
    assert before[1] == "rows.jsonl " + sha256(b"{}\n").hexdigest()[:16]
    for file in ("tasks/base.yaml", "rows.jsonl", path):
        old = Path(file).read_text()
        write(file, old + "# more\n")
        assert digests(path) != before
        write(file, old)
    assert digests(path) == before


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("a.json", ["a.json"]),
        ("[a.json, b.json]", ["a.json", "b.json"]),
        ("{train: a.json, test: [b.json, https://example.org/c.json]}", ["a.json", "b.json"]),
        ("{test: x/a.json, train: a.json}", ["a.json", "a.json"]),  # both count
        ("", []),
    ],
)
def test_data_files_in_every_form(files: str, found: list[str]):
    for name in ("a.json", "b.json", "x/a.json"):
        write(name, name)
    assert names(write("t.yaml", data(files))) == [*found, "t.yaml"]


def test_a_data_file_that_is_not_there():
    assert message(digests, write("t.yaml", data("{test: rows.jsonl}"))) == (
        "t.yaml: data_files: there is no file rows.jsonl; write the path of one"
    )


def test_a_groups_members_count_wherever_they_stand():
    write("rows.jsonl")
    write("q/one.yaml", data("rows.jsonl").replace("task: t", "task: one"))
    write("q/two.yaml", "task: two\ntag: [pair]\n")
    write("q/inner.yaml", "group: inner\ntask: [pair]\n")
    write("q/other.yaml", "task: other\n")
    write("q/notes.yaml", "- no task\n")
    write("inside.jsonl")
    inside = "{task: own, dataset_path: json, dataset_kwargs: {data_files: inside.jsonl}}"
    path = write("q/all.yaml", f"group: all\ntask: [one, {{group: inner}}, {inside}, mmlu]\n")
    files = ["all.yaml", "inner.yaml", "inside.jsonl", "one.yaml", "rows.jsonl", "two.yaml"]
    assert names(path) == files
    assert outside(path) == ["mmlu"]
    assert outside("q/one.yaml") == []


def test_data_lies_below_the_working_folder_or_below_the_checkout():
    mine = write("mine.yaml", data("rows.jsonl"))
    write("rows.jsonl")
    assert home(mine) == Path()
    embedded = "resources/benchmarks/reasoning.yaml"
    assert home(embedded) == CHECKOUT
    write("workflow/scripts/mine.py")  # a project of the user's may have a folder of that name
    assert home(embedded) == CHECKOUT
    write("base.yaml", data("{test: resources/benchmarks/reasoning.jsonl}"))
    assert home(write("derived.yaml", "include: base.yaml\ntask: t\n")) == CHECKOUT
