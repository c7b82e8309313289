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


def check_sums(sums: str | Path) -> Path:
    """Check all files that ``sums`` names; return their folder.

    Raises:
        DataError: a file is missing, or is not what was written.
    """
    folder = Path(sums).parent
    for line in Path(sums).read_text(encoding="utf-8").splitlines():
        known, name = line.split("  ", 1)
        if not (folder / name).is_file() or checksum(folder / name) != known:
            raise DataError(
                f"{folder / name}: missing or not as it was written; delete {sums} and run again"
            )
    return folder
