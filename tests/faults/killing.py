"""Kill a running study at random moments and start it again, until it is whole."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

ASIDE = {"logs", "benchmarks", "records", "kept"}


class Started:
    """A study at work in a session of its own; what it says goes to ``said``."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: dict[str, str], said: Path
    ) -> None:
        self.said = said
        with said.open("w") as file:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.main = psutil.Process(self.process.pid)

    @property
    def text(self) -> str:
        return self.said.read_text(encoding="utf-8", errors="replace")

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def until(self, found: Callable[[], object], seconds: float = 120) -> None:
        """Wait; it is an error if the study ends first."""
        deadline = time.monotonic() + seconds
        while not found():
            assert self.running, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.02)

    def jobs(self) -> list[psutil.Process]:
        """All that the study has started, with all that they have."""
        try:
            children = self.main.children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [child for child in children if not is_keeper(child)]

    def send(self, number: int, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.process.pid, number)

    def end(self, seconds: float = 60) -> int:
        """Wait for its end, and return its status."""
        return self.process.wait(seconds)


def is_keeper(process: psutil.Process) -> bool:
    return "keeper.py" in " ".join(command_of(process))


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def alive(processes: Sequence[psutil.Process], seconds: float = 10) -> list[psutil.Process]:
    """Those that are still there after some time, as they should not be."""
    return psutil.wait_procs(processes, timeout=seconds)[1]


def named(processes: Sequence[psutil.Process]) -> str:
    """The scripts that processes run."""
    scripts = {
        Path(part).name.partition(".")[2]
        for process in processes
        for part in command_of(process)
        if "/.snakemake/scripts/" in part
    }
    return ", ".join(sorted(scripts)) or "Snakemake alone"


def made(results: Path) -> set[str]:
    """Files that stand for progress: results, and checkpoints of a training."""
    return {
        str(path.relative_to(results))
        for path in files_in(results)
        if "checkpoints" not in path.parts or path.name == "trainer_state.json"
    }


def files_in(results: Path) -> Iterator[Path]:
    """All files but hidden ones and those that tell of times."""
    for folder, folders, names in os.walk(results):
        folders[:] = sorted(name for name in folders if name not in ASIDE and name[0] != ".")
        yield from (Path(folder) / name for name in sorted(names) if name[0] != ".")


def kill_at_random(
    start: Callable[[int], Started], results: Path, whole: int, kills: int, chance: random.Random
) -> list[str]:
    """Start the study, kill its process group, and so on; return what each kill hit.

    ``whole`` is how many files an undisturbed study makes. While there are more to come than kills,
    a round waits for some of them first; then, or else at once, for some seconds. A study that is
    whole before its last kill makes its tables again.
    """
    hit: list[str] = []
    while len(hit) < kills:
        begun, before = time.monotonic(), len(made(results))
        share = (whole - before) / (kills - len(hit))
        due = before + chance.randint(0, round(2 * share) - 1) if share > 1.2 else before
        started = start(len(hit))
        while started.running and len(made(results)) < due:
            time.sleep(0.02)
        wait = chance.uniform(0, 15 if due == before < whole / 2 else 7)
        if not _ends(started, wait):
            hit.append(f"kill {len(hit) + 1}: {_kill(started)}, {len(made(results))}/{whole} files")
            print(f"{hit[-1]}, {time.monotonic() - begun:.0f} s", flush=True)
        else:
            assert started.end() == 0, started.text[-5000:]
            print("whole before its time: its tables are made again", flush=True)
            shutil.rmtree(results / "tables")
    last = start(kills)
    assert last.end(1500) == 0, last.text[-5000:]
    return hit


def _ends(started: Started, seconds: float) -> bool:
    """Whether the study ends within some seconds."""
    try:
        started.end(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill(started: Started) -> str:
    """Kill a study's process group; return what was running."""
    jobs = started.jobs()
    what = named(jobs)
    started.send(signal.SIGKILL, group=True)
    started.end()
    left = alive(jobs)
    assert not left, f"they live on: {left}"
    return what
