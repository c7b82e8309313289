"""Slurm jobs that a killed Snakemake left in the queue.

The next one would submit the same jobs beside them, and two would write one file. The jobs of a run
bear its id as their name, which is kept in the study's folder for as long as the run is at work.
"""

import subprocess
import time
from pathlib import Path

from knowpack.errors import DataError


def end_orphans(record: Path) -> int:
    """Cancel the jobs of the run that ``record`` names, if there are any left; return how many.

    Waits until they have ended. Nothing is done where there is no record.

    Raises:
        DataError: Slurm does not answer here.
    """
    if not record.is_file() or not (run := record.read_text(encoding="utf-8").strip()):
        return 0
    found = left = _jobs(run, record)
    if left:
        _slurm(record, "scancel", f"--name={run}")
    while left:
        time.sleep(1)
        left = _jobs(run, record)
    record.unlink()
    return len(found)


def _jobs(run: str, record: Path) -> list[str]:
    return _slurm(record, "squeue", "--noheader", "--format=%A", f"--name={run}").split()


def _slurm(record: Path, *command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = (getattr(error, "stderr", None) or str(error)).strip()
        raise DataError(
            f"{record}: a run that was killed may have left jobs in Slurm's queue, and {command[0]} "
            f"does not answer here ({why}); start where it does, or delete this file if they are gone"
        ) from None
    return done.stdout
