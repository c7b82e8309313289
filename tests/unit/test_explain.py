"""The page that says how a run or a table was made."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from knowpack import config, evidence, explain, present, specs, table_specs
from knowpack.errors import ConfigError
from knowpack.evidence import Evidence
from knowpack.explain import TRAINED, page
from knowpack.explain_study import Place, explain_run, explain_table
from knowpack.plain_text import WIDTH
from knowpack.provenance import SCRIPTS, code_digest, pins, unread
from knowpack.runs import run_table
from knowpack.seeds import sub_seed

RULES = Path(__file__).parents[2] / "rules"
PLATFORM = {
    "system": "Debian 12",
    "processor": "EPYC",
    "cores": 2,
    "threads": 1,
    "device": "cpu",
    "devices": 1,
}


def sha(name: str) -> str:
    return name.ljust(64, "0")


def record(rule: str, spec: Any, inputs: str, outputs: str, **changes: Any) -> dict[str, Any]:
    """A job that took two seconds; the checksum of a file is its name's."""
    made = {
        "rule": rule,
        "wildcards": {},
        "script": None,
        "spec": spec,
        "code": f"{rule[:4]}-0123456789a",
        "stack": [],
        "versions": {"python": "3.11.2", "pandas": "3.1.1"},
        "platform": PLATFORM,
        "inputs": {file: sha(file[:3]) for file in inputs.split()},
        "outputs": {file: sha(file[:3]) for file in outputs.split()},
        "begun": "2026-11-23T10:00:00.000+00:00",
        "ended": "2026-11-23T10:00:02.000+00:00",
    }
    return made | changes


OF_RUN = {"wildcards": {"model": "m", "run": "r"}}
TRAIN_SPEC = {"rank": 1, "rslora": False, "target_modules": ["up", "down"], "seed": 42}
ENGINE = {"dtype": "bfloat16", "max_model_len": 1024}
RECORDS = [
    record("build_facts", {"seed": 7, "source": "world", "size": 300}, "", "facts.parquet"),
    record("materialise_model", {}, "", "m/model/model.json"),
    record("draw_shots", {"count": 5, "shots": 4, "seed": 9}, "facts.parquet", "shots.parquet"),
    record(
        "select_rows",
        {"unknown": 2, "extra": "highly_known", "per_unknown": 1, "seed": 42, "facts_seed": 7},
        "facts.parquet m/base/pools.parquet",
        "m/r/rows.parquet",
        **OF_RUN,
    ),
    record(
        "train_adapter",
        TRAIN_SPEC,
        "m/model/model.json m/r/rows.parquet",
        "m/r/adapter/adapter_model.safetensors m/r/adapter/run.json",
        stack=["torch==2.13.0", "peft==0.21.2"],
        versions={"python": "3.11.2", "torch": "2.13.0+cpu", "peft": "0.22.0"},
        platform=PLATFORM | {"device": "NVIDIA H200", "devices": 2},
        **OF_RUN,
    ),
    record(
        "ask",
        {"max_new_tokens": 32, "engine": ENGINE, "system": "Answer the question."},
        "facts.parquet shots.parquet m/r/adapter/run.json m/model/model.json",
        "m/r/responses/facts.parquet",
        wildcards={"model": "m", "run": "r", "suite": "facts"},
    ),
    record(
        "ask",
        {"suite": [{"task": "arc"}, {"task": "mmlu"}], "engine": ENGINE},
        "m/model/model.json",
        "m/base/responses/general.parquet",
        wildcards={"model": "m", "run": "base", "suite": "general"},
    ),
]
NOW = {file: known for made in RECORDS for file, known in made["outputs"].items()}
RUN: dict[str, Any] = {
    "study": "s",
    "subject": "r of m",
    "run": "r",
    "records": RECORDS,
    "now": NOW,
    "models": {
        "m": {
            "source": {"source": "hub", "repo": "a/b", "revision": "0123abc"},
            "files": {
                "config.json": {"bytes": 100, "sha256": "c0"},
                "model.safetensors": {"bytes": 536_200_000, "sha256": "d9df495ac8121f17"},
            },
        }
    },
    "made": {
        "spec": TRAIN_SPEC,
        "code": "c0de",
        "stack": ["torch==2.13.0"],
        "loss": [[1, 5.0], [2, 4.0], [3, 0.5]],
        "tokens_per_second": 1234.5,
        "seconds": 100.0,
        "device": "NVIDIA H200",
    },
    "counts": {"facts": 300},
    "roles": {"unknown": 2, "highly_known": 2},
    "asked": {
        "m/r/responses/facts.parquet": {"prompts": "1500", "seconds": "150.0", "device": "cpu"}
    },
    "results": [("reliability", "0.970 after epoch 10, of 2 facts")],
}
PAGE = """\
r of m, study 's'

WHAT IT IS
  condition     2 Unknown facts, each with 1 HighlyKnown fact; seed 42

DATA
  facts         300: source world, seed 7, size 300
                facts.parquet, SHA-256 fac0000000000000, unchanged
  rows          2 unknown, 2 highly_known
                m/r/rows.parquet, SHA-256 m/r0000000000000, unchanged
  prompts       count 5, shots 4, seed 9

MODEL
  m             source hub, repo a/b, revision 0123abc
                536.2 MB: model.safetensors with SHA-256 d9df495ac8121f17
                m/model/model.json, SHA-256 m/m0000000000000, unchanged

TRAINING
  settings      rank 1, rslora no, target_modules up + down, seed 42
  seeds         run 42, and from it adapter 1190349820, training 396918507, order 13083598,
                highly_known 2469209163; facts 7, and from it unknown 2394706461; prompts 9
  loss          5.0000 at step 1, 0.5000 at step 3
  took          100 s on NVIDIA H200, 1,234.5 tokens a second
  adapter       m/r/adapter/adapter_model.safetensors, SHA-256 m/r0000000000000, unchanged

ASKED
  facts         1,500 prompts in 2 min on cpu; max_new_tokens 32, system "Answer the question."
  base general  tasks arc + mmlu
  engine        dtype bfloat16, max_model_len 1024

RESULTS
  reliability   0.970 after epoch 10, of 2 facts

MACHINES AND VERSIONS
  machine       EPYC, 2 cores, Debian 12, device cpu
  machine       EPYC, 2 cores, Debian 12, device NVIDIA H200 x 2
  versions      python 3.11.2, pandas 3.1.1, peft 0.22.0 (pinned: 0.21.2), torch 2.13.0+cpu
  pinned in     envs/train.cuda.yaml

HOW IT WAS MADE
  rule               jobs  ended (UTC)       took  code          files      if made now
  build_facts        1     2026-11-23 10:00  2 s   buil-0123456  unchanged  the same
  materialise_model  1     2026-11-23 10:00  2 s   mate-0123456  unchanged  the same
  draw_shots         1     2026-11-23 10:00  2 s   draw-0123456  unchanged  the same
  select_rows        1     2026-11-23 10:00  2 s   sele-0123456  unchanged  the same
  train_adapter      1     2026-11-23 10:00  2 s   trai-0123456  unchanged  the same
  ask                2     2026-11-23 10:00  4 s   ask-01234567  unchanged  the same

NOW
  Every recorded file is as it was.
  The present configuration and code would make it in the same way.
"""


def shown(**changes: Any) -> str:
    text = page(Evidence(**{**RUN, **changes}))
    assert max(map(len, text.splitlines())) <= WIDTH
    return text


def now(**changes: Any) -> list[str]:
    """The sentences under the last title, each in one line."""
    text = shown(**changes).partition("\nNOW\n")[2]
    return [" ".join(part.split()) for part in re.split(r"\n  (?! )", f"\n{text}") if part.strip()]


def test_the_page_of_a_run():
    assert shown() == PAGE


def test_the_page_of_a_model_itself():
    text = shown(run="base", subject="base of m", made={}, roles={})
    assert "the model itself, taught nothing" in text
    assert "TRAINING" not in text and "\n  rows " not in text
    assert "  general       tasks arc + mmlu\n" in text


def test_the_page_of_a_table():
    table = record("table_shifts", {}, "m/r/labels.parquet", "tables/shifts.parquet")
    known = NOW | table["outputs"]
    records = [*RECORDS, table]
    changes = {"run": "", "table": "shifts", "made": {}, "roles": {}, "asked": {}, "results": ()}
    text = shown(**changes, subject="table 'shifts'", records=records, now=known)
    assert text.startswith(
        "table 'shifts', study 's'\n\nWHAT IT IS\n"
        "  table         Shifts (Tables 3 and 6 in the paper)\n"
        "                tables/shifts.parquet, SHA-256 tab0000000000000, unchanged\n"
        "  runs          1: m r\n"
        "  seeds         42\n\nDATA\n  facts         300: "
    )
    assert "TRAINING" not in text and "ASKED" not in text and "RESULTS" not in text


def test_without_records_it_says_what_it_does_not_know():
    text = shown(records=[], now={}, unrecorded=["m/r/adapter/run.json", "m/r/rows.parquet"])
    assert "condition     not known: there is no record of its rows\n" in text
    assert "  facts         300\n                facts.parquet: not recorded\n" in text
    assert "made with     code c0de, torch==2.13.0\n" in text
    assert "HOW IT WAS MADE" not in text and "VERSIONS" not in text
    assert text.endswith(
        "NOW\n"
        "  Not known, for want of a record (made before there were any, or moved without them), is how"
        " these\n    were made: m/r/adapter/run.json, m/r/rows.parquet\n"
    )


def test_a_changed_and_a_vanished_file():
    changed = NOW | {"facts.parquet": "abc" * 20, "m/r/adapter/run.json": None}
    assert now(now=changed, resized=["m/model/model.safetensors"]) == [
        "facts.parquet: changed since (SHA-256 abcabcabcabcabca now)",
        "m/r/adapter/run.json: gone",
        "m/model/model.safetensors: of another size than recorded",
        "The present configuration and code would make it in the same way.",
    ]
    text = shown(now=changed)
    assert (
        "facts.parquet, SHA-256 fac0000000000000, changed since (SHA-256 abcabcabcabcabca" in text
    )
    table = text.partition("HOW IT WAS MADE")[2]
    assert re.search(r"build_facts .* 1 changed +the same", table)
    assert re.search(r"train_adapter .* 1 gone +the same", table)
    assert re.search(r"select_rows .* unchanged +the same", table)


def test_a_job_that_read_what_is_no_longer_there():
    again = record("build_facts", {}, "", "") | {"outputs": {"facts.parquet": sha("new")}}
    sentences = now(records=[*RECORDS, again], now=NOW | again["outputs"])
    assert sentences[:3] == [
        "shots.parquet: made from an earlier facts.parquet",
        "m/r/rows.parquet: made from an earlier facts.parquet",
        "m/r/responses/facts.parquet: made from an earlier facts.parquet",
    ]
    pools = {"m/base/pools.parquet": sha("other")}  # of which there is no record
    assert now(now=NOW | pools)[0] == "m/r/rows.parquet: made from an earlier m/base/pools.parquet"


def test_what_would_be_made_otherwise():
    differs = {
        "m/r/responses/facts.parquet": ["code: 1 then, 2 now"],
        "m/base/responses/general.parquet": ["code: 1 then, 2 now", "engine.dtype: 3 then, 4 now"],
    }
    assert now(differs=differs) == [
        "ask (2 jobs): code: 1 then, 2 now",
        "ask: engine.dtype: 3 then, 4 now",
        "Every recorded file is as it was.",
    ]
    assert re.search(r"ask .* unchanged +2 otherwise", shown(differs=differs))


def test_a_table_that_lacks_a_run():
    assert now(run="", table="shifts", new_runs=["m uk4-s1"]) == [
        "not in it, but in the present configuration: m uk4-s1",
        "Every recorded file is as it was.",
    ]


def test_a_scaled_adapter_is_told_with_the_run_that_was_trained():
    half = {"wildcards": {"model": "m", "run": "half"}}
    records = [
        *RECORDS,
        record("select_rows", RECORDS[3]["spec"], "facts.parquet", "m/half/rows.parquet", **half),
        record(
            "scale_adapter",
            {"of": "r", "strength": 0.5},
            "m/r/adapter/run.json",
            "m/half/adapter/run.json",
            **half,
        ),
    ]
    now = {file: known for made in records for file, known in made["outputs"].items()}
    text = shown(records=records, now=now, run="half")
    assert "settings      rank 1, rslora no, target_modules up + down, seed 42\n" in text
    assert "strength      0.5: the adapter of r, scaled\n" in text
    assert "m/half/rows.parquet, SHA-256" in text


def test_a_training_that_stopped_early_says_which_epoch_it_kept():
    made = RUN["made"] | {
        "epochs": 6,
        "best_epoch": 4,
        "held_out_loss": [3.0, 2.0, 1.5, 1.0, 1.1, 1.2],
    }
    line = "stopped after 6; that of the lowest loss on held-out facts is number 4"
    assert f"epochs        {line}\n" in shown(made=made)


@pytest.mark.parametrize(
    ("selected", "names"),
    [
        ({"extra": "none"}, []),
        ({"extra": "paraphrase"}, []),
        ({"extra": "highly_known"}, ["highly_known", "extra_facts"]),
        ({"extra": "same_domain"}, ["highly_known", "extra_facts"]),
        ({"extra": "replay"}, ["replay"]),
        ({"extra": "none", "held_out": 50}, ["held_out"]),
        ({"extra": "replay", "held_out": 50}, ["replay", "held_out"]),
    ],
)
def test_all_derived_seeds_of_a_run_are_told(selected: dict[str, Any], names: list[str]):
    rows = RECORDS[3] | {"spec": RECORDS[3]["spec"] | selected}
    pool = record("build_extra_facts", {"source": "world"}, "", "extra_facts.parquet")
    text = " ".join(shown(records=[*RECORDS[:3], pool, rows, *RECORDS[4:]]).split())
    derived = ", ".join(f"{name} {sub_seed(42, name)}" for name in [*TRAINED, *names])
    assert f"seeds run 42, and from it {derived}; facts 7, " in text


def test_a_long_page_keeps_its_width():
    names = [f"m uk{level}-hk10-s42-learning_rate0.0001" for level in range(400)]
    text = shown(new_runs=names, unrecorded=[f"m/r/{name}.parquet" for name in names])
    assert " and 388 more" in " ".join(text.split())


def test_nothing_of_a_record_steers_a_terminal():
    odd = record("build_facts", {"source": "\x1b[2Jtable", "path": "a\u202eb"}, "", "facts.parquet")
    assert "source ?[2Jtable, path a?b\n" in shown(records=[odd])


def test_the_derived_seeds_are_those_of_the_code():
    def derived(module: str) -> list[str]:
        text = (SCRIPTS / f"knowpack/{module}.py").read_text()
        return re.findall(r'sub_seed\([^()]*, f?"(\w+)[^"]*"\)', text)

    assert tuple(derived("training")) == TRAINED
    assert derived("extras") == ["highly_known", "extra_facts", "replay", "held_out"]
    assert derived("order") == ["unknown"]


# --- what the present configuration and code would give

STUDY = config.load(
    {
        "study": "s",
        "models": [{"name": "m", "source": "folder", "path": "anywhere"}],
        "facts": {"source": "world", "size": 50},
        "grid": [{"unknown": [2], "extra": ["none"], "seeds": [1]}],
        "suites": {"quiz": [{"task": "arc"}]},
    }
)
RUNS = run_table(STUDY)
ONE = {"model": "m", "run": "uk2-s1"}


def of_rule(rule: str, script: str, wildcards: dict[str, str], **changes: Any) -> dict[str, Any]:
    tables = table_specs.table_specs(STUDY, RUNS)
    given = present.SPECS.get(rule, lambda *_: tables.get(rule, {}))
    spec = json.loads(json.dumps(given(STUDY, RUNS, wildcards)))
    stack = pins(present.STACKS[rule]) if rule in present.STACKS else []
    modules = [unread(spec)] if rule == "build_facts" else []
    code = code_digest(script, *modules)
    known = {"script": script, "code": code, "stack": stack, "wildcards": wildcards}
    return record(rule, spec, "", "x", **known) | changes


TRAINING = of_rule("train_adapter", "train_adapter.py", ONE)
ASKING = of_rule("ask", "ask_benchmarks.py", {**ONE, "suite": "quiz"})


@pytest.mark.parametrize(
    ("made", "lines"),
    [
        (TRAINING, []),
        (ASKING, []),
        (of_rule("table_shifts", "table_shifts.py", {}), []),
        (of_rule("build_facts", "build_facts.py", {}), []),
        (TRAINING | {"spec": TRAINING["spec"] | {"rank": 2}}, ["rank: 2 then, 1 now"]),
        (
            ASKING | {"spec": ASKING["spec"] | {"engine": {"dtype": "half"}, "more": 1}},
            ['engine.dtype: "half" then, "auto" now']
            + [
                f"engine.{key}: none then, {value} now"
                for key, value in sorted(STUDY.engine.model_dump(exclude=specs.MEMORY).items())
                if key != "dtype"
            ]
            + ["more: 1 then, none now"],
        ),
        (TRAINING | {"code": "old"}, [f"code: old then, {TRAINING['code']} now"]),
        (TRAINING | {"wildcards": {"model": "m", "run": "uk3-s1"}}, ["no such job"]),
        (TRAINING | {"wildcards": {"model": "n", "run": "uk2-s1"}}, ["no such job"]),
        (ASKING | {"wildcards": {**ONE, "suite": "other"}}, ["no such job"]),
        (TRAINING | {"script": "gone.py"}, ["no such job"]),
        (of_rule("pool_extra_facts", "pool_facts.py", {"model": "m"}), ["no such job"]),
        (of_rule("reword_facts", "reword_facts.py", {"model": "m"}), ["no such job"]),
        (of_rule("ask", "ask_facts.py", {**ONE, "suite": "generalization"}), ["no such job"]),
    ],
)
def test_differences(made: dict[str, Any], lines: list[str]):
    if lines == ["no such job"]:
        lines = ["the present configuration has no such job"]
    assert present.differences(made, STUDY, RUNS) == lines


def test_another_version_is_a_difference():
    stack = ["gone==1", *(pin for pin in TRAINING["stack"] if not pin.startswith("peft="))]
    (peft,) = (pin for pin in TRAINING["stack"] if pin.startswith("peft="))
    found = present.differences(TRAINING | {"stack": [*stack, "torch==0.1"]}, STUDY, RUNS)
    assert found[0] == "gone: 1 then, none now"
    assert found[1] == f"peft: none then, {peft.removeprefix('peft==')} now"
    assert found[2].startswith("torch: 0.1 then, ")


def test_a_source_that_is_gone_is_named():
    values = STUDY.model_dump(exclude_none=True)
    table = {"source": "table", "path": "no-such-facts.csv"}
    study = config.load({**values, "facts": table})
    (line,) = present.differences(of_rule("build_facts", "build_facts.py", {}), study, RUNS)
    assert re.fullmatch(r"it cannot be told, as .*no-such-facts\.csv cannot be read", line)


def test_every_rule_is_compared_as_its_rule_file_has_it():
    """Where a rule takes its parameters from the library, so must the comparison."""
    text = "\n".join(path.read_text() for path in sorted(RULES.glob("*.smk")))
    head = r"^ *(?:use )?(?:rule|checkpoint) (\w+)(?: as (\w+) with)?:$"
    parts = re.split(head, text, flags=re.MULTILINE)
    stacks, given = {}, set()
    for name, other, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if found := re.search(r'stack=pins\("(\w+)"\)', body):
            stacks[other or name] = found[1]
        if re.search(r"spec=(?!\{\},)", body):
            given.add(other or name)
        if of_table := re.search(r'spec=TABLE_SPECS\["(\w+)"\]', body):
            assert of_table[1] == name
    assert stacks == present.STACKS
    pages = {"describe_facts", "describe_extra_facts"}  # no run and no table comes of them
    compared = present.SPECS.keys() | table_specs.table_specs(STUDY, RUNS).keys()
    assert given - pages <= compared
    assert compared - given == {"label_extra_facts"}  # as its rule's parent has it


@pytest.mark.parametrize(
    ("rule", "changed", "key"),
    [
        ("table_capacity", {"capacity": {"targets": [0.5]}}, "targets: [0.9] then, [0.5] now"),
        ("table_shifts", {"prompts": {"count": 3}}, "prompts.count: 10 then, 3 now"),
        ("table_costs", {"suites": {}}, "asked: "),
    ],
)
def test_another_configuration_is_a_difference_of_a_table(rule, changed, key):
    study = config.load(STUDY.model_dump(exclude_none=True) | changed)
    made = of_rule(rule, f"{rule}.py", {})
    assert present.differences(made, STUDY, RUNS) == []
    (line,) = present.differences(made, study, run_table(study))
    assert line.startswith(key)


def test_the_modules_need_neither_snakemake_nor_torch():
    for module in (evidence, explain, present):
        assert not {"torch", "snakemake"} & set(vars(module))


def test_of_several_models_one_is_to_be_named(tmp_path: Path):
    twins = [{"name": name, "source": "folder", "path": "anywhere"} for name in ("m", "n")]
    study = config.load({**STUDY.model_dump(exclude_none=True), "models": twins})
    place = Place(tmp_path, study, run_table(study), [])
    with pytest.raises(
        ConfigError, match=r"^several models have a run 'uk2-s1'; write MODEL=, one"
    ):
        explain_run(place, "uk2-s1", None)
    with pytest.raises(ConfigError, match=r"n/uk2-s1: nothing of this run has been made yet$"):
        explain_run(place, "uk2-s1", "n")
    with pytest.raises(ConfigError, match=r"tables/shifts\.parquet has not been made yet$"):
        explain_table(place, "shifts")
