"""What a job took, measured by itself.

Snakemake's own benchmark is of the last time that a job ran, and so of nothing much where what it had
made was put back.
"""

import re
import time
from pathlib import Path

STARTED = time.monotonic()


def usage() -> dict[str, float]:
    """Return ``job_seconds`` since the script began, and ``peak_memory_mb``.

    Memory is the sum of the resident peaks of this process and of those that it started and that
    still live, as Linux counts them.
    """
    peaks = sum(_peak_kb(process) for process in _family(Path("/proc/self")))
    return {
        "job_seconds": round(time.monotonic() - STARTED, 3),
        "peak_memory_mb": round(peaks / 1024, 1),
    }


def _family(process: Path) -> list[Path]:
    """A process and all below it, as folders of /proc."""
    found = [process]
    for task in process.glob("task/*/children"):
        for child in task.read_text().split():
            found += _family(Path("/proc") / child)
    return found


def _peak_kb(process: Path) -> int:
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", (process / "status").read_text(), re.MULTILINE)
    except OSError:  # it has ended
        return 0
    return int(found[1]) if found else 0
