"""A dump of triples as a file: fetched, checked, and decompressed."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any, BinaryIO

from knowpack.errors import DataError

BLOCK = 2**20  # bytes fetched at a time
PART = 2**25  # bytes decompressed at a time


def fetch_dump(url: str, path: Path, bar: Any) -> None:
    """Fetch ``url`` to ``path``, whole or not at all; ``bar`` is a tqdm class.

    Raises:
        DataError: the server does not give the file, or not to its end.
    """
    import requests

    temporary = path.with_name(f".{path.name}.part")
    try:
        with requests.get(url, stream=True, timeout=60) as answer, temporary.open("wb") as file:
            answer.raise_for_status()
            size = int(answer.headers.get("Content-Length", 0)) or None
            with bar(total=size, unit="B", unit_scale=True, desc="fetch the dump") as shown:
                for piece in answer.iter_content(BLOCK):
                    file.write(piece)
                    shown.update(len(piece))
        temporary.replace(path)
    except requests.RequestException as error:
        raise DataError(
            f"facts.path: {url} cannot be fetched ({error}); try again, or fetch it yourself and "
            "write the path of the file"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_dump(path: Path, sha256: str) -> None:
    """Check that a dump is the file that the configuration pins.

    Raises:
        DataError: there is no such file, it is a web page, or its checksum is another.
    """
    try:
        with path.open("rb") as file:
            start = file.read(512).lstrip().lower()
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); write a dump's path"
        ) from error
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DataError(
            f"{path}: is a web page, not a dump; follow its link to the file itself, whose name ends "
            "in .ttl.bz2, .ttl or .nt"
        )
    if found != sha256:
        raise DataError(
            f"{path}: its SHA-256 is {found}, not {sha256} as facts.sha256 says; fetch the file again, "
            "or write the checksum of the one you mean"
        )


def read_parts(path: Path, folder: Path, threads: int) -> Iterator[Path]:
    """Yield a dump as plain files of whole lines: ``path`` itself, or parts of it where it is bz2.

    While one part is in use, the next is decompressed; each is gone once the next but one is there.

    Raises:
        DataError: the bz2 is damaged or ends early.
    """
    with path.open("rb") as file:
        packed = file.read(3) == b"BZh"
    if not packed:
        yield path
        return
    import rapidgzip

    try:
        with (
            rapidgzip.IndexedBzip2File(str(path), parallelization=threads) as dump,
            ThreadPoolExecutor(1) as ahead,
        ):
            parts = _parts(dump, [folder / "even.nt", folder / "odd.nt"])
            part = ahead.submit(next, parts, None)
            while found := part.result():
                part = ahead.submit(next, parts, None)
                yield found
    except (RuntimeError, ValueError, EOFError) as error:
        raise DataError(
            f"{path}: cannot be read to its end ({error}): it is damaged or was cut short; fetch it "
            "again"
        ) from error


def _parts(dump: BinaryIO, files: list[Path]) -> Iterator[Path]:
    """Write whole lines to one file after the other, in turn; what is there is written over."""
    rest = b""
    for file in cycle(files):
        block = dump.read(PART)
        while block and b"\n" not in block and (more := dump.read(PART)):
            block += more
        if not block and not rest:
            return
        whole = block.rfind(b"\n") + 1 or len(block)  # the last line may have no end
        with file.open("r+b" if file.exists() else "wb") as part:
            part.write(rest)
            part.write(memoryview(block)[:whole])
            part.truncate()
        rest = block[whole:]
        yield file
