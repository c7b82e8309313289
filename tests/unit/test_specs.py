import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from knowpack import specs
from knowpack.config import load
from knowpack.runs import run_table

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


def every_spec(values: dict[str, Any]) -> dict[str, Any]:
    """What each rule is given, of one run and its model."""
    study = load(values)
    table = run_table(study)
    asked = (study, MODEL)
    return {
        "model": specs.model_spec(*asked),
        "facts": specs.facts_spec(study),
        "shots": specs.shots_spec(study),
        "ask base": specs.ask_spec(*asked, "base", "facts", table),
        "ask run": specs.ask_spec(*asked, RUN, "facts", table),
        "label": specs.label_spec(study),
        "select": specs.select_spec(*asked, RUN, table),
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
    ],
)
def test_a_key_reaches_the_rules_that_use_it_and_no_other(section, key, value, reached):
    values = copy.deepcopy(SETTINGS)
    before = every_spec(values)
    values.setdefault(section, {})[key] = value
    after = every_spec(values)
    assert {rule for rule in before if before[rule] != after[rule]} == reached


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


def test_templates_count_where_paraphrases_are_made_from_them():
    study = load(SETTINGS)
    table = run_table(study)
    plain = specs.select_spec(study, "m", "uk10-hk1-s1", table)
    assert plain == {
        "unknown": 10,
        "extra": "highly_known",
        "per_unknown": 1,
        "seed": 1,
        "facts_seed": 42,
    }
    paraphrased = specs.select_spec(study, "m", "uk10-pp1-s1", table)
    assert paraphrased.keys() - plain.keys() == {"templates", "templates_digest"}


def test_files_count_by_their_content(tmp_path: Path):
    path = tmp_path / "facts.csv"
    path.write_text("question,answer\nq,a\n")
    values = {**SETTINGS, "facts": {"source": "table", "path": str(path)}}
    values |= {"grid": [{"unknown": [10], "seeds": [1]}], "dynamics": []}
    spec = specs.facts_spec(load(values))
    digest = hashlib.sha256(b"question,answer\nq,a\n").hexdigest()[:16]
    assert spec == {
        "source": "table",
        "path": str(path),
        "path_digest": digest,
        "columns": {},
        "seed": 42,
    }
    path.touch()
    assert specs.facts_spec(load(values)) == spec
    path.write_text("question,answer\nq,b\n")
    assert specs.facts_spec(load(values)) != spec


def test_what_the_report_says():
    spec = specs.report_spec(load(SETTINGS))
    assert spec["models"] == {"m": "x", "h": "a/b"}
    assert spec["prompts"] == {"count": 10, "shots": 4}
    assert (spec["study"], spec["source"], spec["labels"]) == ("s", "world", {"match": "substring"})
    assert spec["training"]["rank"] == 1
