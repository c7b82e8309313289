"""Files that a configuration names."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from reprlib import repr as short

from knowpack.errors import ConfigError


def locate(path: str) -> Path:
    """Return the file at ``path``: below the working folder, else below the checkout.

    Raises:
        ConfigError: no file can be there: the path is too long, say, or in nobody's home.
    """
    try:
        here = Path(path).expanduser()
        found = here.exists()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{short(path)} is no path ({reason}); write that of a file") from error
    return here if found else Path(__file__).parents[3] / path


def locate_all(paths: Sequence[str]) -> list[Path]:
    """Return the files at ``paths``, as `locate` finds each."""
    return [locate(path) for path in paths]


def is_address(path: str) -> bool:
    """Tell a web address from the path of a file."""
    return path.startswith(("https://", "http://"))


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(path: Path) -> str:
    """First 16 hexadecimal digits of a file's SHA-256."""
    return checksum(path)[:16]
