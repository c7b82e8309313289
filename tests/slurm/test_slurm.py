"""The profile for Slurm as it is shipped, on a real Slurm: what ran where, by Slurm's own records."""

import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from slurm_cluster import Cluster
from small_study import SmallStudy
from study_tree import Tree

# The tables are what they must be, computed anew from the responses: the same checks as of a local run.
from test_study import (  # noqa: F401
    test_categories,
    test_contracts,
    test_costs,
    test_every_fact_is_asked_with_every_prompt,
    test_figures,
    test_labels,
    test_reliability,
    test_rows,
    test_shifts,
    test_the_report_loads_nothing,
    test_training,
)

pytestmark = [pytest.mark.study, pytest.mark.timeout(3600)]

FACTS = "results/small/facts.parquet"
MODEL = "results/small/tiny/model/model.json"
REPORT = "draw_figure_list_runs_make_report_table_answers_table_benchmarks_..."
# What rode together, or alone, and how often; 40 jobs of Snakemake's.
SUBMITTED = {
    "build_facts": 1,
    "load_suite": 1,
    "materialise_model": 1,
    "facts_describe_facts_draw_shots": 1,
    "pool_pool_facts": 1,
    "ask": 6,
    "select_select_rows": 1,
    "train_adapter": 2,
    "score_label_score_suite": 1,
    f"report_{REPORT}": 1,
}
MEMORY = {"build_facts": 8000, "load_suite": 4000, "ask": 12000, "train_adapter": 8000}
MEMORY |= {"pool_pool_facts": 2000, "select_select_rows": 2 * 2000}
MEMORY |= {"score_label_score_suite": 3 * 2000 + 3 * 4000}


def names(jobs: pd.DataFrame) -> pd.Series:
    return jobs.Comment.str.removeprefix("rule_").str.split("_wildcards_").str[0]


def test_slurm_ran_every_job_where_it_belongs(small: SmallStudy, cluster: Cluster) -> None:
    jobs = cluster.jobs(small.folder)
    assert set(jobs.State) == {"COMPLETED"}
    assert names(jobs).value_counts().to_dict() == SUBMITTED
    engines = names(jobs).isin(["ask", "train_adapter"])
    assert set(jobs.Partition[engines]) == {"gpu"}
    assert set(jobs.gpus[engines]) == set(jobs.NTasks[engines].astype(int)) == {1}
    assert set(jobs.Partition[~engines]) == {"cpu"}
    assert set(jobs.gpus[~engines]) == {0}
    for name, memory in MEMORY.items():
        assert set(jobs.mem[names(jobs) == name]) == {memory}, name
    assert (jobs.MaxRSS <= jobs.mem).all()


def test_nothing_is_submitted_twice(small: SmallStudy, cluster: Cluster) -> None:
    before = len(cluster.jobs(small.folder))
    assert "Nothing to be done" in small.snakemake(*cluster.profile)
    assert len(cluster.jobs(small.folder)) == before


def start(tree: Tree, *arguments: str) -> subprocess.Popen[str]:
    """Snakemake in the background, as `Tree.snakemake` starts it."""
    return subprocess.Popen(
        tree.command(*arguments),
        cwd=tree.folder,
        env=tree.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def running(cluster: Cluster, tree: Tree) -> str:
    """The id of the tree's job, once it runs in Slurm."""
    for _ in range(600):
        text = cluster.ask("squeue", "--noheader", "--states=R", "--format=%A %Z")
        for job, workdir in map(str.split, text.splitlines()):
            if workdir == str(tree.folder):
                return job
        time.sleep(0.1)
    raise AssertionError("no job came to run within a minute")


def test_a_job_that_ran_out_of_memory_gets_more(tree: Tree, cluster: Cluster) -> None:
    tree.configure(device="cuda", jobs={"prepare": {"mem_mb": 150}})
    status, text = tree.snakemake(FACTS, *cluster.profile)
    assert status == 0, text
    jobs = cluster.jobs(tree.folder)
    assert len(jobs) > 1
    assert list(jobs.mem) == [150 * 2**n for n in range(len(jobs))]
    assert list(jobs.State) == ["FAILED"] * (len(jobs) - 1) + ["COMPLETED"]


def test_a_job_that_failed_by_itself_ends_at_once(tree: Tree, cluster: Cluster) -> None:
    begin = "with job(snakemake):\n"
    tree.edit("workflow/scripts/build_facts.py", begin, f"{begin}    raise ArithmeticError\n")
    status, text = tree.snakemake(FACTS, *cluster.profile)
    assert status == 1
    assert len(cluster.jobs(tree.folder)) == 3
    log = (tree.results / "logs/build_facts.log").read_text()
    assert log.endswith("ArithmeticError\nthe job failed by itself\n")
    logs = sorted((tree.folder / ".snakemake/slurm_logs/rule_build_facts").glob("*.log"))
    refused = "not tried again: see results/small/logs/build_facts.log"
    assert [refused in path.read_text() for path in logs] == [False, True, True]


def test_a_job_cancelled_by_hand_is_submitted_again(tree: Tree, cluster: Cluster) -> None:
    main = start(tree, MODEL, *cluster.profile)
    cluster.ask("scancel", running(cluster, tree))
    text, _ = main.communicate(timeout=300)
    assert main.returncode == 0, text
    jobs = cluster.jobs(tree.folder)
    assert list(jobs.State) == ["CANCELLED", "COMPLETED"]
    assert (tree.folder / MODEL).exists()


def test_ctrl_c_cancels_the_jobs(tree: Tree, cluster: Cluster) -> None:
    main = start(tree, MODEL, *cluster.profile)
    running(cluster, tree)
    main.send_signal(signal.SIGINT)
    text, _ = main.communicate(timeout=120)
    assert main.returncode != 0, text
    assert set(cluster.jobs(tree.folder).State) == {"CANCELLED"}
    assert not (tree.folder / MODEL).exists()


def test_jobs_of_a_killed_run_are_cancelled_by_the_next(tree: Tree, cluster: Cluster) -> None:
    main = start(tree, MODEL, *cluster.profile)
    orphan = running(cluster, tree)
    main.kill()
    main.communicate()
    assert running(cluster, tree) == orphan
    status, text = tree.snakemake(MODEL, *cluster.profile)
    assert status == 0, text
    assert "cancelled 1 jobs of a run that was killed" in text
    assert list(cluster.jobs(tree.folder).State) == ["CANCELLED", "COMPLETED"]


PROBE = """\
import os, sys
if any(part.endswith(".ask_facts.py") for part in sys.orig_argv):
    with open(os.environ["KNOWPACK_PROBE"], "a") as file:
        print(os.environ["SLURM_PROCID"], os.environ["CUDA_VISIBLE_DEVICES"], file=file)
"""


def test_several_gpus_are_seen_by_one_task(
    tree: Tree, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "results/small/tiny/base/responses/facts.parquet"
    tree.configure(device="cuda", jobs={"ask": {"devices": 2}})
    (tree.folder / "tests/workflow/fake/sitecustomize.py").write_text(PROBE)
    monkeypatch.setenv("KNOWPACK_PROBE", str(tmp_path / "probe"))
    monkeypatch.setattr("study_tree.FAKE", tree.folder / "tests/workflow/fake")
    status, text = tree.snakemake("results/small/shots.parquet", MODEL)
    assert status == 0, text
    status, text = tree.snakemake(asked, *cluster.profile)
    assert status == 0, text
    jobs = cluster.jobs(tree.folder)
    assert names(jobs).to_list() == ["ask"]
    assert (jobs.gpus.item(), int(jobs.NTasks.item())) == (2, 1)
    assert (tmp_path / "probe").read_text() == "0 0,1\n"


def test_jobs_elsewhere_need_to_know_their_device(tree: Tree, cluster: Cluster) -> None:
    tree.configure()
    status, text = tree.snakemake(FACTS, *cluster.profile)
    assert status == 1
    assert (
        "device: 'auto' is what this machine has, and jobs run elsewhere; write `device: cuda` (or "
        "cpu) in the configuration, or add `--config device=cuda`"
    ) in text
    assert cluster.jobs(tree.folder).empty
