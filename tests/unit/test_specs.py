import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowpack import reword_specs, specs
from knowpack.config import load
from knowpack.runs import has_dynamics, run_table

SETTINGS = {
    "study": "s",
    "models": [
        {"name": "m", "source": "folder", "path": "x"},
        {"name": "h", "source": "hub", "repo": "a/b", "revision": "0" * 40, "prompt": "text"},
    ],
    "facts": {"source": "world", "size": 100},
    "grid": [
        {"unknown": [10, 20], "extra": ["none", "highly_known", "paraphrase"], "seeds": [1]},
        {"unknown": [30], "seeds": [1], "training": {"rank": 8, "epochs": 4}},
    ],
    "dynamics": [20],
}
MODEL, RUN = "m", "uk10-pp1-s1"
ROOT = Path(__file__).parents[2]


NO_TEMPLATES: dict[str, Any] = {"templates": [], "templates_digests": []}


def every_spec(values: dict[str, Any]) -> dict[str, Any]:
    """What each rule is given, of one run and its model."""
    study = load(values)
    table = run_table(study)
    asked = (study, MODEL)
    return {
        "model": specs.model_spec(*asked),
        "facts": specs.facts_spec(study.facts),
        "shots": specs.shots_spec(study),
        "ask base": specs.ask_spec(*asked, "base", "facts", table),
        "ask run": specs.ask_spec(*asked, RUN, "facts", table),
        "label": specs.label_spec(study),
        "select": specs.select_spec(*asked, RUN, table),
        "paraphrase": specs.paraphrase_spec(*asked, table),
        "train": specs.train_spec(*asked, RUN, table),
    }


@pytest.mark.parametrize(
    ("section", "key", "value", "reached"),
    [
        ("facts", "size", 200, {"facts"}),
        ("facts", "relations", ["capital"], {"facts"}),
        ("facts", "seed", 1, {"facts", "select"}),
        ("prompts", "count", 3, {"shots"}),
        ("prompts", "shots", 3, {"shots"}),
        ("prompts", "seed", 3, {"shots"}),
        ("prompts", "system", "Say.", {"ask base", "ask run", "train"}),
        ("asking", "max_new_tokens", 3, {"ask base", "ask run"}),
        ("asking", "adapter", "lora", {"ask run"}),
        ("asking", "temperature", 0.7, set()),  # without samples there is nothing to draw
        ("asking", "seed", 1, set()),
        ("asking", "samples", 4, {"ask base", "ask run"}),
        ("labels", "match", "word", {"label"}),
        ("labels", "refusals", ["no"], {"label"}),
        ("training", "learning_rate", 0.1, {"train"}),
        ("training", "rank", 2, {"train", "ask run"}),
        ("engine", "dtype", "float32", {"ask base", "ask run"}),
        ("engine", "kv_cache_gib", 4, set()),
        ("engine", "gpu_memory_utilization", 0.8, set()),
        ("paraphrases", "seed", 1, set()),  # of a model that writes them
    ],
)
def test_a_key_reaches_the_rules_that_use_it_and_no_other(section, key, value, reached):
    values = copy.deepcopy(SETTINGS)
    before = every_spec(values)
    values.setdefault(section, {})[key] = value
    after = every_spec(values)
    assert {rule for rule in before if before[rule] != after[rule]} == reached


WRITER = {"source": "model", "model": SETTINGS["models"][1], "count": 20, "max_new_tokens": 500}


def test_other_wordings_change_only_what_a_model_writes():
    section = {"generalization": {"wordings": 3}}
    assert every_spec(SETTINGS | section) == every_spec(SETTINGS)
    before = every_spec(SETTINGS | {"paraphrases": WRITER})
    after = every_spec(SETTINGS | section | {"paraphrases": WRITER})
    assert {rule for rule in before if before[rule] != after[rule]} == {"paraphrase"}
    assert (before["paraphrase"]["needed"], before["paraphrase"]["unknown"]) == (1, 20)
    assert (after["paraphrase"]["needed"], after["paraphrase"]["unknown"]) == (4, 30)


def test_what_is_asked_otherwise():
    study = load(SETTINGS | {"generalization": {"prompts": 3}})
    table = run_table(study)
    base = specs.ask_spec(study, "m", "base", "generalization", table)
    assert base.keys() == {"max_new_tokens", "prompts", "engine", "system", "style"}
    assert base["prompts"] == 3
    run = specs.ask_spec(study, "m", RUN, "generalization", table)
    assert run == {**base, "adapter": "auto", "rank": 1}
    spec = reword_specs.reword_spec(study, "m", table)
    assert (spec["wordings"], spec["trained"], spec["prompts"]) == (2, 1, 3)
    assert spec["templates"] == ["resources/relations.yaml"]
    held_out = load(SETTINGS | {"generalization": {"reverse": False}})
    assert reword_specs.reword_spec(held_out, "m", table) == {
        "wordings": 2,
        "trained": 1,
        "prompts": 10,
        **NO_TEMPLATES,
    }
    assert not reword_specs.rewordable(load(SETTINGS))
    assert reword_specs.rewordable(study)
    table_of_questions = {"facts": {"source": "table", "path": "x.csv"}, "generalization": {}}
    assert not reword_specs.rewordable(load(SETTINGS | table_of_questions))
    assert reword_specs.rewordable(load(SETTINGS | table_of_questions | {"paraphrases": WRITER}))


def test_one_more_condition_or_model_changes_nothing_of_the_others():
    values = copy.deepcopy(SETTINGS)
    values["grid"].append({"unknown": [40], "seeds": [1, 2]})
    values["models"].append({"name": "n", "source": "folder", "path": "y"})
    values["study"], values["device"], values["dynamics"] = "other", "cpu", []
    assert every_spec(values) == every_spec(SETTINGS)


def test_writing_a_default_out_changes_nothing():
    written = load(SETTINGS).model_dump(exclude_none=True)
    assert json.dumps(every_spec(written)) == json.dumps(every_spec(SETTINGS))


def test_specs_are_plain_so_that_they_can_be_compared():
    for spec in every_spec(SETTINGS).values():
        assert json.loads(json.dumps(spec)) == spec


def test_what_a_model_is_made_from():
    study = load(SETTINGS)
    assert specs.model_spec(study, "m") == {"source": "folder", "path": "x"}
    assert specs.model_spec(study, "h") == {"source": "hub", "repo": "a/b", "revision": "0" * 40}
    assert specs.style_spec(study, "h") == {
        "system": "Answer the following question.",
        "style": "text",
    }


def test_what_a_run_is_asked_with():
    study = load(SETTINGS)
    table = run_table(study)
    run = "uk30-s1-epochs4-rank8"
    base = specs.ask_spec(study, "m", "base", "facts", table)
    assert base.keys() == {"max_new_tokens", "samples", "engine", "system", "style"}
    assert specs.ask_spec(study, "m", run, "facts", table) == {**base, "adapter": "auto", "rank": 8}
    dynamics = specs.ask_spec(study, "m", run, "dynamics", table)
    assert dynamics == {**base, "adapter": "auto", "rank": 8, "epochs": 4}


def test_epochs_are_kept_for_the_levels_with_dynamics_only():
    study = load(SETTINGS)
    kept = {
        row["run"]
        for row in run_table(study)
        if specs.train_spec(study, "m", row["run"], run_table(study)).get("keep_epochs")
    }
    assert kept == {"uk20-s1", "uk20-hk1-s1", "uk20-pp1-s1"}


def test_what_rows_are_selected_by():
    study = load(SETTINGS)
    assert specs.select_spec(study, "m", "uk10-pp1-s1", run_table(study)) == {
        "unknown": 10,
        "extra": "paraphrase",
        "per_unknown": 1,
        "seed": 1,
        "facts_seed": 42,
    }


# Digests of all that rules are given of these configurations. One that changes while its configuration
# does not makes users train and ask all again.
PINNED = {
    "config.yaml": "36b5f30e272ea66d",
    "paper-llama-3.1-8b.yaml": "402f15affaed8a46",
    "paper-mistral-7b.yaml": "54d8b5e1c5678526",
    "dbpedia.yaml": "35b1e0362827eb2f",
}


@pytest.mark.parametrize("name", PINNED)
def test_what_the_shipped_configurations_give_each_rule(name: str):
    study = load(yaml.safe_load((ROOT / "config" / name).read_text()))
    whole = {
        "report": specs.report_spec(study),
        "published": specs.published_spec(study),
        "pooled": specs.pooled(study),
    }
    table = run_table(study)
    for row in table:
        model, run, own = row["model"], row["run"], [row]
        whole[f"{model} {run}"] = [
            specs.select_spec(study, model, run, own),
            specs.train_spec(study, model, run, own),
            specs.ask_spec(study, model, run, "facts", own),
            specs.ask_spec(study, model, run, "dynamics", own),
            specs.ask_suite_spec(study, model, run, [], own),
        ]
    for model in study.models:
        whole[model.name] = [
            specs.model_spec(study, model.name),
            specs.ask_spec(study, model.name, "base", "facts", table),
            specs.paraphrase_spec(study, model.name, table),
        ]
    text = json.dumps(without_digests(whole))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == PINNED[name]


def without_digests(value: Any) -> Any:
    """Specs but for the content of the project's own files."""
    if isinstance(value, list):
        return [without_digests(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_digests(item) for key, item in value.items() if "digest" not in key}


def pulled(extra: str = "highly_known", **levers: Any) -> dict[str, dict[str, Any]]:
    """What each rule is given of a run with levers and, where they differ, without."""
    grid = {"unknown": [10], "extra": [extra], "seeds": [1], "training": levers}
    study = load({**SETTINGS, "grid": [grid], "dynamics": [10]})
    table = run_table(study)
    row = table[-1]
    asked = (study, row["model"], row["run"])
    return {
        "select": specs.select_spec(*asked, table),
        "train": specs.train_spec(*asked, table),
        "ask": specs.ask_spec(*asked, "facts", table),
        "scale": specs.scale_spec(*asked, table),
    }


@pytest.mark.parametrize(
    ("levers", "reached"),
    [
        ({"method": "loraplus"}, {"train": {"method": "loraplus"}}),
        ({"method": "dora"}, {"train": {"method": "dora"}, "ask": {"adapter": "merged"}}),
        ({"extras_from": 3}, {"train": {"extras_from": 3}}),
        ({"patience": 2}, {"train": {"patience": 2}, "select": {"held_out": 50}}),
        ({"patience": 2, "held_out": 7}, {"train": {"patience": 2}, "select": {"held_out": 7}}),
        ({"held_out": 7}, {}),
        ({"strength": [1.0, 0.5]}, {"scale": {"of": "uk10-hk1-s1", "strength": 0.5}}),
    ],
)
def test_a_lever_reaches_the_rules_that_use_it_and_no_other(levers, reached):
    plain, found = pulled(), pulled(**levers)
    for rule, spec in plain.items():
        due = spec | reached.get(rule, {})
        if rule == "scale":
            due |= {"of": found[rule]["of"]}
        if rule == "train" and ("patience" in levers or "strength" in levers):
            due.pop("keep_epochs")
        assert found[rule] == due


def test_extras_that_are_not_there_join_in_no_epoch():
    assert "extras_from" not in pulled("none", extras_from=3)["train"]


def test_what_replay_is_drawn_by():
    spec = pulled("replay")["select"]
    assert spec["refusals"] == load(SETTINGS).labels.refusals
    assert pulled("same_domain")["select"].keys() == spec.keys() - {"refusals"}


def test_dynamics_are_of_the_runs_that_have_all_epochs():
    training = {"patience": [0, 1], "strength": [1.0, 0.5]}
    grid = {"unknown": [10, 20], "seeds": [1], "training": training}
    study = load({**SETTINGS, "grid": [grid]})
    asked = {row["run"] for row in run_table(study) if has_dynamics(study, row)}
    assert asked == {"uk20-s1"}


def test_a_pool_is_asked_where_highly_known_facts_are_drawn():
    pool = {"extra_facts": {"source": "world", "size": 60, "seed": 3}}

    def pooled(**grid: Any) -> bool:
        values = {**SETTINGS, **pool, "grid": [{"unknown": [20], "seeds": [1], **grid}]}
        return specs.pooled(load(values))

    drawn = [pooled(extra=[extra]) for extra in ("none", "same_domain", "replay", "paraphrase")]
    assert drawn == [False, True, False, False]
    assert pooled(training={"patience": [0, 1]})


def test_what_paraphrases_from_templates_are_made_with():
    spec = specs.paraphrase_spec(load(SETTINGS), "m", run_table(load(SETTINGS)))
    assert spec.keys() == {"templates", "templates_digests"}
    assert spec["templates"] == ["resources/relations.yaml"]


def test_what_a_model_that_paraphrases_is_given():
    values = copy.deepcopy(SETTINGS)
    values["engine"] = {"max_model_len": 2048}
    values["grid"].append(
        {"unknown": [5], "extra": ["paraphrase"], "per_unknown": [7, 3], "seeds": [1]}
    )
    writer = {"name": "w", "source": "folder", "path": "z", "prompt": "chat"}
    values["paraphrases"] = {"source": "model", "model": writer, "count": 20, "max_new_tokens": 900}
    study = load(values)
    spec = specs.paraphrase_spec(study, "m", run_table(study))
    assert spec.pop("instruction").count("{count}") == 1
    assert spec == {
        "count": 20,
        "temperature": 0.7,
        "max_new_tokens": 900,
        "seed": 42,
        "style": "chat",
        "unknown": 20,
        "needed": 7,
        "facts_seed": 42,
        "engine": study.engine.model_dump(exclude=specs.MEMORY),
    }
    assert specs.model_spec(study, "w") == {"source": "folder", "path": "z"}
    values["paraphrases"]["model"] = values["models"][1]
    assert [model.name for model in load(values).every_model] == ["m", "h"]


def test_files_count_by_their_content(tmp_path: Path):
    path = tmp_path / "facts.csv"
    path.write_text("question,answer\nq,a\n")
    values = {**SETTINGS, "facts": {"source": "table", "path": str(path)}}
    values |= {"grid": [{"unknown": [10], "seeds": [1]}], "dynamics": []}
    spec = specs.facts_spec(load(values).facts)
    digest = hashlib.sha256(b"question,answer\nq,a\n").hexdigest()[:16]
    assert spec == {
        "source": "table",
        "path": str(path),
        "path_digest": digest,
        "columns": {},
        "seed": 42,
        **NO_TEMPLATES,
    }
    path.touch()
    assert specs.facts_spec(load(values).facts) == spec
    path.write_text("question,answer\nq,b\n")
    assert specs.facts_spec(load(values).facts) != spec


def test_the_order_of_columns_does_not_count():
    hub = {"source": "hub", "dataset": "a/b", "revision": "0" * 40}
    both = [{"answer": "x", "aliases": "y"}, {"aliases": "y", "answer": "x"}]
    one, other = (
        repr(specs.facts_spec(load({**SETTINGS, "facts": {**hub, "columns": columns}}).facts))
        for columns in both
    )
    assert one == other


def test_a_dataset_counts_by_its_commit_a_folder_by_its_content(tmp_path: Path):
    def spec(**keys: str) -> dict[str, Any]:
        grid = [{"unknown": [10], "seeds": [1]}]
        facts = {"facts": {"source": "hub", **keys}, "grid": grid, "dynamics": []}
        return specs.facts_spec(load({**SETTINGS, **facts}).facts)

    pinned = {"source": "hub", "dataset": "a/b", "revision": "0" * 40}
    assert spec(dataset="a/b", revision="0" * 40) == {
        **pinned,
        "split": "train",
        "columns": {},
        "seed": 42,
        **NO_TEMPLATES,
    }
    folder = tmp_path / "lighthouses"
    (folder / "data").mkdir(parents=True)
    (folder / "data/train.csv").write_text("question,answer\nq,a\n")
    before = spec(dataset=str(folder))
    known = {"source", "dataset", "dataset_digest", "split", "columns", "seed"}
    assert before.keys() == known | NO_TEMPLATES.keys()
    (folder / ".cache").mkdir()
    (folder / ".cache/lock").write_text("")
    (folder / "data/train.csv").touch()
    assert spec(dataset=str(folder)) == before
    (folder / "data/train.csv").rename(folder / "data/test.csv")
    moved = spec(dataset=str(folder))
    assert moved != before
    (folder / "README.md").write_text("---\n---\n")  # it says which file is which split
    assert spec(dataset=str(folder)) != moved


def test_a_suite_is_asked_with_its_tasks_and_the_engine(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("{}\n")
    Path("quiz.yaml").write_text("task: quiz\ndataset_kwargs: {data_files: rows.jsonl}\n")
    suites = {"quiz": [{"task": "quiz.yaml", "limit": 3}], "known": [{"task": "mmlu", "shots": 5}]}

    def asked(run: str, suite: str, **sections: Any) -> dict[str, Any]:
        study = load({**SETTINGS, "suites": suites, **sections})
        return specs.ask_spec(study, MODEL, run, suite, run_table(study))

    known = [{"task": "mmlu", "shots": 5, "limit": None, "chat": False}]
    base = asked("base", "known")
    assert base == {
        "suite": known,
        "engine": load(SETTINGS).engine.model_dump(exclude=specs.MEMORY),
    }
    assert asked(RUN, "known") == {**base, "adapter": "auto", "rank": 1}
    (quiz,) = specs.suite_spec(load({**SETTINGS, "suites": suites}), "quiz")
    assert quiz.keys() == {"task", "shots", "limit", "chat", "digests"}
    assert asked("base", "quiz")["suite"] == [quiz]
    before = {suite: asked(RUN, suite) for suite in ("facts", "dynamics", "quiz", "known")}
    # How facts are asked says nothing of benchmarks, and the other way round.
    prompts = {"prompts": {"system": "Say."}, "asking": {"max_new_tokens": 3}}
    after = {suite: asked(RUN, suite, **prompts) for suite in before}
    assert [suite for suite in before if before[suite] != after[suite]] == ["facts", "dynamics"]
    Path("rows.jsonl").write_text("{} \n")
    after = {suite: asked(RUN, suite) for suite in before}
    assert [suite for suite in before if before[suite] != after[suite]] == ["quiz"]
    assert every_spec({**SETTINGS, "suites": suites}) == every_spec(SETTINGS)


def test_what_the_page_of_the_facts_says():
    table = {"source": "table", "path": "f.csv", "seed": 7}
    hub = {"source": "hub", "dataset": "a/b", "revision": "0" * 40}
    for facts, place, seed in (
        (table, "f.csv", 7),
        (hub, "a/b", 42),
        (SETTINGS["facts"], None, 42),
    ):
        spec = specs.facts_page_spec(load({**SETTINGS, "facts": facts}).facts, "Facts")
        digests = spec.pop("page_digests")
        known = {"title": "Facts", "source": facts["source"], "place": place, "seed": seed}
        assert spec == known
    assert digests[0] != digests[1] == specs.report_spec(load(SETTINGS))["page_digests"][-1]


def test_a_pool_of_extra_facts_changes_no_other_rule():
    pool = {"source": "world", "size": 60, "seed": 3}
    plain, pooled = load(SETTINGS), load({**SETTINGS, "extra_facts": pool})
    assert every_spec({**SETTINGS, "extra_facts": pool}) == every_spec(SETTINGS)
    assert specs.facts_spec(pooled.extra_facts)["size"] == 60
    table = run_table(pooled)
    asked = [specs.ask_spec(pooled, "m", "base", name, table) for name in ("facts", "extra_facts")]
    assert asked[0] == asked[1]
    shown = {**SETTINGS, "extra_facts": pool, "prompts": {"pool": "extra_facts"}}
    assert specs.shots_spec(load(shown)) == {
        "count": 10,
        "shots": 4,
        "pool": "extra_facts",
        "seed": 42,
    }
    alone = {**shown, "grid": [{"unknown": [20], "seeds": [1]}]}
    assert [specs.pooled(study) for study in (plain, pooled, load(alone))] == [False, True, False]
    needed = [specs.needs_pool(study) for study in (plain, pooled, load(alone))]
    assert needed == [False, True, True]
    assert "extra_source" not in specs.report_spec(plain)
    assert specs.report_spec(pooled) == {**specs.report_spec(plain), "extra_source": "world"}


def test_how_much_memory_an_engine_takes_stands_by_itself():
    spec = specs.memory_spec(load({**SETTINGS, "engine": {"kv_cache_gib": 4}}))
    assert spec == {"kv_cache_gib": 4, "gpu_memory_utilization": 0.9}


def test_what_the_report_says():
    spec = specs.report_spec(load(SETTINGS))
    assert spec["models"] == {"m": "x", "h": "a/b"}
    assert spec["prompts"] == {"count": 10, "shots": 4}
    assert (spec["study"], spec["source"], spec["labels"]) == ("s", "world", {"match": "substring"})
    assert spec["training"]["rank"] == 1


def test_what_the_papers_figures_are_compared_with(tmp_path: Path, monkeypatch):
    spec = specs.published_spec(load(SETTINGS))
    assert json.loads(json.dumps(spec)) == spec
    assert (spec["models"], spec["facts"]) == ({"m": "x", "h": "a/b"}, {"size": 100})
    assert (spec["asking"], spec["labels"]) == ({"max_new_tokens": 32}, {"match": "substring"})
    assert spec["prompts"] == {"count": 10, "shots": 4}
    other = {**SETTINGS, "training": {"rank": 2}, "engine": {"dtype": "float32"}, "study": "t"}
    changed = specs.published_spec(load(other))
    assert {key for key in spec if spec[key] != changed[key]} == {"training"}
    figures = tmp_path / spec["figures"]
    figures.parent.mkdir(parents=True)
    figures.write_text("paper_model\n")
    monkeypatch.chdir(tmp_path)
    assert specs.published_spec(load(SETTINGS))["figures_digest"] != spec["figures_digest"]
