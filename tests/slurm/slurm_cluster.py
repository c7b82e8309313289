"""What tests ask of the cluster."""

import io
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

HERE = Path(__file__).parent
FIELDS = "JobID,Comment,Partition,State,Elapsed,NTasks,ReqMem,MaxRSS,AllocTRES,WorkDir"


@dataclass(frozen=True)
class Cluster:
    """A Slurm of one node that claims 16 CPUs, 64 GB of memory and 2 GPUs."""

    folder: Path

    # The profile as it is, but for how soon it looks after jobs of seconds, and how many threads they
    # have: two engines at a time share the cores that there are.
    profile = (
        *("--profile", "workflow/profiles/slurm"),
        *("--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "5"),
        *("--set-threads", "ask=1", "train_adapter=1", "build_facts=2"),
    )

    @classmethod
    def start(cls, folder: Path) -> "Cluster":
        """Start it; skip the tests where that cannot be, saying why."""
        up = [HERE / "up.sh", folder]
        done = subprocess.run(up, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = done.stderr.strip()
        if done.returncode == 77:
            pytest.skip(said.splitlines()[-1])
        assert done.returncode == 0, said
        os.environ["SLURM_CONF"] = f"{folder}/etc/slurm.conf"
        return cls(folder)

    def ask(self, *command: str) -> str:
        """Run a command of Slurm; return what it prints."""
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def jobs(self, workdir: Path) -> pd.DataFrame:
        """Slurm's own records of the jobs that were submitted in a folder, one row each.

        ``Comment`` is ``rule_<rule>_wildcards_<...>`` or ``rule_<group>_<rules>``; ``NTasks`` and
        ``MaxRSS`` (MB) are those of its widest step; ``gpus`` and ``mem`` (MB) are what it asked for.
        """
        text = self.ask("sacct", "--parsable2", "--units=M", f"--format={FIELDS}")
        records = pd.read_csv(io.StringIO(text), sep="|", dtype=str, keep_default_na=False)
        main, part = (
            records.JobID.str.partition(".")[0],
            records.JobID.str.contains(".", regex=False),
        )
        jobs = records[~part & (records.WorkDir == str(workdir))].set_index("JobID")
        steps = records[part].assign(JobID=main)
        steps["MaxRSS"] = pd.to_numeric(steps.MaxRSS.str.removesuffix("M"))
        by_job = steps.groupby("JobID")[["MaxRSS", "NTasks"]].max().reindex(jobs.index)
        jobs[["MaxRSS", "NTasks"]] = by_job
        jobs["State"] = jobs.State.str.split().str[0]
        jobs["gpus"] = jobs.AllocTRES.str.extract(r"gres/gpu=(\d+)")[0].fillna("0").astype(int)
        jobs["mem"] = jobs.ReqMem.str.removesuffix("M").astype(float).astype(int)
        return jobs.sort_index(key=lambda ids: ids.astype(int))
