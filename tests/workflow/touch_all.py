"""Snakemake with --touch that makes the files it does not find, and does not wait between jobs."""

from pathlib import Path

from snakemake.cli import main
from snakemake.executors.touch import Executor

touch = Executor.run_job


def make_and_touch(executor: Executor, job) -> None:
    for output in map(Path, job.output):
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text("made\n")  # the summary reads the last of them
    touch(executor, job)


Executor.SLEEPING_TIME = 0
Executor.run_job = make_and_touch
main()
