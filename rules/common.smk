# Checks the configuration, expands it to the run table, and says what each rule is given of it.

import json
import os
import re
import sys
from functools import cache
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod
from snakemake.utils import update_config

# Data packages read their files in the encoding of the machine, which need not be UTF-8.
os.environ |= {"PYTHONUTF8": "1"}
ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from knowpack import (
    checks,
    contents,
    export_specs,
    provenance,
    reword_specs,
    runs,
    specs,
    table_specs,
)
from knowpack.errors import KnowpackError
from knowpack.hold import Run
from knowpack.orphans import end_orphans
from knowpack.provenance import pins
from knowpack.summary import print_summary


def typed(value):
    """A value of --config, inside which Snakemake takes numbers for text, with YAML's types."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    try:
        return yaml.safe_load(value) if isinstance(value, str) else value
    except yaml.YAMLError:  # a text such as `a: b: c`
        return value


update_config(config, typed(dict(workflow.config_settings.config)))

CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method

try:
    checks.refuse_programs(workflow.overwrite_configfiles)
    study, RUNS = checks.prepare(
        config, packages=not CONDA, tasks=not CONDA and workflow.is_main_process
    )
except KnowpackError as error:
    raise WorkflowError(str(error)) from None

MODELS = [model.name for model in study.models]
# The run table's one row of a run.
ROWS = {(row["model"], row["run"]): [row] for row in RUNS}
EPOCHS = [row for row in RUNS if runs.has_dynamics(study, row)]
# Runs with the adapter of another one, scaled; all others are trained.
SCALED = [row for row in RUNS if row["strength"] != 1]
TRAINED = [row for row in RUNS if row["strength"] == 1]
# Runs that stop early have an epoch of their own.
STOPPED = [row for row in RUNS if row["patience"]]
SUITES = sorted(study.suites)
# The models that are asked the extra facts.
POOLED = MODELS * specs.pooled(study)
# The runs whose taught facts are asked otherwise, too.
REWORDED = RUNS if reword_specs.rewordable(study) else []
FACT_PAGES = [
    f"<results>/{name}.html"
    for name in ["facts"] + ["extra_facts"] * specs.needs_pool(study)
]
# Dumps to fetch: addresses by checksum.
DUMPS = specs.fetched(study)
BENCHMARKED = table_specs.benchmarked(study, RUNS)
RESULTS = Path("results") / study.study
QUEUED = RESULTS / ".slurm-run"
DEVICE = checks.device(study)
# Profiles say how many GPUs there are; without one, one job at a time computes on them.
if workflow.is_main_process:
    most = max(study.jobs.ask.devices, study.jobs.train.devices)
    workflow.global_resources.setdefault("gpu", most)
    if DEVICE == "cuda" and workflow.global_resources["gpu"].value < most:
        raise WorkflowError(
            f"jobs: devices: {most} GPUs for one job, where the profile or --resources has "
            f"gpu={workflow.global_resources['gpu'].value}; raise the one or lower the other"
        )
# Half of a job that asks is one thread's work (starting the engine), so on a CPU two jobs share the cores.
# Of GPUs each has its part of them.
GPUS = workflow.global_resources.get("gpu").value if DEVICE == "cuda" else None
THREADS = max(1, os.cpu_count() // max(2, GPUS or 0))


wildcard_constraints:
    sha256="[0-9a-f]{64}",
    model="|".join(re.escape(model.name) for model in study.every_model),
    run="base|" + "|".join(sorted({re.escape(row["run"]) for row in RUNS})),
    suite="|".join(
        map(re.escape, ["facts", "dynamics", "extra_facts", "generalization", *SUITES])
    ),


if workflow.is_main_process:
    RUN = Run(RESULTS)


def hold_study():
    """Refuse to start where another run of the same study is at work, or would not find a GPU."""
    if workflow.non_local_exec and study.device == "auto":
        raise WorkflowError(
            "device: 'auto' is what this machine has, and jobs run elsewhere; write `device: cuda` "
            "(or cpu) in the configuration, or add `--config device=cuda`"
        )
    try:
        RUN.begin(local=not workflow.non_local_exec)
        if orphans := end_orphans(QUEUED):
            print(f"cancelled {orphans} jobs of a run that was killed")
    except KnowpackError as error:
        raise WorkflowError(str(error)) from None
    # The Slurm executor names its jobs so.
    if run := getattr(workflow.scheduler._executor, "run_uuid", None):
        QUEUED.write_text(run)


def needs(kind):
    """Resources of a kind of job, as the configuration's section `jobs` has them."""
    section = getattr(study.jobs, kind)
    found = {
        "mem_mb": lambda w, attempt: section.mem_mb * 2 ** (attempt - 1),
        "runtime": section.runtime,
        "attempt": lambda w, attempt: attempt,
    }
    if kind in ("ask", "train"):
        found["devices"] = section.devices
    if DEVICE == "cuda" and kind in ("ask", "train"):
        # On one node, and so in one task: a task a GPU would be an engine a GPU.
        found |= {"gpu": section.devices, "nodes": 1}
    return found


def environment(kind):
    """Conda environment of a kind of rule; engine and training differ with the device."""
    return str(
        ROOT
        / "envs"
        / (
            f"{kind}.yaml"
            if kind in ("analysis", "benchmark")
            else f"{kind}.{DEVICE}.yaml"
        )
    )


def of_runs(pattern, rows=RUNS, base=False):
    """One path for each run, and for each model itself where ``base`` is set."""
    paths = [pattern.format(**row) for row in rows]
    return paths + [pattern.format(model=model, run="base") for model in MODELS] * base


def of_reworded(pattern):
    """One path for each run whose taught facts are asked otherwise, and for each model itself."""
    return of_runs(pattern, REWORDED, base=True) if REWORDED else []


def forms(name):
    """The files of a table; the one to read stands in Snakemake's report, over its caption."""
    stem = f"<results>/tables/{name}"
    page = report(
        f"{stem}.html",
        category="Tables",
        caption="../workflow/report/caption.rst",
        labels=contents.TABLES[name]._asdict(),
    )
    return [*multiext(stem, ".parquet", ".md", ".tex"), page]


def facts_page(name):
    """The page of a set of facts, which stands in Snakemake's report too."""
    return report(
        f"<results>/{name}.html",
        category="Facts",
        caption="../workflow/report/facts.rst",
        labels={"title": contents.FACTS[name]},
    )


def of_suites(pattern):
    """One path for each suite of benchmarks of each run, and of each model itself."""
    return [
        pattern.format(model=model, run=run, suite=suite)
        for model, run, suite in BENCHMARKED
    ]


def ask_inputs(wildcards):
    """What one run must have before it can be asked a suite."""
    folder = f"<results>/{wildcards.model}/{wildcards.run}"
    needed = (
        {} if wildcards.run == "base" else {"adapter": f"{folder}/adapter/SHA256SUMS"}
    )
    if wildcards.suite in SUITES:
        return needed | {"suite": f"<results>/suites/{wildcards.suite}.json"}
    if wildcards.suite == "generalization":
        return (
            needed | reworded_inputs(wildcards) | {"shots": "<results>/shots.parquet"}
        )
    if wildcards.suite == "dynamics":
        needed["rows"] = f"{folder}/rows.parquet"
    facts = "extra_asked" if wildcards.suite == "extra_facts" else "facts"
    return needed | {
        "facts": f"<results>/{facts}.parquet",
        "shots": "<results>/shots.parquet",
    }


def reworded_inputs(wildcards):
    """What the taught facts of one run are asked otherwise; of a model itself, those of all its runs."""
    folder = f"<results>/{wildcards.model}"
    rows = {"rows": f"{folder}/{wildcards.run}/rows.parquet"}
    return {"rewordings": f"{folder}/base/rewordings.parquet"} | (
        {} if wildcards.run == "base" else rows
    )


def reword_inputs(wildcards):
    """What taught facts are reworded from; the run with the most is taught those of all others."""
    rows = [row for row in RUNS if row["model"] == wildcards.model]
    run = max(rows, key=lambda row: row["unknown"])["run"]
    paraphrases = f"<results>/{wildcards.model}/base/paraphrases.parquet"
    held_out = {"paraphrases": paraphrases} if study.generalization.wordings else {}
    return {"rows": f"<results>/{wildcards.model}/{run}/rows.parquet"} | held_out


def dump_inputs(facts):
    """The dump that facts are built from, where it is fetched here."""
    if facts.source != "dbpedia" or facts.sha256 not in DUMPS:
        return {}
    return {"dump": f"<results>/dumps/{facts.sha256}"}


def shots_inputs(wildcards):
    """What few-shot examples are drawn from, where it is made here."""
    if study.prompts.pool != "extra_facts":
        return {}
    return {"pool": "<results>/extra_facts.parquet"}


def export_inputs(wildcards):
    """What an exported adapter and its card are made from."""
    folder = f"<results>/{wildcards.model}/{wildcards.run}"
    tables = ["reliability", "shifts", "benchmarks"] + ["generalization"] * bool(
        REWORDED
    )
    return {
        "facts": "<results>/facts.parquet",
        "shots": "<results>/shots.parquet",
        "model": f"<results>/{wildcards.model}/model/model.json",
        "adapter": f"{folder}/adapter/SHA256SUMS",
        "record": f"{folder}/adapter/run.json",
        "rows": f"{folder}/rows.parquet",
        "labels": f"{folder}/labels.parquet",
        "tables": [f"<results>/tables/{name}.parquet" for name in tables],
    }


def recommended():
    """The model and the run that were chosen, once they are."""
    return json.loads(
        Path(checkpoints.recommend.get().output[0]).read_text(encoding="utf-8")
    ).values()


def exported(wildcards=None):
    """What the target `adapter` makes: of the run that the configuration names, or of the recommended."""
    try:
        named = export_specs.exported(study, RUNS)
    except KnowpackError as error:
        raise WorkflowError(str(error)) from None
    model, run = named or recommended()
    name = f"{model}-{run}-merged" if study.export.merged else f"{model}-{run}"
    folder = f"<results>/export/{name}"
    return folder if study.export.merged else f"{folder}/SHA256SUMS"


def select_inputs(wildcards):
    """What the rows of one run are selected from beside the facts and what the model knows of them."""
    base = f"<results>/{wildcards.model}/base"
    row = row_of(wildcards)[0]
    needed = {}
    if row["extra"] == "paraphrase":
        needed["paraphrases"] = f"{base}/paraphrases.parquet"
    if row["extra"] == "replay":
        needed["responses"] = f"{base}/responses/facts.parquet"
    if study.extra_facts and runs.draws_known(row):
        needed["extra_facts"] = "<results>/extra_facts.parquet"
        needed["extra_pools"] = f"{base}/extra_pools.parquet"
    return needed


def scale_spec(wildcards):
    """Which run's adapter a run has, scaled by how much."""
    return specs.scale_spec(study, wildcards.model, wildcards.run, row_of(wildcards))


def of_unscaled(pattern):
    """A file of the run whose adapter a run has, scaled."""
    return lambda w: pattern.format(model=w.model, run=scale_spec(w)["of"])


@cache
def digest_of_code(script):
    return provenance.code_digest(script)


def code_digest(script):
    """The digest of a rule's code, made where one of its jobs is planned: of all it takes a second."""
    return lambda wildcards: digest_of_code(script)


def facts_code(facts):
    """The digest of the code that makes facts, without that which reads other sources than theirs."""
    unread = provenance.unread(facts.model_dump())
    return lambda wildcards: provenance.code_digest("build_facts.py", unread)


def row_of(wildcards):
    """The run table without the other runs; a search in the whole one grows with its square."""
    return ROWS.get((wildcards.model, wildcards.run), [])


@cache
def suite_spec(suite):
    """The benchmarks of a suite, whose files are read once for all runs."""
    return specs.suite_spec(study, suite)


def ask_spec(wildcards):
    """How one run is asked a suite."""
    model, run, suite = wildcards.model, wildcards.run, wildcards.suite
    row = row_of(wildcards)
    if suite in SUITES:
        return specs.ask_suite_spec(study, model, run, suite_spec(suite), row)
    return specs.ask_spec(study, model, run, suite, row)


def ask_script(suite):
    """The script that asks a suite."""
    if suite in ("facts", "extra_facts"):
        return "ask_facts.py"
    others = {"dynamics": "ask_epochs.py", "generalization": "ask_generalization.py"}
    return others.get(suite, "ask_benchmarks.py")
