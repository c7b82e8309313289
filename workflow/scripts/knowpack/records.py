"""How each job made what it made: a record a job, in a folder beside the logs.

It stands in no table and is no output of a job: a table whose content is the same stays the same file,
and a record makes nothing run again. It names no host, no user and no place outside the study.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from knowpack.errors import DataError
from knowpack.files import checksum

# The script itself: Snakemake runs a copy, but says so. Read before `knowpack.job` takes it away.
SCRIPT = getattr(sys.modules["__main__"], "__file__", None)
# Whatever a job is, it reads and writes tables with them.
ALWAYS = ("numpy", "pandas", "pyarrow")
FIELDS = ["rule", "wildcards", "script", "spec", "code", "stack", "versions", "platform"]
FIELDS += ["inputs", "outputs", "begun", "ended"]
Record = Mapping[str, Any]


def study_of(log: Path) -> Path:
    """Return the folder of results that a job's log lies in."""
    return next(folder for folder in log.parents if folder.name == "logs").parent


def beside(log: Path, name: str, suffix: str = "") -> Path:
    """Return a job's place in the folder ``name`` that stands beside the study's logs."""
    study = study_of(log)
    return study / name / log.relative_to(study / "logs").with_suffix(suffix)


def write_record(snakemake: Any, begun: float, say: Callable[[str], None]) -> None:
    """Write the record of a job that ended well; ``begun`` is when, in seconds since 1970.

    ``snakemake`` is what Snakemake gives the script. The record has: rule, wildcards, script; spec,
    code and stack, the job's parameters; versions of python and of the packages of the stack, null
    where one is not installed; platform (system, processor, cores, threads, device, and how many
    devices); inputs and outputs, each a file's SHA-256 by its path in the study; begun and ended
    (UTC). A record that cannot be written is no reason to lose what a job made: ``say`` tells of it.
    """
    log = Path(snakemake.log[0])
    study, place = study_of(log), beside(log, "records", ".json")
    try:
        place.unlink(missing_ok=True)  # of what was there before
        text = json.dumps(_record(snakemake, study, begun), indent=1, ensure_ascii=False)
        from knowpack.tables import write_text

        write_text(text, place)
    except Exception as error:
        with suppress(OSError):  # the log's disk may be full too
            say(f"the record {place} could not be written: {error}")


def read_records(study: Path) -> list[Record]:
    """Read the records in a study's folder of results, sorted by their end.

    Raises:
        DataError: one is no JSON object, or lacks a field; it is named.
    """
    found = []
    for path in sorted((study / "records").rglob("*.json")):
        try:
            record = dict(json.loads(path.read_text(encoding="utf-8")))
            if lacking := [name for name in FIELDS if name not in record]:
                raise ValueError(f"it has no '{lacking[0]}'")
            found.append(record)
        except (OSError, ValueError, TypeError) as error:
            raise DataError(f"{path}: not a readable record ({error}); delete it") from error
    return sorted(found, key=lambda record: (record["ended"], record["rule"]))


def history(records: Iterable[Record], files: Iterable[str]) -> tuple[list[Record], list[str]]:
    """Return the records of all that led to ``files``, in the order given; and files without one.

    Files are paths in the study. Of two records of a file the later one counts.
    """
    records = list(records)
    makers = {file: record for record in records for file in record["outputs"]}
    waiting, seen = list(files), set[str]()
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting += makers[file]["inputs"] if file in makers else []
    led = [
        record
        for record in records
        if any(file in seen and makers[file] is record for file in record["outputs"])
    ]
    return led, sorted(seen - makers.keys())


def _record(snakemake: Any, study: Path, begun: float) -> dict[str, Any]:
    params = snakemake.params
    stack = list(params.get("stack") or [])
    return {
        "rule": snakemake.rule,
        "wildcards": dict(snakemake.wildcards.items()),
        "script": Path(SCRIPT).name if SCRIPT else None,
        "spec": params.get("spec"),
        "code": params.get("code"),
        "stack": stack,
        "versions": _versions(pin.partition("==")[0] for pin in stack),
        "platform": {
            "system": _system(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": snakemake.threads,
            "device": _device(snakemake.resources),
            "devices": snakemake.resources.get("devices", 1),
        },
        "inputs": _checksums(snakemake.input, study),
        "outputs": _checksums(snakemake.output, study),
        "begun": _utc(begun),
        "ended": _utc(time.time()),
    }


def _checksums(files: Iterable[str], study: Path) -> dict[str, str]:
    """Each file's digest by its path in the study; of a file elsewhere, by its name alone."""
    found = {}
    for file in map(Path, files):
        place = file.relative_to(study) if file.is_relative_to(study) else Path(file.name)
        if file.is_file():
            found[place.as_posix()] = checksum(file)
    return found


def _versions(names: Iterable[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in sorted({*names, *ALWAYS}):
        found[name] = _installed(name) or _installed(f"{name}-cpu")
    return found


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _system() -> str:
    """The operating system and its C library, without the kernel, which may be named after a host."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.system()
    return f"{name}, {platform.machine()}, {' '.join(platform.libc_ver())}"


def _processor() -> str:
    """The processor as it calls itself, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _device(resources: Any) -> str:
    """The GPU that the job computed on, or `cpu`."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return "cpu"
    used = torch.cuda.is_initialized() or resources.get("gpu")
    return str(torch.cuda.get_device_name()) if used else "cpu"


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
