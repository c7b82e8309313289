"""What a job says while it works: a log file, a bar with a rate, one clear line when it fails."""

import contextlib
import fcntl
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from knowpack.errors import KnowpackError

SECONDS_BETWEEN_LOG_LINES = 10.0


# How the log of a job that failed ends, and not of one that was killed.
FAILED = "the job failed by itself"


@contextlib.contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run a script's work with everything it prints in its log; bars also show on a terminal.

    ``snakemake`` is what Snakemake gives the script. A fault that the user can mend ends the job with
    its message alone; any other with its traceback. A second attempt is for a job that was killed,
    for want of memory say: one that failed by itself would only fail again, and does so at once.
    """
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    if snakemake.resources.get("attempt", 1) > 1 and _failed_by_itself(log):
        print(f"not tried again: see {log}", file=sys.stderr)
        sys.exit(1)
    with open(log, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor is needed)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # in step with errors
    Bar.terminal = terminal
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    try:
        yield
    except KnowpackError as error:
        say(f"error: {error}")
        print(FAILED, file=sys.stderr)
        sys.exit(1)
    except MemoryError:
        raise
    except Exception:
        traceback.print_exc()
        print(FAILED, file=sys.stderr)
        sys.exit(1)


def _failed_by_itself(log: Path) -> bool:
    return log.is_file() and log.read_text(encoding="utf-8").rstrip().endswith(FAILED)


def say(line: str) -> None:
    """Tell the person who waits, on the terminal and in the log."""
    print(line, file=sys.stderr, flush=True)
    if Bar.terminal is not None:
        os.write(Bar.terminal, f"{line}\n".encode())


class Bar(tqdm):
    """A tqdm bar: lines in the log file, and a moving bar for the job that holds the terminal."""

    terminal: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what tqdm takes; where the bar is drawn is decided here."""
        self._front = _front_terminal(Bar.terminal)
        self._next_line = time.monotonic()
        kwargs |= {"file": self._front or open(os.devnull, "w"), "leave": False}  # noqa: PTH123,SIM115
        kwargs |= {"mininterval": 0.5, "disable": False, "dynamic_ncols": True}
        super().__init__(*args, **kwargs)

    def update(self, n: float | None = 1) -> bool | None:
        """Advance, and now and then leave a line in the log."""
        shown = super().update(n)
        if time.monotonic() >= self._next_line or self.n == self.total:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LOG_LINES
            print(str(self), file=sys.stderr, flush=True)
        return shown


def _front_terminal(descriptor: int | None) -> Any:
    """The terminal as a file if there is one and no other job draws on it, else None."""
    if descriptor is None or not os.isatty(descriptor):
        return None
    file = open(os.ttyname(descriptor), "w")  # noqa: PTH123,SIM115
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
