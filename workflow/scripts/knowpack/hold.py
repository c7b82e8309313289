"""A run of a study: alone in its folder, its jobs end with it, and its last line says how to go on.

Snakemake's own lock is a file that a killed run leaves behind, and the next start would refuse to
work until somebody unlocks it. The kernel's lock goes with its process, however that ends.
"""

import atexit
import re
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any

from knowpack import keeper
from knowpack.errors import DataError
from knowpack.locks import lock

# Names under which files and folders are written until they are whole, with the process's number.
TEMPORARY = re.compile(r"\..+\.\d+(\.\w+)?")


class Run:
    """What this process is to a study, from the reading of its configuration on."""

    def __init__(self, folder: Path) -> None:
        """End orderly at Ctrl-C and at SIGTERM, which batch systems send before they kill."""
        self.folder = folder
        self.lock: IO[str] | None = None
        self.jobs: IO[bytes] | None = None
        self.stopped = self.whole = False
        self._listen()
        atexit.register(self._last_line)

    def begin(self, local: bool) -> None:
        """Keep other runs out of the folder for as long as this process lives.

        Where jobs are ``local``, they and all that they start end with this process.

        Raises:
            DataError: another run is at work there, or the folder cannot be written to.
        """
        self.lock = hold(self.folder)
        self._listen()  # Snakemake's own SIGTERM waits for jobs, which may take hours
        if local:  # else a job of a run that was killed may still be writing
            sweep(self.folder)
            self.jobs = keeper.start()

    def succeed(self) -> None:
        """All was made: there is nothing to go on with."""
        self.whole = True

    def _listen(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)

    def _stop(self, number: int, frame: Any) -> None:
        self.stopped = True
        if self.jobs:
            self.jobs.close()
        raise SystemExit(128 + number)  # Snakemake takes it as it takes Ctrl-C

    def _last_line(self) -> None:
        if self.whole or not (self.lock or self.stopped):
            return
        if not self.lock:
            text = "Stopped before anything was started; the same command starts it."
        elif self.stopped:
            text = (
                "Stopped. What is finished stays, and a training goes on from its last whole epoch: "
                "go on with the same command."
            )
        else:
            text = (
                f"{self.folder}: this run ended before all was made. What is finished stays: mend "
                "what is said above, then go on with the same command."
            )
        print(f"\n{text}", file=sys.stderr, flush=True)


def sweep(folder: Path) -> None:
    """Remove what jobs were writing when they were killed; nobody takes it for a result."""
    for path in list(folder.rglob(".*")):
        if TEMPORARY.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def hold(folder: Path) -> IO[str]:
    """Lock ``folder`` until the returned file is closed, at the latest by the end of the process.

    Raises:
        DataError: another process holds it, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written to ({error.strerror}); make room or ask for the right to "
            "write there, then run the same command again"
        ) from None
    if not lock(file):
        file.close()
        raise DataError(f"{folder}: another run is at work here; wait for its end, or stop it")
    return file
