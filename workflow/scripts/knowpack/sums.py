"""SHA256SUMS of a folder, as the program `sha256sum` writes and checks them."""

from collections.abc import Iterable
from pathlib import Path

from knowpack.errors import DataError
from knowpack.files import checksum
from knowpack.tables import write_text


def write_sums(files: Iterable[str | Path], sums: str | Path) -> None:
    """Write the checksums of ``files``, which lie in one folder with ``sums``."""
    lines = [f"{checksum(Path(file))}  {Path(file).name}\n" for file in files]
    write_text("".join(lines), sums)


def check_sums(sums: str | Path, made_with: str | Path | None = None) -> Path:
    """Check all files that ``sums`` names; return their folder.

    Where the job that makes them is not known by ``sums``, ``made_with`` is the file that it is.

    Raises:
        DataError: a file is missing, or is not what was written.
    """
    sums = Path(sums)
    text = sums.read_text(encoding="utf-8", errors="replace") if sums.is_file() else ""
    known = [line.partition("  ") for line in text.splitlines()]
    for digest, _, name in known or [("", "", sums.name)]:
        file = sums.parent / name
        if not file.is_file() or checksum(file) != digest:
            raise DataError(
                f"{file}: missing or not as it was written; delete {made_with or sums} and run again"
            )
    return sums.parent
