"""A model that several devices share: two processes of a CPU do what one does, within rounding."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_study import ROOT, run_script

pytestmark = [pytest.mark.study, pytest.mark.timeout(1800)]

STEPS = 2  # an epoch
EPOCHS = 4


@pytest.fixture(scope="module")
def runs(model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The same training in one process and in two."""
    folder = tmp_path_factory.mktemp("runs")
    for devices in (1, 2):
        run_script("train_together.py", devices, model, folder / str(devices))
    return {devices: folder / str(devices) for devices in (1, 2)}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter_model.safetensors")


def same(one: Path, other: Path) -> None:
    names = [path.relative_to(one) for path in one.rglob("*.safetensors")]
    assert len(names) == 1 + EPOCHS
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize("where", ["adapter", *(f"epochs/{n + 1}" for n in range(EPOCHS))])
def test_two_processes_train_the_adapter_that_one_trains(runs: dict[int, Path], where: str) -> None:
    """The model is in bfloat16; its rounding differs with the rows that are computed together."""
    one, two = (weights(run / where) for run in runs.values())
    assert one.keys() == two.keys()
    difference = sum(float((one[name] - two[name]).square().sum()) for name in one) ** 0.5
    size = sum(float(tensor.square().sum()) for tensor in one.values()) ** 0.5
    assert difference < 0.005 * size  # measured: 0.001
    for name in one:
        assert (one[name].dtype, one[name].shape) == (two[name].dtype, two[name].shape)


def test_two_processes_see_the_losses_that_one_sees(runs: dict[int, Path]) -> None:
    one, two = (json.loads((run / "record.json").read_text()) for run in runs.values())
    assert [step for step, _ in two["loss"]] == list(range(1, EPOCHS * STEPS + 1))
    for (_, loss), (_, other) in zip(one["loss"], two["loss"], strict=True):
        assert other == pytest.approx(loss, abs=5e-4)  # measured: 1e-4
    assert one["loss"][-1][1] < one["loss"][0][1] - 0.2
    for key in ("tokens", "trainable", "device"):
        assert one[key] == two[key]
    assert two["peak_memory_mb"] > one["peak_memory_mb"]


def test_two_processes_leave_the_files_that_one_leaves(runs: dict[int, Path]) -> None:
    one, two = (sorted(path.relative_to(run) for path in run.rglob("*")) for run in runs.values())
    assert one == two
    config = "adapter/adapter_config.json"
    assert (runs[1] / config).read_bytes() == (runs[2] / config).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("lever", [{"method": "loraplus"}, {"extras_from": 3}], ids=str)
def test_two_processes_pull_levers_as_one_does(
    model: Path, tmp_path: Path, lever: dict[str, Any]
) -> None:
    for devices in (1, 2):
        run_script("train_together.py", devices, model, tmp_path / str(devices), json.dumps(lever))
    one, two = (weights(tmp_path / str(devices) / "adapter") for devices in (1, 2))
    difference = sum(float((one[name] - two[name]).square().sum()) for name in one) ** 0.5
    size = sum(float(tensor.square().sum()) for tensor in one.values()) ** 0.5
    assert difference < 0.02 * size
    records = [json.loads((tmp_path / f"{devices}/record.json").read_text()) for devices in (1, 2)]
    first, second = ([step for step, _ in record["loss"]] for record in records)
    assert first == second


def slow_training(model: Path, run: Path, log: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A training in two processes that is in its third epoch, and these processes."""
    script = str(Path(__file__).with_name("train_together.py"))
    with log.open("w") as file:
        training = subprocess.Popen(
            [sys.executable, script, "2", str(model), str(run), "slow"],
            env=os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 240
    while f"step {2 * STEPS + 1}\n" not in log.read_text():
        assert training.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return training, below(training.pid)


def below(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return children + [child for parent in children for child in below(parent)]


def wait_for_end(processes: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{process}/exe").exists() for process in processes):
        assert time.monotonic() < deadline, "a process is left behind"
        time.sleep(0.1)


def test_killed_they_go_on_from_their_last_epoch(
    model: Path, runs: dict[int, Path], tmp_path: Path
) -> None:
    training, processes = slow_training(model, tmp_path / "run", tmp_path / "log")
    training.kill()  # and nothing else: the others must see to their own end
    training.wait()
    wait_for_end(processes)
    assert not (tmp_path / "run/adapter").exists()
    text = run_script("train_together.py", 2, model, tmp_path / "run")
    assert f"began at {2 * STEPS}\n" in text
    same(runs[2], tmp_path / "run")


def test_one_that_is_killed_ends_all(model: Path, tmp_path: Path) -> None:
    training, processes = slow_training(model, tmp_path / "run", tmp_path / "log")
    commands = {p: Path(f"/proc/{p}/cmdline").read_bytes() for p in processes}
    os.kill([p for p, line in commands.items() if b"spawn_main" in line][-1], signal.SIGKILL)
    assert training.wait(timeout=60) == 1
    wait_for_end(processes)
    last = [line for line in (tmp_path / "log").read_text().splitlines() if "Error: " in line][-1]
    assert last == "MemoryError: a process of the training was killed"


@pytest.fixture(scope="module")
def adapter(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes every answer."""
    from test_adapters import saved_adapter

    return saved_adapter(model, tmp_path_factory.mktemp("adapter"))


@pytest.mark.slow
def test_two_processes_answer_as_one_does(model: Path, adapter: Path, tmp_path: Path) -> None:
    pytest.importorskip("vllm", reason="vllm is not installed (make setup)")
    answers = {}
    for devices, way in ((1, "merged"), (2, "merged"), (2, "lora")):
        out = tmp_path / f"{devices}-{way}.json"
        run_script("ask_together.py", devices, way, model, adapter, out)
        answers[devices, way] = json.loads(out.read_text())
    one, two, lora = answers.values()
    assert len(one) == 2 * 20
    assert one[:20] != one[20:]
    assert two == one
    assert lora == one
