"""Ctrl-C, SIGTERM and SIGKILL: no process is left, nothing is locked, the last line says how to go on."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from killing import Started, alive, is_keeper
from short_tree import AGAIN, RECORD, RUN, SHORT, long_training
from study_tree import Tree

from knowpack.keeper import MARK

CHECKPOINT = "checkpoints/checkpoint-*/trainer_state.json"


def trains(tree: Tree) -> list[Path]:
    return list((tree.folder / RUN).glob(CHECKPOINT))


@pytest.fixture
def training(tree: Tree, start: Callable[..., Started]) -> Started:
    """The study at work on a training that lasts."""
    long_training(tree)
    started = start(tree, RECORD)
    started.until(lambda: trains(tree))
    return started


def goes_on(tree: Tree) -> None:
    """Started again at once, the study goes on from the checkpoint, and becomes whole."""
    last = max(int(path.parent.name.partition("-")[2]) for path in trains(tree))
    epochs = last // 4 + 2
    tree.configure(**SHORT, training={"epochs": epochs, "batch_size": 1})
    status, text = tree.snakemake(RECORD)
    assert status == 0, text


def keepers(started: Started) -> list[psutil.Process]:
    return [child for child in started.main.children() if is_keeper(child)]


@pytest.mark.parametrize("group", [False, True], ids=["main", "group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped(tree: Tree, training: Started, number: signal.Signals, group: bool) -> None:
    jobs, keeper = training.jobs(), keepers(training)
    assert jobs
    training.send(number, group)
    assert training.end(30) == 1
    assert not alive([*jobs, *keeper])
    assert training.text.rstrip().splitlines()[-1].startswith("Stopped. What is finished stays")
    assert training.text.rstrip().endswith(AGAIN)
    assert "Traceback" not in training.text
    assert not (tree.folder / RECORD).exists()
    goes_on(tree)


def test_the_main_process_alone_is_killed(tree: Tree, training: Started) -> None:
    jobs, keeper = training.jobs(), keepers(training)
    training.send(signal.SIGKILL)
    training.end()
    assert not alive([*jobs, *keeper], 3)
    goes_on(tree)


def test_a_killed_engine_takes_its_processes_along(
    tree: Tree, start: Callable[..., Started]
) -> None:
    # As vLLM's do on GPUs, the engine's process leads a life of its own, under a name of its own.
    (tree.results / "tiny/base/responses/facts.parquet").unlink()
    engine = tree.folder / "engine.py"
    engine.write_text("import time\ntime.sleep(300)\n")
    use = '    engine.use(Path(files["adapter"])'
    tree.edit(
        "workflow/scripts/knowpack/asking.py",
        use,
        f"    import subprocess, sys; subprocess.run([sys.executable, {str(engine)!r}])\n{use}",
    )
    started = start(tree, "results/small/tiny/base/responses/facts.parquet")

    def engines() -> list[psutil.Process]:
        return [job for job in started.jobs() if str(engine) in job.cmdline()]

    started.until(engines)
    orphan = engines()[0]
    orphan.parent().kill()
    assert not alive([orphan])
    assert started.end() == 1
    assert started.text.rstrip().endswith(AGAIN)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_before_anything_began(
    source: Tree, tmp_path: Path, start: Callable[..., Started], number: signal.Signals
) -> None:
    tree = source.copy(tmp_path / "tree")
    started = start(tree)
    started.until(lambda: "Building DAG of jobs" in started.text)
    started.send(number, group=True)
    assert started.end() != 0
    last = started.text.rstrip().splitlines()[-1]
    assert last.endswith(("the same command starts it.", AGAIN)), started.text
    assert "Traceback" not in started.text


def test_jobs_that_fail_by_themselves(tree: Tree) -> None:
    (tree.results / "tables/shifts.parquet").unlink()
    labels = tree.results / "tiny/uk4-s1/labels.parquet"
    whole, times = labels.read_bytes(), labels.stat()
    labels.write_bytes(whole[:200])
    os.utime(labels, ns=(times.st_atime_ns, times.st_mtime_ns))
    status, text = tree.snakemake("results/small/tables/shifts.parquet")
    assert status == 1
    last = text.rstrip().splitlines()[-1]
    assert last == (
        "results/small: this run ended before all was made. What is finished stays: mend what is "
        "said above, then go on with the same command."
    )


def test_a_finished_study_has_no_such_line(tree: Tree) -> None:
    (tree.results / "tables/shifts.md").unlink()
    status, text = tree.snakemake()
    assert status == 0
    assert AGAIN not in text
    status, text = tree.snakemake()
    assert status == 0
    assert "Nothing to be done" in text
    assert AGAIN not in text


def test_one_study_twice_at_once(
    tree: Tree, training: Started, start: Callable[..., Started]
) -> None:
    status, text = tree.snakemake(RECORD)
    assert status == 1
    said = [line for line in text.splitlines() if "another run" in line]
    assert said == ["results/small: another run is at work here; wait for its end, or stop it"]
    assert AGAIN not in text
    assert training.running


def test_two_studies_of_one_checkout_at_once(
    source: Tree, tmp_path: Path, start: Callable[..., Started]
) -> None:
    tree = source.copy(tmp_path / "tree")
    text = (tree.folder / "study.yaml").read_text()
    (tree.folder / "other.yaml").write_text(text.replace("study: small", "study: other"))
    both = [start(tree, config=f"{name}.yaml") for name in ("study", "other")]
    time.sleep(12)
    both[0].send(signal.SIGKILL, group=True)
    both[0].end()
    assert both[1].end(1200) == 0, both[1].text
    status, text = tree.snakemake()
    assert status == 0, text
    tables = [tree.folder / f"results/{name}/tables/shifts.md" for name in ("small", "other")]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    for name in ("study", "other"):
        assert tree.planned(config=f"{name}.yaml") == {}
    assert not [process for process in psutil.process_iter() if marked(process, both)]


def marked(process: psutil.Process, runs: list[Started]) -> bool:
    try:
        mark = process.environ().get(MARK, "")
    except (psutil.Error, OSError):
        return False
    return mark.partition("-")[0] in {str(run.process.pid) for run in runs}
