"""What has changed since a job ran: its record beside what the present configuration and code give it.

The rules of `rules/*.smk` take their parameters from the same functions. Those that are given
nothing of the configuration are compared by their code.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from knowpack import export_specs, reword_specs, specs, table_specs
from knowpack.config import OWN_SUITES, Study
from knowpack.provenance import SCRIPTS, code_digest, pins, unread
from knowpack.records import Record

Runs = list[dict[str, Any]]
Wildcards = Mapping[str, str]
SPECS: dict[str, Callable[[Study, Runs, Wildcards], Any]] = {
    "materialise_model": lambda study, runs, w: specs.model_spec(study, w["model"]),
    "fetch_dump": lambda study, runs, w: {"url": specs.fetched(study).get(w["sha256"])},
    "build_facts": lambda study, runs, w: specs.facts_spec(study.facts),
    "build_extra_facts": lambda study, runs, w: _of_pool(study),
    "draw_shots": lambda study, runs, w: specs.shots_spec(study),
    "list_runs": lambda study, runs, w: runs,
    "load_suite": lambda study, runs, w: specs.suite_spec(study, w["suite"]),
    "ask": lambda study, runs, w: specs.ask_spec(study, w["model"], w["run"], w["suite"], runs),
    "label": lambda study, runs, w: specs.label_spec(study),
    "label_extra_facts": lambda study, runs, w: specs.label_spec(study),
    "label_epochs": lambda study, runs, w: specs.label_spec(study),
    "reword_facts": lambda study, runs, w: reword_specs.reword_spec(study, w["model"], runs),
    "label_rewordings": lambda study, runs, w: specs.match_spec(study),
    "score_suite": lambda study, runs, w: specs.suite_spec(study, w["suite"]),
    "paraphrase_facts": lambda study, runs, w: specs.paraphrase_spec(study, w["model"], runs),
    "paraphrase_by_templates": lambda study, runs, w: specs.paraphrase_spec(
        study, w["model"], runs
    ),
    "select_rows": lambda study, runs, w: specs.select_spec(study, w["model"], w["run"], runs),
    "recommend": lambda study, runs, w: {"model": study.export.model},
    "export_adapter": lambda study, runs, w: export_specs.export_spec(study, w["model"], False),
    "export_merged": lambda study, runs, w: export_specs.export_spec(study, w["model"], True),
    "train_adapter": lambda study, runs, w: specs.train_spec(study, w["model"], w["run"], runs),
    "scale_adapter": lambda study, runs, w: specs.scale_spec(study, w["model"], w["run"], runs),
    "draw_figure": lambda study, runs, w: table_specs.figure_spec(study, w["figure"]),
    "make_report": lambda study, runs, w: specs.report_spec(study),
    "table_published": lambda study, runs, w: specs.published_spec(study),
}
# The rules and the suite of the section `generalization`.
OTHERWISE = {"reword_facts", "label_rewordings", "table_generalization", "generalization"}
_code = cache(code_digest)  # a study has thousands of jobs and few scripts
# The environment whose pinned versions a rule carries.
STACKS = {
    "build_facts": "analysis",
    "build_extra_facts": "analysis",
    "load_suite": "benchmark",
    "score_suite": "benchmark",
    "ask": "engine",
    "paraphrase_facts": "engine",
    "train_adapter": "train",
}


def differences(record: Record, study: Study, runs: Runs) -> list[str]:
    """Say in what a job would differ if it were made now, a line each; none if in nothing.

    ``runs`` is the present run table (`knowpack.runs.run_table`).
    """
    if not _is_there(record, study, runs):
        return ["the present configuration has no such job"]
    try:
        return [*_of_spec(record, study, runs), *_of_code(record), *_of_stack(record)]
    except OSError as error:
        return [f"it cannot be told, as {error.filename} cannot be read"]


def _is_there(record: Record, study: Study, runs: Runs) -> bool:
    """Whether the configuration still has the model, the run and the suite of a job."""
    w = record["wildcards"]
    models = {model.name for model in study.every_model}
    of_runs = {(row["model"], row["run"]) for row in runs} | {(model, "base") for model in models}
    script = record["script"]
    return (
        w.get("model", min(models)) in models
        and ("run" not in w or (w["model"], w["run"]) in of_runs)
        and w.get("suite", "facts") in OWN_SUITES | study.suites.keys()
        and (script is None or (SCRIPTS / script).is_file())
        and (study.extra_facts is not None or "extra_" not in record["rule"])
        and (study.generalization is not None or not {record["rule"], w.get("suite")} & OTHERWISE)
    )


def _of_spec(record: Record, study: Study, runs: Runs) -> Iterator[str]:
    rule = record["rule"]
    if rule in SPECS:
        given = SPECS[rule](study, runs, record["wildcards"])
    elif (given := table_specs.table_specs(study, runs).get(rule)) is None:
        return
    present = json.loads(json.dumps(given))
    then, now = dict(_flat(record["spec"])), dict(_flat(present))
    for key in sorted(then.keys() | now.keys()):
        if key not in then or key not in now or then[key] != now[key]:
            yield f"{key or 'its settings'}: {_shown(then, key)} then, {_shown(now, key)} now"


def _of_code(record: Record) -> Iterator[str]:
    of_facts = record["rule"] in ("build_facts", "build_extra_facts")
    modules = [unread(record["spec"])] if of_facts else []
    if record["script"] and (now := _code(record["script"], *modules)) != record["code"]:
        yield f"code: {record['code']} then, {now} now"


def _of_stack(record: Record) -> Iterator[str]:
    if not record["stack"] or record["rule"] not in STACKS:
        return
    then = dict(pin.split("==") for pin in record["stack"])
    now = dict(pin.split("==") for pin in pins(STACKS[record["rule"]]))
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) != now.get(name):
            yield f"{name}: {then.get(name, 'none')} then, {now.get(name, 'none')} now"


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings by their path; a list is one leaf."""
    if not isinstance(value, Mapping):
        yield key, value
        return
    for name, item in value.items():
        yield from _flat(item, f"{key}.{name}" if key else str(name))


def _shown(values: Mapping[str, Any], key: str) -> str:
    if key not in values:
        return "none"
    text = json.dumps(values[key], ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _of_pool(study: Study) -> Any:
    return specs.facts_spec(study.extra_facts) if study.extra_facts else None
