"""The end of a run's processes, however the run itself ends.

Snakemake waits for its jobs when it is told to end, and leaves them at work when it is killed; and a
job that is killed leaves the processes of its engine, which keep a GPU's memory. So a run gives all
its processes a mark in their environment, and has this file watch beside it: run as a script, it
reads a pipe that closes when the run wants its jobs to end, or ends itself.
"""

import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import psutil

MARK = "KNOWPACK_RUN"
ENGINES = "knowpack.living"  # what processes run that may outlive the job that started them
GRACE = 5.0  # seconds that a job has between SIGTERM and SIGKILL
BETWEEN_LOOKS = 2.0  # seconds


def start() -> IO[bytes]:
    """Watch over the processes that this one starts from now on; close the pipe to end them."""
    mark = tempfile.mkdtemp(prefix="knowpack-run-", dir="/tmp")  # a socket's path must be short
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    keeper = subprocess.Popen(
        [sys.executable, "-P", __file__, mark],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a terminal's signals are not for it
    )
    os.environ |= {
        MARK: mark,
        "SPT_NOENV": "1",
    }  # else a process that renames itself loses its mark
    assert keeper.stdin
    return keeper.stdin


def folder() -> Path | None:
    """Return where the processes of a run that is watched over may meet; it goes with the run."""
    mark = os.environ.get(MARK)
    return Path(mark) if mark else None


def _keep(mark: str) -> None:
    run = os.getppid()
    while not select.select([sys.stdin], [], [], BETWEEN_LOOKS)[0]:
        orphans = [process for process in _marked(mark) if _orphaned(process, run)]
        _end(orphans, psutil.Process.kill)
    asked = time.monotonic()
    while True:
        ended = os.getppid() != run
        processes = _marked(mark)
        if ended and not processes:
            shutil.rmtree(mark, ignore_errors=True)
            return
        hard = ended or time.monotonic() > asked + GRACE
        _end(processes, psutil.Process.kill if hard else psutil.Process.terminate)
        time.sleep(0.2)


def _marked(mark: str) -> list[psutil.Process]:
    """Processes of this user's with the run's mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except (psutil.Error, OSError):  # it has ended, or is another user's
            continue
    return found


def _orphaned(process: psutil.Process, run: int) -> bool:
    """Whether a process descends from the run no longer, nor from one of its engines."""
    try:
        line = [process, *process.parents()]
        return run not in [one.pid for one in line] and not any(
            ENGINES in one.cmdline() for one in line
        )
    except psutil.Error:
        return False


def _end(processes: list[psutil.Process], how: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        try:
            how(process)
        except psutil.Error:
            continue


if __name__ == "__main__":
    _keep(sys.argv[1])
