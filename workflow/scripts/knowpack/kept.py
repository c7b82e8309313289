"""What a job made is kept for the next time that it is asked for the same.

Snakemake runs a job again when one before it ran, although that may have made the same as ever, and
deletes what the job had made. So trainings and answers stay in a folder beside the results, as hard
links, under a key of all that made them: a job with the same key puts them back.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from knowpack.files import checksum


def key_of(snakemake: Any) -> str:
    """Digest of a job's parameters and of its inputs' content; ``snakemake`` is what scripts get.

    How much memory an engine takes is left out.
    """
    inputs = [checksum(Path(path)) for path in snakemake.input]
    params = {key: value for key, value in snakemake.params.items() if key != "memory"}
    text = json.dumps([params, inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def keep(paths: Iterable[str | Path], folder: Path, key: str) -> None:
    """Keep files, or folders with all in them, in ``folder`` under ``key``, in place of any before."""
    files = [file for path in map(Path, paths) for file in _files(path)]
    new = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    sums = {str(file): checksum(file) for file in files}
    for file in files:
        _link(file, new / sums[str(file)])
    manifest = json.dumps({"key": key, "files": sums}, indent=1)
    (new / "kept.json").write_text(manifest, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    new.replace(folder)


def put_back(folder: Path, key: str) -> bool:
    """Put the files in ``folder`` back to where they were, if they are whole and of this ``key``."""
    try:
        kept = json.loads((folder / "kept.json").read_text(encoding="utf-8"))
        whole = kept["key"] == key and all(
            checksum(folder / known) == known
            and Path(path).resolve().is_relative_to(_study(folder))
            for path, known in kept["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False
    if not whole:
        return False
    for path, known in kept["files"].items():
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.{os.getpid()}")
        _link(folder / known, new)
        os.utime(new)  # it is as new as its inputs
        new.replace(file)
    return True


def _study(folder: Path) -> Path:
    """The study that ``folder`` lies in; a manifest of somebody else's may name files elsewhere."""
    return next(parent.parent for parent in folder.parents if parent.name == "kept").resolve()


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    return [path] if path.exists() else []


def _link(file: Path, to: Path) -> None:
    """Give ``file`` a second name, or copy it where the file system has no links."""
    to.unlink(missing_ok=True)
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)
