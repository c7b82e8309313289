"""What a job says while it works: a log file, a bar with a rate, one clear line when it fails."""

import contextlib
import logging
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from knowpack.devices import claim
from knowpack.errors import KnowpackError
from knowpack.kept import keep as keep_files
from knowpack.kept import key_of, put_back
from knowpack.locks import lock
from knowpack.records import beside, write_record
from knowpack.shortage import of_disk, of_memory, of_model
from knowpack.usage import STARTED  # noqa: F401 (a job's time counts from here)

SECONDS_BETWEEN_LOG_LINES = 10.0


# How the log of a job that failed ends, and not of one that was killed; it is kept for the next try.
FAILED = "the job failed by itself"


@contextlib.contextmanager
def job(snakemake: Any, keep: Iterable[str | Path] = ()) -> Iterator[None]:
    """Run a script's work with everything it prints in its log; bars also show on a terminal.

    ``snakemake`` is what Snakemake gives the script. A fault that the user can mend ends the job with
    its message alone; any other with its traceback. A second attempt is for a job that was killed,
    for want of memory say: one that failed by itself would only fail again, and does so at once.
    Files or folders to ``keep`` are kept for the next time that the same is asked for, and put back.
    """
    begun, log = time.time(), Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    failed = beside(log, ".failed")  # Snakemake deletes the log before it tries again
    if snakemake.resources.get("attempt", 1) > 1 and failed.is_file():
        shutil.copyfile(failed, log)
        print(f"not tried again: see {log}", file=sys.stderr)
        sys.exit(1)
    failed.unlink(missing_ok=True)
    with open(log, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor is needed)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # in step with errors
    Bar.terminal = terminal
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    kept, key = beside(log, "kept"), key_of(snakemake) if keep else ""
    if keep and put_back(kept, key):
        say("as it was: made from the same before")
        sys.exit()
    vars(sys.modules["__main__"]).pop("__file__", None)  # else processes it starts run it again
    try:
        yield
        if keep:
            keep_files(keep, kept, key)
    except KnowpackError as error:
        _fail(log, f"error: {error}", FAILED)
    except Exception as error:
        with contextlib.suppress(OSError):  # the log's disk may be full
            traceback.print_exc()
        if line := of_memory(error):
            _fail(log, f"error: {line}")
        elif line := of_model(snakemake.input) or of_disk(error, log.parent):
            _fail(log, f"error: {line}", FAILED)
        else:
            _fail(log, FAILED)
    write_record(snakemake, begun, say)


def take_gpus(snakemake: Any) -> None:
    """Take as many GPUs as a job has asked Snakemake for, before torch sees any."""
    if snakemake.resources.get("gpu"):
        claim(snakemake.resources.devices, say)


def _fail(log: Path, *lines: str) -> NoReturn:
    """End the job; what is an error is told on the terminal too."""
    for line in lines:
        if line.startswith("error: "):
            say(line)
        else:
            with contextlib.suppress(OSError):
                print(line, file=sys.stderr, flush=True)
    if FAILED in lines and log.is_file():
        failed = beside(log, ".failed")
        with contextlib.suppress(OSError):
            failed.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, failed)
    sys.exit(1)


def _stop(number: int, frame: Any) -> None:
    """End as at an error, so that temporary files go; at the first of such signals."""
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, lambda *_: None)  # SIG_IGN is an error where one is under way
    print("stopped", file=sys.stderr)
    sys.exit(128 + number)


def say(line: str) -> None:
    """Tell the person who waits, on the terminal and in the log."""
    with contextlib.suppress(OSError):  # the log's disk may be full
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
    if not lock(file):
        file.close()
        return None
    return file
