"""GPUs are given to one job at a time: several real processes, and a stand-in for nvidia-smi."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from nvidia_smi import install_nvidia_smi

from knowpack import devices
from knowpack.checks import prepare
from knowpack.devices import VISIBLE, claim, visible
from knowpack.engine import check_heads
from knowpack.errors import ConfigError

# Takes GPUs, says which, and holds them until it is told to end.
JOB = """
import os, sys
from pathlib import Path
from knowpack import devices
devices.SECONDS_BETWEEN_LOOKS = 0.05
count, folder = int(sys.argv[1]), Path(sys.argv[2])
devices.claim(count, lambda line: print(line, flush=True), folder)
print("has", os.environ["CUDA_VISIBLE_DEVICES"], os.environ["CUDA_DEVICE_ORDER"], flush=True)
sys.stdin.read()
"""


class Job:
    """A process that wants GPUs."""

    def __init__(self, count: int, folder: Path, code: str = JOB) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(count), str(folder)],
            env=os.environ | {"PYTHONPATH": str(Path(devices.__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        return self.process.stdout.readline().strip()

    def has(self) -> list[str]:
        words = self.says().split()
        assert words[0] == "has" and words[2] == "PCI_BUS_ID"
        return words[1].split(",")

    def end(self) -> None:
        self.process.communicate("")


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the locks on a machine of two GPUs."""
    monkeypatch.setenv("PATH", str(install_nvidia_smi(tmp_path / "bin", 2)), prepend=":")
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    return tmp_path / "locks"


def test_each_job_has_a_gpu_of_its_own_or_waits(two_gpus: Path) -> None:
    first = Job(1, two_gpus)
    assert first.has() == ["0"]
    second = Job(1, two_gpus)
    assert second.has() == ["1"]
    third = Job(1, two_gpus)
    assert third.says() == "waiting for 1 of 2 GPUs"
    second.end()
    assert third.has() == ["1"]
    first.end()
    third.end()


def test_a_killed_job_leaves_its_gpus(two_gpus: Path) -> None:
    killed = Job(2, two_gpus)
    assert killed.has() == ["0", "1"]
    waiting = Job(2, two_gpus)
    assert waiting.says() == "waiting for 2 of 2 GPUs"
    killed.process.send_signal(signal.SIGKILL)
    assert waiting.has() == ["0", "1"]
    waiting.end()


def test_a_job_of_several_gpus_is_not_passed_by_smaller_ones(two_gpus: Path) -> None:
    holder = Job(1, two_gpus)
    assert holder.has() == ["0"]
    large = Job(2, two_gpus)
    assert large.says() == "waiting for 2 of 2 GPUs"
    small = Job(1, two_gpus)
    assert small.says() == "waiting for 1 of 2 GPUs"
    holder.end()
    assert large.has() == ["0", "1"]
    large.end()
    assert small.has() == ["0"]
    small.end()


def test_many_jobs_at_once_never_share(two_gpus: Path, tmp_path: Path) -> None:
    code = JOB.replace(
        "sys.stdin.read()",
        f"busy = Path({str(tmp_path)!r}) / os.environ['CUDA_VISIBLE_DEVICES']\n"
        "import time\nbusy.touch(exist_ok=False)\ntime.sleep(0.1)\nbusy.unlink()",
    )
    jobs = [Job(1, two_gpus, code) for _ in range(8)]
    assert [job.process.wait(timeout=60) for job in jobs] == [0] * 8


def test_more_gpus_than_there_are(two_gpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as error:
        claim(3, print, two_gpus)
    assert str(error.value) == (
        "jobs: devices: 3 GPUs are wanted for one job, and 2 can be seen here "
        "(CUDA_VISIBLE_DEVICES=not set); lower devices"
    )
    monkeypatch.setenv(VISIBLE, "1")
    with pytest.raises(ConfigError, match=r"and 1 can be seen here \(CUDA_VISIBLE_DEVICES=1\)"):
        claim(2, print, two_gpus)


@pytest.mark.parametrize("given", ["1", "GPU-00000001"])
def test_a_schedulers_choice_is_kept_to(
    two_gpus: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(VISIBLE, given)
    chosen = Job(1, two_gpus)
    assert chosen.has() == [given]
    monkeypatch.setenv(VISIBLE, "GPU-00000001,GPU-00000000")
    other = Job(1, two_gpus)  # the same GPU by another name
    assert other.has() == ["GPU-00000000"]
    chosen.end()
    other.end()


def test_a_machine_without_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    claim(4, print, tmp_path / "locks")
    assert VISIBLE not in os.environ
    assert not (tmp_path / "locks").exists()


def test_gpus_that_are_hidden_are_none(two_gpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "")
    assert visible() == {}
    claim(1, print, two_gpus)
    assert os.environ[VISIBLE] == ""


def test_a_driver_that_does_not_answer(
    two_gpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin/nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert visible() == {}
    monkeypatch.setenv(VISIBLE, "0")  # a scheduler's, of devices that are no GPUs
    assert visible() == {}


SCRIPT = """
import multiprocessing, os, sys
from types import SimpleNamespace
from knowpack.job import job

resources = {"attempt": 1, "gpu": 1, "devices": 1}
with job(SimpleNamespace(log=[sys.argv[1]], resources=resources)):
    print("at work on", os.environ["CUDA_VISIBLE_DEVICES"])
    started = multiprocessing.get_context("spawn").Process(target=print, args=["started"])
    started.start()
    started.join()
    sys.exit(started.exitcode)  # no record is kept of this one
"""


def test_a_job_has_its_gpu_before_it_works_and_what_it_starts_does_not_run_it_again(
    two_gpus: Path, tmp_path: Path
) -> None:
    script, log = tmp_path / "script.py", tmp_path / "logs/a.log"
    script.write_text(SCRIPT)
    install_nvidia_smi(tmp_path / "bin", 2, os.getpid())
    library = {"PYTHONPATH": str(Path(devices.__file__).parents[1]), VISIBLE: "1"}
    done = subprocess.run([sys.executable, script, log], env=os.environ | library, check=False)
    assert done.returncode == 0
    assert log.read_text() == "at work on 1\nstarted\n"


def test_devices_that_cannot_share_the_attention_heads(tmp_path: Path) -> None:
    for config in ({"num_attention_heads": 6}, {"text_config": {"num_attention_heads": 6}}):
        (tmp_path / "config.json").write_text(json.dumps(config))
        for count in (1, 2, 3, 6):
            check_heads(tmp_path, count)
        with pytest.raises(ConfigError) as error:
            check_heads(tmp_path, 4)
        assert str(error.value) == (
            f"jobs.ask.devices: 4 devices cannot share the 6 attention heads of {tmp_path}; "
            "take a number that divides 6"
        )


def test_devices_that_cannot_share_a_batch() -> None:
    grid = [{"unknown": [1], "seeds": [1], "training": {"batch_size": [8, 12]}}]
    values = {
        "study": "s",
        "models": [{"name": "m", "source": "package", "package": "p"}],
        "facts": {"source": "world", "size": 50},
        "grid": grid,
    }
    prepare({**values, "jobs": {"train": {"devices": 4}}}, packages=False)
    with pytest.raises(ConfigError) as error:
        prepare({**values, "jobs": {"train": {"devices": 8}}}, packages=False)
    assert str(error.value) == (
        "jobs.train.devices: 8 devices cannot share batches of 12 rows equally "
        "(training.batch_size); take a number that divides 12"
    )
