import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowpack.config import RESERVED, Study, load
from knowpack.config_training import Training, check_training
from knowpack.errors import ConfigError
from knowpack.strict import WORDS

ROOT = Path(__file__).parents[2]
MODEL = {"name": "m", "source": "folder", "path": "x"}
GRID = {"unknown": [10], "seeds": [1]}
TASK = {"task": "mmlu"}
LEAST = {
    "study": "s",
    "models": [MODEL],
    "facts": {"source": "world", "size": 100},
    "grid": [GRID],
}
HUB = {"name": "a", "source": "hub", "repo": "a/b"}
SLUG = "write letters, digits, dot, dash and underscore; at most 64, no dot or dash first or last"
LIST = "write a list, in brackets or as lines that begin with a dash"
LINES = "write `key: value` lines below it"
RESERVED_NAME = "models: the study itself has a '{}'; take another name"
TEXT = "write text (in quotes where it looks like something else)"


def faults(values: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(values)
    head, *lines = str(caught.value).split("\n  ")
    assert head == "the configuration cannot be used:"
    return lines


def world(**keys: Any) -> dict[str, Any]:
    return {"facts": {"source": "world", "size": 100, **keys}}


def table(**keys: Any) -> dict[str, Any]:
    return {"facts": {"source": "table", **keys}}


def dataset(**keys: Any) -> dict[str, Any]:
    return {"facts": {"source": "hub", **keys}}


def model(**keys: Any) -> dict[str, Any]:
    return {"models": [{**MODEL, **keys}]}


def grid(**keys: Any) -> dict[str, Any]:
    return {"grid": [GRID, {**GRID, **keys}]}


def written_by(**keys: Any) -> dict[str, Any]:
    writer = {"source": "model", "model": {**MODEL, **keys}, "max_new_tokens": 500}
    return {"paraphrases": writer}


CASES = [
    # unknown keys, at every level
    ({"studdy": 1}, "studdy: unknown key (did you mean 'study'?)"),
    ({"zzz": 1}, "zzz: unknown key"),
    (model(sorce=1), "models.0.sorce: unknown key (did you mean 'source'?)"),
    (model(name="world", sorce=1), "models.0.sorce: unknown key (did you mean 'source'?)"),
    (world(sead=1), "facts.sead: unknown key (did you mean 'seed'?)"),
    (world(columns={"a": "b"}), "facts.columns: unknown key"),
    (table(path="x", colums={}), "facts.colums: unknown key (did you mean 'columns'?)"),
    ({"prompts": {"conut": 3}}, "prompts.conut: unknown key (did you mean 'count'?)"),
    (
        {"generalization": {"wording": 3}},
        "generalization.wording: unknown key (did you mean 'wordings'?)",
    ),
    (
        {"generalization": {"wordings": 0, "reverse": False}},
        "generalization: nothing would be asked; raise 'wordings', set 'reverse' to true, or remove the "
        "section",
    ),
    ({"asking": {"sample": 3}}, "asking.sample: unknown key (did you mean 'samples'?)"),
    ({"labels": {"mach": 3}}, "labels.mach: unknown key (did you mean 'match'?)"),
    ({"training": {"rnak": 1}}, "training.rnak: unknown key (did you mean 'rank'?)"),
    (grid(per_unkown=[1]), "grid.1.per_unkown: unknown key (did you mean 'per_unknown'?)"),
    ({"engine": {"dtpe": 1}}, "engine.dtpe: unknown key (did you mean 'dtype'?)"),
    ({1: 2}, "1: write its name in quotes (found 1)"),
    ({"capacity": {"target": [1]}}, "capacity.target: unknown key (did you mean 'targets'?)"),
    # capacity
    ({"capacity": {"targets": []}}, "capacity.targets: write at least one value (found [])"),
    ({"capacity": {"targets": 0.9}}, f"capacity.targets: {LIST} (found 0.9)"),
    ({"capacity": {"targets": [0]}}, "capacity.targets.0: write more than 0 (found 0)"),
    ({"capacity": {"targets": [90]}}, "capacity.targets.0: write 1 or less (found 90)"),
    ({"capacity": {"budgets": [-0.1]}}, "capacity.budgets.0: write 0 or more (found -0.1)"),
    (
        {"capacity": {"budgets": [0.1, 0.2, 0.1]}},
        "capacity.budgets: 0.1 stands twice; keep one",
    ),
    # folder names
    ({"study": "../x"}, f"study: {SLUG} (found '../x')"),
    ({"study": ".hidden"}, f"study: {SLUG} (found '.hidden')"),
    ({"study": "a b"}, f"study: {SLUG} (found 'a b')"),
    ({"study": "a/b"}, f"study: {SLUG} (found 'a/b')"),
    ({"study": "a\n"}, f"study: {SLUG} (found 'a\\n')"),
    ({"study": ""}, f"study: {SLUG} (found '')"),
    ({"study": "-a"}, f"study: {SLUG} (found '-a')"),
    ({"study": 2024}, f"study: {TEXT} (found 2024)"),
    (model(name="a/b"), f"models.0.name: {SLUG} (found 'a/b')"),
    (model(name="tables"), "models: the study itself has a 'tables'; take another name"),
    (
        model(name="facts.parquet"),
        "models: the study itself has a 'facts.parquet'; take another name",
    ),
    # models
    ({"models": []}, "models: write at least one value (found [])"),
    ({"models": MODEL}, f"models: {LIST} (found {{'name': 'm', 'path': 'x', 'source': 'folder'}})"),
    ({"models": [1]}, f"models.0: {LINES} (found 1)"),
    ({"models": [MODEL, MODEL]}, "models: the name 'm' stands twice; give each its own"),
    (
        model(source="hubb"),
        "models.0.source: write 'package', 'folder' or 'hub' (found 'hubb')",
    ),
    (
        {"models": [{"name": "a", "source": "folder"}]},
        "models.0: source 'folder' needs the key 'path'",
    ),
    ({"models": [{"source": "folder", "path": "x"}]}, "models.0.name: this key is needed"),
    (model(package="p"), "models.0: key 'package' does not go with source 'folder'"),
    (model(revision="p"), "models.0: key 'revision' does not go with source 'folder'"),
    (
        {"models": [{"name": "a", "source": "package", "package": "a.b"}]},
        "models.0.package: write letters, digits and underscore only (found 'a.b')",
    ),
    (
        {"models": [HUB]},
        "models.0: a hub model needs 'revision': the commit's 40 hexadecimal digits",
    ),
    (
        {"models": [{**HUB, "revision": "main"}]},
        "models.0: a hub model needs 'revision': the commit's 40 hexadecimal digits",
    ),
    # facts
    ({"facts": {}}, "facts.source: write 'world', 'table', 'hub' or 'dbpedia' (found None)"),
    (
        {"facts": {"source": "wrld"}},
        "facts.source: write 'world', 'table', 'hub' or 'dbpedia' (found 'wrld')",
    ),
    (dataset(dataset="a/b", splits="full"), "facts.splits: unknown key (did you mean 'split'?)"),
    (dataset(revision="0" * 40), "facts.dataset: this key is needed"),
    (
        dataset(dataset="a/b", revision="main"),
        "facts: 'revision' is a commit: write its 40 hexadecimal digits",
    ),
    (dataset(dataset="a/b", path="x"), "facts.path: unknown key"),
    ({"facts": "world"}, f"facts: {LINES} (found 'world')"),
    ({"facts": {"source": "world"}}, "facts.size: this key is needed"),
    (table(), "facts.path: this key is needed"),
    (world(size=3), "facts.size: write 50 or more (found 3)"),
    (world(size=50_000), "facts.size: write 40000 or less (found 50000)"),
    (world(size="many"), "facts.size: write a whole number (found 'many')"),
    (world(relations="capital"), f"facts.relations: {LIST} (found 'capital')"),
    (table(path="x", columns={"table": 3}), f"facts.columns.table: {TEXT} (found 3)"),
    (table(path="x", columns=["a"]), f"facts.columns: {LINES} (found ['a'])"),
    # values
    ({"prompts": {"count": 0}}, "prompts.count: write 1 or more (found 0)"),
    ({"prompts": {"count": "10"}}, "prompts.count: write a whole number (found '10')"),
    ({"prompts": {"count": True}}, "prompts.count: write a whole number (found True)"),
    ({"prompts": {"count": 2.5}}, "prompts.count: write a whole number (found 2.5)"),
    ({"prompts": {"shots": -1}}, "prompts.shots: write 0 or more (found -1)"),
    ({"prompts": None}, f"prompts: {LINES} (found None)"),
    ({"asking": {"temperature": 0}}, "asking.temperature: write more than 0 (found 0)"),
    ({"asking": {"temperature": "hot"}}, "asking.temperature: write a number (found 'hot')"),
    ({"asking": {"seed": -1}}, "asking.seed: write 0 or more (found -1)"),
    ({"labels": {"match": "exact"}}, "labels.match: write 'substring' or 'word' (found 'exact')"),
    (
        {"labels": {"refusals": ["a", "("]}},
        "labels.refusals.1: '(' is no regular expression: "
        "missing ), unterminated subpattern at position 0",
    ),
    ({"training": {"rank": -1}}, "training.rank: write 1 or more (found -1)"),
    ({"training": {"rank": [1, 2]}}, "training.rank: write a whole number (found [1, 2])"),
    ({"training": {"dropout": 1}}, "training.dropout: write less than 1 (found 1)"),
    (
        {"training": {"method": "pissa"}},
        "training.method: write 'lora', 'dora' or 'loraplus' (found 'pissa')",
    ),
    ({"training": {"patience": -1}}, "training.patience: write 0 or more (found -1)"),
    ({"training": {"strength": 0}}, "training.strength: write more than 0 (found 0)"),
    (
        {"training": {"epochs": 5, "extras_from": 6}},
        "training: extras_from, 6, is after the last of 5 epochs, so that no extra would be trained; "
        "lower it, or raise epochs",
    ),
    (
        {"training": {"method": "dora", "strength": 0.5}},
        "training: strength cannot scale an adapter of DoRA, which does not only add to the weights; "
        "write strength: 1, or another method",
    ),
    ({"training": {"rslora": 1}}, "training.rslora: write true or false (found 1)"),
    (
        {"training": {"learning_rate": float("inf")}},
        "training.learning_rate: write a finite number (found inf)",
    ),
    (
        {"training": {"target_modules": []}},
        "training.target_modules: write at least one value (found [])",
    ),
    (
        {"training": {"target_modules": ["mlp/up"]}},
        "training.target_modules.0: write letters, digits and underscore only (found 'mlp/up')",
    ),
    (
        {"engine": {"gpu_memory_utilization": 1.2}},
        "engine.gpu_memory_utilization: write 1 or less (found 1.2)",
    ),
    ({"device": "gpu"}, "device: write 'auto', 'cpu' or 'cuda' (found 'gpu')"),
    # paraphrases
    ({"paraphrases": {"source": "model"}}, "paraphrases: source 'model' needs the key 'model'"),
    (
        {"paraphrases": {"model": MODEL}},
        "paraphrases: key 'model' does not go with source 'templates'",
    ),
    ({"paraphrases": {"modl": 1}}, "paraphrases.modl: unknown key (did you mean 'model'?)"),
    (written_by(sorce=1), "paraphrases.model.sorce: unknown key (did you mean 'source'?)"),
    (
        {"paraphrases": {"instruction": "Reword it 200 times."}},
        "paraphrases.instruction: lacks {count}, where the number of wordings goes; write it there",
    ),
    (
        written_by(path="y"),
        "paraphrases.model: another model is named 'm' under 'models'; take another name, or make "
        "all keys equal if it is the same",
    ),
    (
        written_by(name="logs"),
        "paraphrases.model: the study itself has a 'logs'; take another name",
    ),
    (
        {"paraphrases": {"source": "model", "model": MODEL}},
        "paraphrases.max_new_tokens: 4096 and a prompt do not fit into 1024 tokens; raise "
        "engine.max_model_len, or lower this key and paraphrases.count",
    ),
    # grid and dynamics
    ({"grid": []}, "grid: write at least one value (found [])"),
    (grid(unknown=[]), "grid.1.unknown: write at least one value (found [])"),
    (grid(unknown=10), f"grid.1.unknown: {LIST} (found 10)"),
    (grid(unknown=[10, 0]), "grid.1.unknown.1: write 1 or more (found 0)"),
    (grid(seeds=["a"]), "grid.1.seeds.0: write a whole number (found 'a')"),
    ({"grid": [{"unknown": [10]}]}, "grid.0.seeds: this key is needed"),
    (
        grid(extra=["hk"]),
        "grid.1.extra.0: write 'none', 'highly_known', 'paraphrase', 'same_domain' or 'replay' "
        "(found 'hk')",
    ),
    (grid(training=3), f"grid.1.training: {LINES} (found 3)"),
    ({"dynamics": [20]}, "dynamics: no grid has 20 unknown facts; there are [10]"),
    ({"dynamics": 10}, f"dynamics: {LIST} (found 10)"),
    # extra facts
    (
        {"extra_facts": {"source": "table", "path": "x", "colums": {}}},
        "extra_facts.colums: unknown key (did you mean 'columns'?)",
    ),
    ({"extra_facts": {"source": "world"}}, "extra_facts.size: this key is needed"),
    ({"extra_facts": "x"}, f"extra_facts: {LINES} (found 'x')"),
    (
        {"prompts": {"pool": "extra_facts"}},
        "prompts.pool: extra_facts needs the section 'extra_facts'",
    ),
    (model(name="extra_facts.parquet"), RESERVED_NAME.format("extra_facts.parquet")),
    (
        {"suites": {"extra_facts": [TASK]}},
        "suites: 'extra_facts' has a meaning of its own; take another name",
    ),
    # suites
    (
        {"suites": {"facts": [TASK]}},
        "suites: 'facts' has a meaning of its own; take another name",
    ),
    (
        {"suites": {"dynamics": [TASK]}},
        "suites: 'dynamics' has a meaning of its own; take another name",
    ),
    ({"suites": {"a b": [TASK]}}, f"suites.a b: {SLUG} (found 'a b')"),
    (
        {"suites": {"a": [TASK], "b": [TASK]}},
        "suites: the task 'mmlu' stands twice; keep one of them",
    ),
    ({"suites": {"a": []}}, "suites.a: write at least one value (found [])"),
    ({"suites": {"a": TASK}}, f"suites.a: {LIST} (found {TASK})"),
    ({"suites": {"a": ["mmlu"]}}, f"suites.a.0: {LINES} (found 'mmlu')"),
    ({"suites": ["mmlu"]}, f"suites: {LINES} (found ['mmlu'])"),
    ({"suites": {"a": [{}]}}, "suites.a.0.task: this key is needed"),
    (
        {"suites": {"a": [{**TASK, "shot": 5}]}},
        "suites.a.0.shot: unknown key (did you mean 'shots'?)",
    ),
    ({"suites": {"a": [{**TASK, "shots": -1}]}}, "suites.a.0.shots: write 0 or more (found -1)"),
    ({"suites": {"a": [{**TASK, "limit": 0}]}}, "suites.a.0.limit: write 1 or more (found 0)"),
]


@pytest.mark.parametrize(("change", "message"), CASES, ids=[message for _, message in CASES])
def test_a_fault_is_named_with_its_place_and_its_remedy(change, message):
    assert faults({**LEAST, **change}) == [message]


def test_every_fault_is_named_at_once():
    assert faults({"study": "../x", "a": 1}) == [
        f"study: {SLUG} (found '../x')",
        "models: this key is needed",
        "facts: this key is needed",
        "grid: this key is needed",
        "a: unknown key",
    ]


def test_every_wording_is_one_that_a_fault_above_has():
    for words in WORDS.values():
        start = f": write {words.split('{')[0]}"
        assert any(start in message for _, message in CASES), words


def test_the_least_configuration_has_the_papers_settings():
    study = load(LEAST)
    assert (study.prompts.count, study.prompts.shots, study.asking.max_new_tokens) == (10, 4, 32)
    assert study.training.model_dump() == {
        "loss": "row",
        "epochs": 10,
        "learning_rate": 1e-3,
        "batch_size": 16,
        "rank": 1,
        "alpha": 2,
        "dropout": 0.1,
        "rslora": False,
        "target_modules": ["down_proj", "gate_proj", "up_proj"],
        "method": "lora",
        "patience": 0,
        "held_out": 50,
        "extras_from": 1,
        "strength": 1.0,
    }


def test_a_default_that_is_written_out_changes_nothing():
    study = load(LEAST)
    assert repr(load(study.model_dump(exclude_none=True))) == repr(study)
    whole_numbers = {**LEAST, "training": {"alpha": 2}}
    assert repr(load(whole_numbers)) == repr(study)


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "+1e-3", "1.0e-3", "1.e-3", "0.001"])
def test_yaml_takes_every_way_to_write_a_number(text):
    values = yaml.safe_load(f"training: {{learning_rate: {text}}}")
    assert load({**LEAST, **values}).training.learning_rate == 1e-3


def test_nothing_can_be_changed_after_loading():
    with pytest.raises(ValueError, match="frozen"):
        load(LEAST).study = "other"


def test_the_embedded_configurations_load():
    for path in sorted((ROOT / "config").glob("*.yaml")):
        load(yaml.safe_load(path.read_text()))


def test_a_studied_model_may_write_the_paraphrases_itself():
    study = load({**LEAST, **written_by()})
    assert study.every_model == study.models
    study = load({**LEAST, **written_by(name="w")})
    assert [model.name for model in study.every_model] == ["m", "w"]


def test_a_model_may_be_called_as_a_source_is():
    assert load({**LEAST, **model(name="world")}).models[0].name == "world"


def test_the_values_given_are_left_as_they_are():
    values = copy.deepcopy(LEAST)
    load(values)
    assert values == LEAST


def test_a_grids_training_keys_are_checked_as_the_section_is():
    base = Training(rank=4)
    assert check_training({"alpha": "1e1"}, base, "g") == Training(rank=4, alpha=10.0)
    with pytest.raises(ConfigError) as caught:
        check_training({"rnak": 1, "epochs": 0, "models": 1}, base, "grid.0.training")
    assert str(caught.value).split("\n  ")[1:] == [
        "grid.0.training.epochs: write 1 or more (found 0)",
        "grid.0.training.rnak: unknown key (did you mean 'rank'?)",
        "grid.0.training.models: unknown key",
    ]


KEYS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.sampled_from(sorted(Study.model_fields)), KEYS)
def test_whatever_stands_in_a_section_it_loads_or_is_explained(key, value):
    try:
        load({**LEAST, key: value})
    except ConfigError as error:
        for jargon in ("Input", "input", "another value", "valid", "dictionary", "instance"):
            assert jargon not in str(error).replace(repr(value), "")


@given(st.text(max_size=70))
def test_a_study_is_one_plain_folder_whatever_its_name(name):
    try:
        folder = load({**LEAST, "study": name}).study
    except ConfigError:
        return
    path = Path("results") / folder
    assert path.resolve().parent == Path("results").resolve()
    assert folder.isascii()
    assert len(folder) <= 64
    assert not folder.startswith((".", "-"))
    assert folder.split() == [folder]


def test_reserved_names_are_all_refused():
    for name in RESERVED:
        assert faults({**LEAST, **model(name=name)}) == [
            f"models: the study itself has a '{name}'; take another name"
        ]
