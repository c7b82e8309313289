"""Names of lm-evaluation-harness's own tasks, seen in its files without importing it.

Imported while Snakemake builds its graph: lm-eval takes seconds to import and to read all its files.
"""

import importlib.util
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

NAMED = re.compile(
    rb"""^["']?(?:task|group|tag)["']?:[ \t]*["']?([\w.-]+)["']?[ \t]*(?:#.*)?\r?$""", re.M
)


def unseen(names: Iterable[str]) -> list[str]:
    """Return those names that no file of lm-eval gives a task, a group or a tag in one plain line.

    lm-eval may know them all the same, from a list of tags say, so it has to be asked about these.
    """
    left = dict.fromkeys(names)
    for file in _files() if left else ():
        for name in NAMED.findall(file.read_bytes()):
            left.pop(name.decode(), None)
        if not left:
            break
    return list(left)


def _files() -> Iterator[Path]:
    found = importlib.util.find_spec("lm_eval")
    for root in found.submodule_search_locations or [] if found else []:
        for folder, _, files in os.walk(Path(root) / "tasks"):
            yield from (Path(folder, file) for file in files if file.endswith(".yaml"))
