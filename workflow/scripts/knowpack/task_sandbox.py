"""What lm-evaluation-harness may not do with a task: run code that came with it or from a hub.

It renders templates with all of Python in reach, imports the functions that a task file names, and
fetches metrics that it does not have as code.
"""

import sys
from functools import wraps
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

from jinja2.sandbox import SandboxedEnvironment
from lm_eval import utils
from lm_eval.tasks import _yaml_loader

from knowpack.errors import DataError
from knowpack.task_files import check_function

OWN = Path(utils.__file__).resolve().parent / "tasks"


def confine() -> None:
    """Make lm-eval keep to that, in this process."""
    if isinstance(utils.env, SandboxedEnvironment):
        return
    free = utils.env
    utils.env = SandboxedEnvironment(
        undefined=free.undefined, keep_trailing_newline=free.keep_trailing_newline
    )
    utils.env.filters = free.filters
    found = _yaml_loader._import_func_in_yml

    @wraps(found)
    def checked(name: str, folder: Path) -> Any:
        if not folder.is_relative_to(OWN):
            check_function(name, folder)
        return found(name, folder)

    _yaml_loader._import_func_in_yml = checked
    metrics: Any = module_from_spec(ModuleSpec("evaluate", loader=None))
    metrics.load = _refuse
    sys.modules["evaluate"] = metrics


def _refuse(name: str, *_: Any, **__: Any) -> None:
    raise DataError(
        f"suites: the metric '{name}' is code from the Hugging Face hub, which never runs; leave out "
        "the task, or write one of lm-eval's own into its metric_list"
    )
