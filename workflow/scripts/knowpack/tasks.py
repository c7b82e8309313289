"""Benchmark tasks of lm-evaluation-harness, loaded and checked before a model is asked.

https://github.com/EleutherAI/lm-evaluation-harness/tree/main/docs.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lm_eval.api.task import Task
from lm_eval.tasks import TaskManager

from knowpack.errors import ConfigError, DataError, KnowpackError, suggest
from knowpack.files import locate
from knowpack.task_files import home, is_file, is_group, outside, task_name
from knowpack.task_sandbox import confine

FEWSHOT_SEED = 1234  # lm-eval's own default
# What `knowpack.harness` takes of a task's generation_kwargs.
SAMPLING = {"until", "do_sample", "temperature", "max_gen_toks", "max_new_tokens", "max_tokens"}
SAMPLING |= {"max_completion_tokens"}


@dataclass(frozen=True)
class Benchmark:
    """A configured task or group, with lm-eval's tasks by name, ready to make requests."""

    name: str
    tree: Any  # lm-eval's TaskDict: tasks, groups, group_map
    limit: int | None
    chat: bool

    @property
    def tasks(self) -> dict[str, Task]:
        """The tasks themselves, those of a group one by one."""
        return dict(self.tree["tasks"])

    @property
    def questions(self) -> int:
        """How many questions are asked, over all tasks."""
        counts = [len(task.eval_docs) for task in self.tasks.values()]
        return sum(min(count, self.limit or count) for count in counts)

    def protocol(self, name: str, task_version: Any) -> str:
        """How a task, or the whole group, was asked, in words.

        Two figures may be compared where these are equal.
        """
        tasks = [self.tasks[name]] if name in self.tasks else self.tasks.values()
        shots = " and ".join(str(n) for n in sorted({task.config.num_fewshot for task in tasks}))
        words = [f"lm-eval {version('lm-eval')}", f"{name}{_plain(task_version)}"]
        words += [f"{shots}-shot", "chat template" if self.chat else "plain text"]
        words += [f"first {self.limit} of each task"] * bool(self.limit)
        return ", ".join(words)


def load(entries: Sequence[Mapping[str, Any]]) -> list[Benchmark]:
    """Load a suite's tasks with their data.

    ``entries`` hold task, shots, limit and chat, as the configuration's section `suites` does.

    Raises:
        ConfigError: there is no such task, or it fixes another number of shots.
        DataError: its data cannot be had, it has no questions, or a metric is not to be had.
    """
    confine()
    files = [entry["task"] for entry in entries if is_file(entry["task"])]
    folders = {locate(file).resolve().parent for file in files if is_group(file)}
    manager = TaskManager(
        include_path=sorted(map(str, folders)),  # where a group's members are
        include_defaults=len(files) < len(entries) or any(map(outside, files)),  # takes seconds
    )
    suite = [_load(manager, entry) for entry in entries]
    names = [name for benchmark in suite for name in benchmark.tasks]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"suites: '{name}' is in two of a suite's tasks; keep one of them")
    return suite


def check_names(names: Sequence[str]) -> None:
    """Check names of lm-eval's tasks, groups and tags without loading any.

    Raises:
        ConfigError: one is unknown; the nearest are named.
    """
    known = TaskManager().all_tasks
    for name in names:
        _check_name(name, known)


def _check_name(name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ConfigError(
            f"suites: lm-evaluation-harness has no task '{name}'{suggest(name, known)}; "
            "write another, or the path of a task file (.yaml)"
        )


def _load(manager: TaskManager, entry: Mapping[str, Any]) -> Benchmark:
    written = name = sought = entry["task"]
    folder = Path()
    if is_file(written):
        name, folder = task_name(written), home(written)
        sought = name if is_group(written) else str(locate(written).resolve())
    for unmade in outside(written) if is_file(written) else [written]:
        _check_name(unmade, manager.all_tasks)
    try:
        with contextlib.chdir(folder):
            tree = manager.load([sought])
    except (IndexError, StopIteration) as error:  # as lm-eval and datasets look at the first
        raise DataError(
            f"suites: task '{written}' has no questions, or an empty choice; check its data"
        ) from error
    except KnowpackError:
        raise
    except Exception as error:  # whatever a task's own code and the hub's clients raise
        raise _unloadable(written, error) from error
    for task in tree["tasks"].values():
        _check_kind(task)
        _check_metrics(task)
        _set_shots(task, entry["shots"], written)
    return Benchmark(name, tree, entry["limit"], entry["chat"])


def _unloadable(written: str, error: Exception) -> DataError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, ImportError):
        return DataError(f"suites: task '{written}' needs a package that is missing ({reason})")
    if isinstance(error, KeyError) and error.args == (None,):
        reason = "lm-eval lacks one of its metrics"
    remedy = "check the network, or write a task file whose dataset_kwargs.data_files are local"
    if is_file(written):
        remedy = "check the task file and its data"
    return DataError(f"suites: task '{written}' cannot be loaded ({reason}); {remedy}")


def _check_kind(task: Task) -> None:
    """Refuse what would fail only after the model was asked, or be asked in another way than said."""
    wanted = getattr(task.config, "generation_kwargs", None) or {}
    sampled = wanted.get("do_sample") is not False and wanted.get("temperature")
    if getattr(task, "UNSAFE_CODE", False):
        need = "runs the code that a model writes"
    elif getattr(task, "MULTIMODAL", False):
        need = "shows pictures or plays sounds"
    elif sampled and wanted.keys() - SAMPLING:
        need = f"samples with '{min(wanted.keys() - SAMPLING)}'"
    else:
        return
    raise DataError(
        f"suites: task '{task.task_name}' {need}, which cannot be done here; leave it out"
    )


def _check_metrics(task: Task) -> None:
    """lm-eval goes on without a metric that it does not find."""
    for name in [task.task_name, *task.aggregation()]:
        if not name.isprintable():  # figures are XML, which has no control characters
            raise DataError(f"suites: the name {name!r} cannot be printed; write another")
    own = getattr(task.config, "process_results", None) is not None
    for name, function in getattr(task, "_metric_fn_list", {}).items():
        if function is None and not own:
            raise DataError(
                f"suites: task '{task.task_name}' asks for the metric '{name}', which is not to be "
                "had here; write one of lm-eval's own into its metric_list"
            )
    for name, aggregation in task.aggregation().items():
        if aggregation is None:
            raise DataError(
                f"suites: task '{task.task_name}' asks for an aggregation of '{name}' that is not "
                "to be had; write `mean` or another of lm-eval's own into its metric_list"
            )


def _set_shots(task: Task, shots: int | None, written: str) -> None:
    fixed = task.config.num_fewshot
    if shots is not None and fixed == 0 and shots:  # such a task holds its examples in its text
        raise ConfigError(
            f"suites: task '{written}' is made for 0 shots, not {shots}; leave out `shots`"
        )
    task.set_config("num_fewshot", (fixed or 0) if shots is None else shots)
    _keep_out_of_shots(task)
    try:
        task.build_all_requests(limit=1)
    except Exception as error:  # whatever a task's own code raises
        raise DataError(
            f"suites: task '{written}': the first prompt cannot be built with "
            f"{task.config.num_fewshot} shots ({' '.join(str(error).split())}); "
            "lower `shots`, or check its data"
        ) from error
    task.set_fewshot_seed(FEWSHOT_SEED)


def _keep_out_of_shots(task: Task) -> None:
    """Where the questions are the examples too, lm-eval must be told, or one shows its own answer."""
    own = task.fewshot_cfg.split or task.fewshot_cfg.samples
    if not (own or task.has_training_docs() or task.has_validation_docs()):
        task.fewshot_cfg.split = task.config.test_split


def _plain(task_version: Any) -> str:
    """A version as it is written behind a name; nothing where the task does not say."""
    if task_version in (None, "Yaml", "N/A"):
        return ""
    return f" v{task_version:g}" if isinstance(task_version, (int, float)) else f" v{task_version}"
