"""A user's own benchmark: a task file of lm-evaluation-harness and the data it names.

Imported while Snakemake builds its graph, so it needs yaml and the standard library only. The form
is https://github.com/EleutherAI/lm-evaluation-harness/blob/main/docs/task_guide.md.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from knowpack.errors import ConfigError
from knowpack.files import digest, locate

PACKAGED = "lm_eval.tasks."


class _Loader(yaml.SafeLoader):
    """YAML without Python objects; `!function module.name` stays as its text."""


_Loader.add_constructor("!function", lambda loader, node: str(node.value))


def is_file(task: str) -> bool:
    """Tell whether a configured task is the path of a task file rather than a name."""
    return task.endswith(".yaml")  # as lm-eval does


def task_name(path: str) -> str:
    """Return the name that a task file gives its task, or its group of tasks.

    Raises:
        ConfigError: there is no such file, it is no YAML, or it names no task.
    """
    content = _read(locate(path), path)
    name = content.get("group") or content.get("task")
    if not isinstance(name, str):
        raise ConfigError(f"{path}: no task file: write its name as `task: my_task`")
    return name


def home(path: str) -> Path:
    """Return the folder below which a task file's relative data files lie: this one or the checkout."""
    here = all(Path(file).exists() for _, part in _parts(locate(path)) for file in _data(part))
    return Path() if here else Path(__file__).parents[3]


def is_group(path: str) -> bool:
    """Tell whether a task file is of a group of tasks."""
    return "group" in _read(locate(path))


def outside(path: str) -> list[str]:
    """Return the members of a group that no file beside it makes, so that lm-eval has to."""
    found: set[str] = set()
    for part, content in _parts(locate(path)):
        for member in _listed(content.get("task")) if "group" in content else []:
            inline = isinstance(member, dict) and {"dataset_path", "group"} & member.keys()
            if not inline and not any(_of(member) in names for names in _beside(part).values()):
                found.add(_of(member))
    return sorted(found)


def digests(path: str) -> list[str]:
    """Return the name and the digest of every local file that a task is made of, sorted.

    These are the task file, the files that it includes, its data files and, of a group, its members'
    files in the same folder.

    Raises:
        ConfigError: as `task_name`, or a file of these does not exist or names a function of its own.
    """
    return sorted(f"{file.name} {digest(file)}" for file in set(_files(locate(path))))


def _files(path: Path) -> Iterator[Path]:
    for part, content in _parts(path):
        yield part
        # What lies there is lm-eval's own, for which its version counts.
        for name in [] if "/lm_eval/tasks/" in part.as_posix() else _functions(part):
            check_function(name, part.parent)
        for file in _data(content):
            if not locate(file).is_file():
                raise ConfigError(
                    f"{part}: data_files: there is no file {file}; write the path of one"
                )
            yield locate(file)


def check_function(name: str, folder: Path) -> None:
    """Refuse a function that a task file in ``folder`` names, unless it is of lm-eval's own tasks.

    Raises:
        ConfigError: it is another, whose code would run.
    """
    # lm-eval prefers a module beside the task file.
    beside = folder / f"{name.rpartition('.')[0].replace('.', '/')}.py"
    if not name.startswith(PACKAGED) or beside.exists():
        raise ConfigError(
            f"suites: a task file in {folder} names the function '{name}', and a task file is data: "
            f'none of its code runs; write a template instead (`doc_to_text: "{{{{question}}}}"`), '
            f"or a function that comes with lm-eval (`{PACKAGED}...`)"
        )


def _parts(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A task file, the files that it includes, and those of a group's members, with their content."""
    content = _read(path)
    yield path, content
    for included in _listed(content.get("include")):
        yield from _parts(path.parent / included)
    if "group" in content:
        members = {_of(member) for member in _listed(content.get("task"))}
        for other, names in _beside(path).items():
            if members & names:
                yield from _parts(other)


def _data(content: dict[str, Any]) -> Iterator[str]:
    """The local data files that a task names, and those of tasks inside a group's own file."""
    inside = [part for part in _listed(content.get("task")) if isinstance(part, dict)]
    for part in [content, *inside]:
        for file in _leaves((part.get("dataset_kwargs") or {}).get("data_files") or []):
            if "://" not in file:
                yield file


def _read(path: Path, written: str | None = None) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (safe)
    except OSError:
        raise ConfigError(
            f"suites: there is no task file {written or path}; write the path of one"
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: not a YAML file ({reason})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: no task file: write its name as `task: my_task`")
    return content


def _functions(path: Path) -> list[str]:
    """The functions that the file names."""
    tokens = yaml.scan(path.read_text(encoding="utf-8"), Loader=_Loader)
    found, tagged = [], False
    for token in tokens:
        if tagged and isinstance(token, yaml.ScalarToken):
            found.append(token.value)
        tagged = isinstance(token, yaml.TagToken) and token.value == ("!", "function")
    return found


def _of(member: Any) -> str:
    """The name by which a group knows its member."""
    return str(member.get("group") or member.get("task") if isinstance(member, dict) else member)


def _beside(path: Path) -> dict[Path, set[str]]:
    """The task files in the folder of another, with the names by which a group may know each."""
    return {other: _names(other) for other in sorted(path.parent.glob("*.yaml")) if other != path}


def _names(path: Path) -> set[str]:
    """The names that a file gives its task: its own and its tags."""
    try:
        content = _read(path)
    except ConfigError:  # whatever else lies there
        return set()
    return {_of(content), *map(str, _listed(content.get("tag")))}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _leaves(files: Any) -> Iterator[str]:
    if isinstance(files, str):
        yield files
    else:
        for item in files.values() if isinstance(files, dict) else files:
            yield from _leaves(item)
