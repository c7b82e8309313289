"""The kernel's locks, which go with the process that holds them, however it ends."""

import fcntl
from typing import IO


def lock(file: IO[str]) -> bool:
    """Lock an open file until it is closed; return False at once where another process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
