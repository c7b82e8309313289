"""What a job says; each in a process of its own, as it takes over the standard streams."""

import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"


def run(log: Path, body: str, attempt: int = 1, **options) -> subprocess.CompletedProcess[str]:
    given = f"SimpleNamespace(log=[{str(log)!r}], resources={{'attempt': {attempt}}}, rule='job', "
    given += "wildcards={}, params={}, input=[], output=[], threads=1)"
    lines = ["from types import SimpleNamespace", "from knowpack.job import Bar, job, say"]
    lines.append(f"with job({given}):")
    code = "\n".join([*lines, *(f"    {line}" for line in body.splitlines())])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS), "PYTHONUNBUFFERED": ""},
        text=True,
        capture_output=not options,
        timeout=60,
        check=False,
        **options,
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "model" / "job.log"


def test_all_that_a_job_prints_is_in_its_log(log: Path):
    body = "import logging, os, sys\nprint('out')\nprint('err', file=sys.stderr)\n"
    body += "os.system('echo child')\nlogging.info('a remark')"
    done = run(log, body)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = log.read_text()
    assert sorted(line.split()[-1] for line in text.splitlines()) == [
        "child",
        "err",
        "out",
        "remark",
    ]


def test_a_fault_that_can_be_mended_is_one_line(log: Path):
    done = run(log, "from knowpack.errors import DataError\nraise DataError('facts: mend it')")
    assert done.returncode == 1
    assert done.stderr == "error: facts: mend it\n"
    assert log.read_text() == "error: facts: mend it\nthe job failed by itself\n"


def test_any_other_fault_leaves_its_traceback_in_the_log(log: Path):
    done = run(log, "{}['key']")
    assert done.returncode == 1
    text = log.read_text()
    assert text.startswith("Traceback (most recent call last)")
    assert text.endswith("KeyError: 'key'\nthe job failed by itself\n")
    assert done.stderr == ""


@pytest.mark.parametrize(
    "fault", ["{}['key']", "from knowpack.errors import DataError\nraise DataError('x')"]
)
def test_a_job_that_failed_by_itself_is_not_tried_again(log: Path, fault: str):
    run(log, fault)
    first = log.read_text()
    log.unlink()  # as Snakemake does
    done = run(log, "print('again')", attempt=2)
    assert done.returncode == 1
    assert done.stderr == f"not tried again: see {log}\n"
    assert log.read_text() == first


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "raise MemoryError"])
def test_a_job_that_ran_out_of_memory_is_tried_again(log: Path, end: str):
    assert run(log, f"import os, signal\nprint('begun', flush=True)\n{end}").returncode != 0
    assert run(log, "print('again')", attempt=2).returncode == 0
    assert log.read_text() == "again\n"


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_job_that_is_stopped_says_so_and_leaves_no_temporary_files(log: Path, number: str):
    body = "import os, signal, tempfile, time\nwith tempfile.TemporaryDirectory() as folder:\n"
    body += f"    print(folder, flush=True)\n    os.kill(os.getpid(), signal.{number})\n"
    body += f"    os.kill(os.getpid(), signal.{number})\n    time.sleep(9)"
    done = run(log, body)
    assert done.returncode == 128 + signal.Signals[number]
    folder, said = log.read_text().split()
    assert said == "stopped"
    assert not Path(folder).exists()
    assert run(log, "print('again')", attempt=2).returncode == 0  # it did not fail by itself


def test_a_full_disk_is_one_line_on_the_terminal(log: Path):
    body = "with open('/dev/full', 'w') as file:\n    file.write('x')"
    done = run(log, body)
    line = f"error: {log.parent}: No space left on device; make room and run the same command again"
    assert done.returncode == 1
    assert done.stderr == f"{line}\n"
    assert log.read_text().endswith(f"{line}\nthe job failed by itself\n")


def test_a_fault_is_told_where_the_log_cannot_be_written(log: Path):
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    done = run(log, "from knowpack.errors import DataError\nraise DataError('facts: mend it')")
    assert done.stderr.startswith("error: facts: mend it\n")


def test_too_little_memory_is_one_line_and_may_be_tried_again(log: Path):
    done = run(
        log, 'raise RuntimeError("[enforce fail] DefaultCPUAllocator: can\'t allocate memory")'
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: out of memory; give the job more (section `jobs`")
    assert run(log, "print('again')", attempt=2).returncode == 0


def test_output_stands_in_the_order_in_which_it_came(log: Path):
    run(log, "import sys\nprint('one')\nprint('two', file=sys.stderr)\nprint('three')")
    assert log.read_text().split() == ["one", "two", "three"]


def test_a_person_is_told_on_the_terminal_and_in_the_log(log: Path):
    done = run(log, "say('12 minutes left')")
    assert done.stderr == log.read_text() == "12 minutes left\n"


def test_a_bar_leaves_lines_with_its_rate_in_the_log(log: Path):
    body = "import time\nbar = Bar(total=30, desc='asking', unit=' prompts')\n"
    body += "for _ in range(30):\n    time.sleep(0.01)\n    bar.update()\nbar.close()"
    done = run(log, body)
    assert (done.returncode, done.stderr) == (0, "")
    lines = log.read_text().splitlines()
    assert len(lines) == 2  # the first and the last step; between them there are 10 seconds
    assert lines[0].startswith("asking:   3%")
    assert lines[-1].startswith("asking: 100%")
    assert " prompts/s]" in lines[-1]
    assert "\x1b" not in log.read_text()


def test_a_bar_without_a_known_length(log: Path):
    run(log, "bar = Bar(range(3))\nprint(sum(bar))\nbar.close()")
    assert log.read_text().split()[-1] == "3"


def on_a_terminal(log: Path, body: str) -> str:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    run(log, body, stderr=slave, stdout=slave)
    os.close(slave)
    shown = b""
    try:
        while part := os.read(master, 4096):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(master)
    return shown.decode()


def test_a_bar_moves_on_a_terminal(log: Path):
    body = "import time\nbar = Bar(total=3, desc='asking')\n"
    body += "for _ in range(3):\n    time.sleep(0.6)\n    bar.update()\nbar.close()"
    shown = on_a_terminal(log, body)
    assert "asking:   0%" in shown
    assert "\r" in shown
    assert "asking: 100%" in log.read_text()


def test_one_job_alone_draws_on_a_terminal(log: Path):
    body = "a = Bar(total=3, desc='first')\nb = Bar(total=3, desc='second')\n"
    shown = on_a_terminal(log, body + "a.refresh()\nb.refresh()\nb.close()\na.close()")
    assert "first:   0%" in shown
    assert "second" not in shown
