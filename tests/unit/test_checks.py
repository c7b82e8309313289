from pathlib import Path
from typing import Any

import pytest

from knowpack import checks, tasks
from knowpack.checks import prepare
from knowpack.errors import ConfigError, KnowpackError

VALUES: dict[str, Any] = {
    "study": "s",
    "models": [{"name": "m", "source": "package", "package": "no_such_model"}],
    "facts": {"source": "world", "size": 50},
    "grid": [{"unknown": [1], "seeds": [1]}],
}


def test_a_model_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        prepare(VALUES)
    assert str(caught.value) == (
        "models: the package 'no_such_model' is not installed; `pip install no-such-model`"
    )


def with_lever(lever: dict[str, Any], **sections: Any) -> dict[str, Any]:
    grid = [{"unknown": [1], "seeds": [1]}, {"unknown": [2], "seeds": [1], "training": lever}]
    return {**VALUES, "grid": grid, **sections}


@pytest.mark.parametrize(
    ("lever", "sections", "message"),
    [
        (
            {"method": "dora"},
            {"asking": {"adapter": "lora"}},
            "asking.adapter: vLLM's LoRA kernels do not serve DoRA, the method of 'uk2-s1-methoddora'; "
            "write auto or merged",
        ),
        (
            {"method": "dora"},
            {"jobs": {"train": {"devices": 2}}},
            "jobs.train.devices: DoRA, the method of 'uk2-s1-methoddora', takes the norms of whole "
            "weights, which are divided where several devices share a model; write 1, or another "
            "training.method",
        ),
        (
            {"patience": 2},
            {"jobs": {"train": {"devices": 2}}},
            "jobs.train.devices: the held-out facts of 'uk2-s1-patience2' are judged on one device; "
            "write 1, or training.patience: 0",
        ),
    ],
)
def test_levers_that_cannot_be_pulled_so(
    lever: dict[str, Any], sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        prepare(with_lever(lever, **sections), packages=False)
    assert str(caught.value) == message
    prepare(with_lever({}, grid=VALUES["grid"], **sections), packages=False)
    prepare(with_lever(lever), packages=False)


def test_other_levers_go_with_kernels_and_devices() -> None:
    sections = {"asking": {"adapter": "lora"}, "jobs": {"train": {"devices": 2}}}
    for lever in ({"method": "loraplus"}, {"strength": [1, 0.5]}):
        prepare(with_lever(lever, **sections), packages=False)
    mixed = with_lever({"extras_from": 2}, **sections)
    mixed["grid"][1]["extra"] = ["same_domain", "replay"]
    prepare(mixed, packages=False)


def test_paraphrases_need_templates_or_a_model_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_text("question,answer\nq,a\n")
    grid = [{"unknown": [1], "extra": ["paraphrase"], "seeds": [1]}]
    values = {**VALUES, "facts": {"source": "table", "path": str(path)}, "grid": grid}
    with pytest.raises(ConfigError) as caught:
        prepare(values, packages=False)
    assert str(caught.value) == (
        "grid: paraphrases are made from templates; give facts.templates, or let a model write "
        "them with `paraphrases.source: model`"
    )
    written = {
        "source": "model",
        "max_new_tokens": 9,
        "model": {**VALUES["models"][0], "name": "w"},
    }
    prepare({**values, "paraphrases": written}, packages=False)
    written["model"] = {"name": "w", "source": "folder", "path": "no-such-folder"}
    with pytest.raises(KnowpackError, match="no-such-folder; write the path"):
        prepare({**values, "paraphrases": written}, packages=False)


def test_paraphrases_do_not_reach_into_the_wordings_held_out() -> None:
    def values(per_unknown: int, **section: Any) -> dict[str, Any]:
        grid = [
            {"unknown": [1], "seeds": [1], "extra": ["paraphrase"], "per_unknown": [per_unknown]}
        ]
        facts = {**VALUES["facts"], "relations": ["city_country", "capital"]}
        return {**VALUES, "facts": facts, "grid": grid, "generalization": section}

    prepare(values(11), packages=False)
    with pytest.raises(ConfigError) as caught:
        prepare(values(12), packages=False)
    assert str(caught.value) == (
        "generalization.wordings: of the 14 templates of 'capital' one asks and 12 are trained as "
        "paraphrases, which leaves 1 of 2 to hold out; lower this key or grid.per_unknown, or add "
        "templates"
    )
    prepare(values(13, wordings=0), packages=False)
    with pytest.raises(ConfigError) as caught:
        prepare(values(1, prompts=11), packages=False)
    assert str(caught.value) == (
        "generalization.prompts: 11 are more than prompts.count, 10; lower it, or leave it out for all"
    )


def test_with_environments_of_their_own_the_jobs_know_which_packages_there_are() -> None:
    study, runs = prepare(VALUES, packages=False)
    assert study.models[0].package == "no_such_model"
    assert [run["run"] for run in runs] == ["uk1-s1"]


def hub(**keys: Any) -> dict[str, Any]:
    return {**VALUES, "facts": {"source": "hub", **keys}}


def test_a_dataset_of_the_hub_is_not_fetched_before_any_job() -> None:
    study, _ = prepare(hub(dataset="no/such-dataset", revision="0" * 40), packages=False)
    assert study.facts.source == "hub"


def test_a_dataset_is_pinned_or_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def message(**keys: Any) -> str:
        with pytest.raises(KnowpackError) as caught:
            prepare(hub(**keys), packages=False)
        return str(caught.value)

    monkeypatch.chdir(tmp_path)
    assert message(dataset="a/b") == (
        "facts.dataset: there is no folder a/b; write the path of one, or pin a dataset of the hub "
        "with facts.revision, the commit's 40 hexadecimal digits"
    )
    (tmp_path / "a/b").mkdir(parents=True)
    prepare(hub(dataset="a/b"), packages=False)
    assert message(dataset="a/b", revision="0" * 40) == (
        "facts.dataset: a/b is a folder here, which has no revision; remove facts.revision, or "
        "rename the folder"
    )
    assert message(dataset="a/b", columns={"anwser": "x"}).startswith(
        "facts: columns maps the unknown name 'anwser' (did you mean 'answer'?)"
    )


def test_extra_facts_are_checked_as_the_facts_are(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    values = {**VALUES, "extra_facts": {"source": "table", "path": str(path)}}
    with pytest.raises(ConfigError, match=r"^extra_facts\.path: there is no file .*facts\.csv;"):
        prepare(values, packages=False)
    path.write_text("question,answer\nq,a\n")
    prepare({**values, "prompts": {"pool": "extra_facts"}}, packages=False)
    unpinned = {"source": "hub", "dataset": "a/b"}
    with pytest.raises(ConfigError, match=r"extra_facts\.dataset: .* with extra_facts\.revision"):
        prepare({**VALUES, "extra_facts": unpinned}, packages=False)


def suites(*tasks: str) -> dict[str, Any]:
    """Suites of one task each."""
    return {**VALUES, "suites": {f"s{n}": [{"task": task}] for n, task in enumerate(tasks)}}


def test_names_of_tasks_are_looked_up_unless_jobs_run_with_other_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[list[str]] = []
    monkeypatch.setattr(tasks, "check_names", looked.append)
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text("task: one\n")
    Path("all.yaml").write_text("group: all\ntask: [one, arc_easy]\n")
    monkeypatch.setattr(checks, "unseen", list)
    prepare(suites("mmlu", "one.yaml"), packages=False)
    prepare(suites("all.yaml"), packages=False)
    prepare(suites("one.yaml"), packages=False)
    prepare(suites("no_such_task"), packages=False, tasks=False)
    assert looked == [["mmlu"], ["arc_easy"]]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tasks, "check_names", looked.append)
    prepare(suites("mmlu", "mmul", "all.yaml"), packages=False)
    assert looked[2:] == [["mmul"]]  # lm-eval is asked about those that its files do not show


def test_task_files_are_there_with_their_data_and_have_names_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def message(*tasks: str) -> str:
        with pytest.raises(ConfigError) as caught:
            prepare(suites(*tasks), packages=False)
        return str(caught.value)

    monkeypatch.chdir(tmp_path)
    Path("mmlu.yaml").write_text("task: mmlu\n")
    assert message("mmlu", "mmlu.yaml") == (
        "suites: two tasks are named 'mmlu'; rename the one in mmlu.yaml"
    )
    Path("quiz.yaml").write_text("task: quiz\ndataset_kwargs: {data_files: quiz.jsonl}\n")
    assert message("quiz.yaml") == (
        "quiz.yaml: data_files: there is no file quiz.jsonl; write the path of one"
    )
    assert "suites: there is no task file" in message("kwiz.yaml")
