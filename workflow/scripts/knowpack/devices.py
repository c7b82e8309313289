"""GPUs of a machine, each given to one job at a time.

Several jobs of a study, or several studies, run side by side on one machine. Each takes as many
GPUs as it needs before torch sees any, by a lock of the kernel's for each GPU, which goes with the
process, however that ends. A scheduler's choice (CUDA_VISIBLE_DEVICES, Slurm's cgroups) is kept to.
"""

import fcntl
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from knowpack.errors import ConfigError
from knowpack.locks import lock

VISIBLE = "CUDA_VISIBLE_DEVICES"
SECONDS_BETWEEN_LOOKS = 2.0

_held: list[TextIO] = []


def claim(count: int, say: Callable[[str], None], folder: Path | None = None) -> None:
    """Take ``count`` free GPUs for as long as this process lives; wait where others have them.

    CUDA_VISIBLE_DEVICES names them from then on. Nothing happens on a machine without a GPU.
    ``say`` is told what is waited for. ``folder`` holds the locks; it is the same for all of a
    user's jobs on a machine.

    Raises:
        ConfigError: there are fewer GPUs than ``count``.
    """
    found = visible()
    if not found:
        return
    if len(found) < count:
        raise ConfigError(
            f"jobs: devices: {count} GPUs are wanted for one job, and {len(found)} can be seen here "
            f"({VISIBLE}={os.environ.get(VISIBLE, 'not set')}); lower devices"
        )
    folder = folder or Path(f"/tmp/knowpack-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    # Whoever waits does so in a line: one that needs many GPUs is not passed by those that need one.
    with _open(folder / "queue") as queue:
        at_once = lock(queue) and bool(taken := _take(found, count, folder))
        if not at_once:
            say(f"waiting for {count} of {len(found)} GPUs")
            fcntl.flock(queue, fcntl.LOCK_EX)
            while not (taken := _take(found, count, folder)):
                time.sleep(SECONDS_BETWEEN_LOOKS)
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # as nvidia-smi counts
    os.environ[VISIBLE] = ",".join(taken)


def visible() -> dict[str, str]:
    """Return what each GPU that this process may use is called in CUDA_VISIBLE_DEVICES: its UUID.

    Those that a scheduler has chosen keep the name that it gave them.
    """
    uuids = _listed()
    given = os.environ.get(VISIBLE)
    if given is None or not uuids:
        return uuids
    names = [name.strip() for name in given.split(",") if name.strip()]
    return {name: uuids.get(name, name) for name in names}


def _listed() -> dict[str, str]:
    """UUIDs of the machine's GPUs by index, as the driver's own tool lists them; none without it."""
    command = ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"]
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    lines = [line.split(", ") for line in text.splitlines() if line.strip()]
    return {index.strip(): uuid.strip() for index, uuid in lines}


def _take(found: dict[str, str], count: int, folder: Path) -> list[str]:
    """Lock ``count`` of the GPUs and return their names; none where there are not so many free."""
    taken: dict[str, TextIO] = {}
    for name, uuid in found.items():
        file = _open(folder / uuid.replace("/", "-"))
        if lock(file):
            taken[name] = file
        else:
            file.close()
        if len(taken) == count:
            _held.extend(taken.values())
            return list(taken)
    for file in taken.values():
        file.close()
    return []


def _open(path: Path) -> TextIO:
    return path.open("a")
