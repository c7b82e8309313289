"""Files that a configuration names."""

import hashlib
from collections.abc import Sequence
from pathlib import Path


def locate(path: str) -> Path:
    """Return the file at ``path``: below the working folder, else below the checkout."""
    here = Path(path).expanduser()
    return here if here.exists() else Path(__file__).parents[3] / path


def locate_all(paths: Sequence[str]) -> list[Path]:
    """Return the files at ``paths``, as `locate` finds each."""
    return [locate(path) for path in paths]


def is_address(path: str) -> bool:
    """Tell a web address from the path of a file."""
    return path.startswith(("https://", "http://"))


def digest(path: Path) -> str:
    """First 16 hexadecimal digits of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
