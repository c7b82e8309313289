"""One run at a time in a study's folder.

Snakemake's own lock is a file that a killed run leaves behind, and the next start would refuse to
work until somebody unlocks it. The kernel's lock goes with its process, however that ends.
"""

import fcntl
from pathlib import Path
from typing import TextIO

from knowpack.errors import DataError

_held: list[TextIO] = []


def hold(folder: Path) -> None:
    """Keep other runs out of ``folder`` for as long as this process lives.

    Raises:
        DataError: another run is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / ".lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise DataError(
            f"{folder}: another run is at work here; wait for its end, or stop it"
        ) from None
    _held.append(file)
