# Checks the configuration, expands it to the run table, and says what each rule is given of it.

import os
import re
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod
from snakemake.utils import update_config

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from knowpack import checks, contents, specs
from knowpack.errors import KnowpackError
from knowpack.files import is_address
from knowpack.hold import hold
from knowpack.provenance import code_digest, pins
from knowpack.summary import print_summary


def typed(value):
    """A value of --config, inside which Snakemake takes numbers for text, with YAML's types."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return yaml.safe_load(value) if isinstance(value, str) else value


update_config(config, typed(dict(workflow.config_settings.config)))

CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method

try:
    study, RUNS = checks.prepare(
        config, packages=not CONDA, tasks=not CONDA and workflow.is_main_process
    )
except KnowpackError as error:
    raise WorkflowError(str(error)) from None

MODELS = [model.name for model in study.models]
EPOCHS = [row for row in RUNS if row["unknown"] in study.dynamics]
SUITES = list(study.suites)
# The models that are asked the extra facts.
POOLED = MODELS * specs.pooled(study)
FACT_PAGES = [
    f"<results>/{name}.html"
    for name in ["facts"] + ["extra_facts"] * specs.needs_pool(study)
]
# Dumps to fetch: addresses by checksum.
DUMPS = {
    facts.sha256: facts.path
    for facts in (study.facts, study.extra_facts)
    if facts and facts.source == "dbpedia" and is_address(facts.path)
}
BENCHMARKED = [
    (model, run, suite)
    for model, run in [(row["model"], row["run"]) for row in RUNS]
    + [(model, "base") for model in MODELS]
    for suite in SUITES
]
DEVICE = checks.device(study)
# Half of a job that asks is one thread's work (starting the engine), so on a CPU two jobs share the cores.
THREADS = max(1, os.cpu_count() // 2)
# Profiles say how many GPUs a machine has; without one, one job at a time computes on them.
if workflow.is_main_process and not workflow.non_local_exec:
    workflow.global_resources.setdefault("gpu", 1)


wildcard_constraints:
    sha256="[0-9a-f]{64}",
    model="|".join(re.escape(model.name) for model in study.every_model),
    run="base|" + "|".join(sorted({re.escape(row["run"]) for row in RUNS})),
    suite="|".join(map(re.escape, ["facts", "dynamics", "extra_facts", *SUITES])),


def hold_study():
    """Refuse to start where another run of the same study is at work."""
    try:
        hold(Path("results") / study.study)
    except KnowpackError as error:
        raise WorkflowError(str(error)) from None


def needs(kind):
    """Resources of a kind of job, as the configuration's section `jobs` has them."""
    section = getattr(study.jobs, kind)
    found = {
        "mem_mb": lambda w, attempt: section.mem_mb * 2 ** (attempt - 1),
        "runtime": section.runtime,
        "attempt": lambda w, attempt: attempt,
    }
    if DEVICE == "cuda" and kind in ("ask", "train"):
        found["gpu"] = section.devices
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
        {} if wildcards.run == "base" else {"adapter": f"{folder}/adapter/run.json"}
    )
    if wildcards.suite in SUITES:
        return needed | {"suite": f"<results>/suites/{wildcards.suite}.json"}
    if wildcards.suite == "dynamics":
        needed["rows"] = f"{folder}/rows.parquet"
    facts = "extra_asked" if wildcards.suite == "extra_facts" else "facts"
    return needed | {
        "facts": f"<results>/{facts}.parquet",
        "shots": "<results>/shots.parquet",
    }


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


def select_inputs(wildcards):
    """What the rows of one run are selected from beside the facts: paraphrases, or extra facts."""
    model, run = wildcards
    base = f"<results>/{model}/base"
    extra = specs.select_spec(study, model, run, RUNS)["extra"]
    if extra == "paraphrase":
        return {"paraphrases": f"{base}/paraphrases.parquet"}
    if extra == "highly_known" and study.extra_facts:
        return {
            "extra_facts": "<results>/extra_facts.parquet",
            "extra_pools": f"{base}/extra_pools.parquet",
        }
    return {}


def ask_script(suite):
    """The script that asks a suite."""
    if suite in ("facts", "extra_facts"):
        return "ask_facts.py"
    return "ask_epochs.py" if suite == "dynamics" else "ask_benchmarks.py"
