"""Engines that serve one job after the other: real processes, in which nothing is generated."""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from study_tree import FAKE

from knowpack import keeper, living
from knowpack.errors import DataError
from knowpack.living import with_engine

# As much as an engine looks at while it starts and is taken over; the real ones take seconds to import.
TORCH = """
class cuda:
    is_available = staticmethod(lambda: False)
"""
VLLM = """
class LLM:
    def __init__(self, **settings): pass
    def reset_prefix_cache(self): pass
    def get_metrics(self): return []
"""
WORK = """
import os, time
from pathlib import Path
from knowpack.errors import DataError

def work(engine, files, spec, output, bar):
    print("at work on", output)
    engine.asked = getattr(engine, "asked", 0) + 1
    return {"process": str(os.getpid()), "asked": str(engine.asked), "spec": spec["what"]}

def refuse(engine, files, spec, output, bar):
    raise DataError("raise engine.max_model_len")

def break_down(engine, files, spec, output, bar):
    raise ValueError("no such thing")

def run_out(engine, files, spec, output, bar):
    raise MemoryError

def wait(engine, files, spec, output, bar):
    Path(output).write_text(str(os.getpid()))
    time.sleep(60)
"""
ENGINE = {"dtype": "float32", "max_model_len": 64}


class Inputs(dict[str, str]):
    __getattr__ = dict.__getitem__


def job_of(model: Path, output: Path, **spec: Any) -> Any:
    """As much of what Snakemake gives a script as an engine needs."""
    return SimpleNamespace(
        input=Inputs(model=str(model / "model.json")),
        output=[str(output)],
        params=SimpleNamespace(
            spec={"what": "a", "engine": ENGINE, **spec},
            memory={"kv_cache_gib": 1, "gpu_memory_utilization": 0.9},
        ),
        threads=1,
        resources=Inputs(devices=1),
    )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run of a study with the functions of WORK; its engines end with the test."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "some_work.py").write_text(WORK)
    shutil.copytree(FAKE / "vllm", tmp_path / "vllm")  # with what the engine changes in it
    (tmp_path / "vllm/__init__.py").write_text(VLLM)
    (tmp_path / "torch.py").write_text(TORCH)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(keeper.MARK, str(folder))
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in ("some_work", "torch", "vllm"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    work = importlib.import_module("some_work")
    yield SimpleNamespace(work=work, model=model, folder=folder, output=tmp_path / "made.txt")
    for module in ("some_work", "torch", "vllm"):
        sys.modules.pop(module, None)
    for process in keeper._marked(str(folder)):
        if process.pid != os.getpid():
            process.kill()


def gone(process: int) -> bool:
    """Whether a process ends within some seconds."""
    for _ in range(200):
        if not psutil.pid_exists(process) or psutil.Process(process).status() == "zombie":
            return True
        time.sleep(0.05)
    return False


def test_one_engine_serves_job_after_job(run: Any) -> None:
    first = with_engine(run.work.work, job_of(run.model, run.output))
    merged = job_of(run.model, run.output, adapter="merged", rank=2, what="b")
    second = with_engine(run.work.work, merged)
    assert second == {**first, "asked": "2", "spec": "b"}
    kernels = with_engine(run.work.work, job_of(run.model, run.output, adapter="lora", rank=2))
    assert kernels["process"] != first["process"] and kernels["asked"] == "1"


def test_jobs_at_once_have_an_engine_each(run: Any) -> None:
    found: list[dict[str, str]] = []

    def ask() -> None:
        found.append(with_engine(run.work.work, job_of(run.model, run.output)))

    jobs = [threading.Thread(target=ask) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert {cost["asked"] for cost in found} == {"1"}
    assert len({cost["process"] for cost in found}) == 2


def test_what_is_printed_stands_in_the_jobs_log(run: Any, capfd: pytest.CaptureFixture) -> None:
    with_engine(run.work.work, job_of(run.model, run.output))
    assert f"at work on {run.output}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("refuse", DataError, "raise engine.max_model_len"),
        ("break_down", RuntimeError, "the engine failed"),
        ("run_out", MemoryError, "out of memory"),
    ],
)
def test_a_failure_is_told_and_ends_the_engine(
    run: Any, capfd: pytest.CaptureFixture, name: str, kind: type, message: str
) -> None:
    before = with_engine(run.work.work, job_of(run.model, run.output))
    with pytest.raises(kind, match=message):
        with_engine(getattr(run.work, name), job_of(run.model, run.output))
    assert ("ValueError: no such thing" in capfd.readouterr().err) == (name == "break_down")
    assert gone(int(before["process"]))
    after = with_engine(run.work.work, job_of(run.model, run.output))
    assert after["process"] != before["process"]


def test_an_engine_that_is_killed(run: Any) -> None:
    def kill() -> None:
        while not run.output.exists() or not run.output.read_text():
            time.sleep(0.05)
        os.kill(int(run.output.read_text()), signal.SIGKILL)

    threading.Thread(target=kill).start()
    with pytest.raises(MemoryError, match="killed"):
        with_engine(run.work.wait, job_of(run.model, run.output))
    assert with_engine(run.work.work, job_of(run.model, run.output))["asked"] == "1"


def test_the_engine_of_a_killed_job_ends(run: Any) -> None:
    code = (
        "import some_work, test_living\nfrom pathlib import Path\n"
        f"job = test_living.job_of(Path({str(run.model)!r}), Path({str(run.output)!r}))\n"
        "test_living.with_engine(some_work.wait, job)"
    )
    path = os.pathsep.join(sys.path)
    job = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path})
    while not run.output.exists() or not run.output.read_text():
        time.sleep(0.05)
    job.kill()
    job.wait()
    assert gone(int(run.output.read_text()))


@pytest.mark.parametrize(("name", "value"), [("IDLE_ON_CPU", 0.2), ("SCARCE", 1.1)])
def test_an_engine_that_is_idle_or_in_the_way_ends(
    run: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: float
) -> None:
    monkeypatch.setattr(living, name, value)
    cost = with_engine(run.work.work, job_of(run.model, run.output))
    assert gone(int(cost["process"]))
    assert with_engine(run.work.work, job_of(run.model, run.output))["asked"] == "1"


def test_where_nobody_watches_over_a_run_the_job_asks_itself(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(keeper.MARK)
    cost = with_engine(run.work.work, job_of(run.model, run.output))
    assert cost["process"] == str(os.getpid())
