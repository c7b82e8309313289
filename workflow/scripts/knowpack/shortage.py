"""What a job lacked where it failed: disk, the right to write, memory, or its model's files."""

import errno
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room, or ask for a larger quota",
    errno.EROFS: "have it mounted for writing",
    errno.EACCES: "ask for the right to read and write there",
    errno.EPERM: "ask for the right to read and write there",
}
IN_TEXT = re.compile(r"\(os error (\d+)\)")  # as safetensors says it
NO_MEMORY = re.compile(r"(?:can't|[Cc]annot) allocate memory|std::bad_alloc")


def of_disk(error: BaseException, folder: Path) -> str | None:
    """Say it in a line if ``error`` is that files cannot be written or read; else None.

    Libraries hide the reason (safetensors in a text, torch wholly), so that a disk without any room
    counts as one. ``folder`` is where the job writes.
    """
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in REMEDIES:
            return _line(str(cause.filename or folder), cause.errno)
        said = IN_TEXT.search(str(cause))
        if said and int(said[1]) in REMEDIES:
            return _line(str(folder), int(said[1]))
    return _line(str(folder), errno.ENOSPC) if _is_full(folder) else None


def of_memory(error: BaseException) -> str | None:
    """Say it in a line if ``error`` is that memory did not suffice; else None."""
    for cause in _causes(error):
        if isinstance(cause, MemoryError) or getattr(cause, "errno", None) == errno.ENOMEM:
            break
        if NO_MEMORY.search(str(cause)):
            break
    else:
        return None
    return (
        "out of memory; give the job more (section `jobs` of the configuration, or fewer `--cores`), "
        "or lower training.batch_size or engine.kv_cache_gib, and run the same command again"
    )


def of_model(inputs: Iterable[str]) -> str | None:
    """Say it in a line if a file of a model among a job's ``inputs`` is gone or cut; else None."""
    for record in (Path(path) for path in inputs if Path(path).name == "model.json"):
        for name, about in json.loads(record.read_text(encoding="utf-8"))["files"].items():
            file = record.with_name(name)
            if not file.is_file() or file.stat().st_size != about["bytes"]:
                return f"{file}: missing or not as it was; delete {record} and run the same command again"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _line(place: str, number: int) -> str:
    return f"{place}: {os.strerror(number)}; {REMEDIES[number]} and run the same command again"


def _is_full(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize < 64 * 1024
