"""Jobs of a killed run, with a Slurm of two shell scripts."""

import os
from pathlib import Path

import pytest

from knowpack.errors import DataError
from knowpack.orphans import end_orphans


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A queue, one job id a line; scancel empties it of the run's jobs."""
    queue = tmp_path / "queue"
    queue.write_text("11 knowpack_1\n12 knowpack_1\n13 other\n")
    scripts = {
        "squeue": f'name=${{3#--name=}}; sed -n "s/ $name$//p" {queue}',
        "scancel": f'name=${{1#--name=}}; sed -i "/ $name$/d" {queue}',
    }
    for name, body in scripts.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return queue


def test_jobs_of_the_killed_run_are_cancelled_and_no_others(slurm: Path, tmp_path: Path) -> None:
    record = tmp_path / "record"
    record.write_text("knowpack_1")
    assert end_orphans(record) == 2
    assert slurm.read_text() == "13 other\n"
    assert not record.exists()


@pytest.mark.parametrize("text", [None, "", "knowpack_2"])
def test_nothing_is_left_of_a_run(slurm: Path, tmp_path: Path, text: str | None) -> None:
    record = tmp_path / "record"
    if text is not None:
        record.write_text(text)
    assert end_orphans(record) == 0
    assert len(slurm.read_text().splitlines()) == 3


def test_slurm_that_does_not_answer(slurm: Path, tmp_path: Path) -> None:
    record = tmp_path / "record"
    record.write_text("knowpack_1")
    (tmp_path / "bin/squeue").write_text("#!/bin/sh\necho no controller >&2\nexit 1\n")
    with pytest.raises(DataError) as caught:
        end_orphans(record)
    assert str(caught.value) == (
        f"{record}: a run that was killed may have left jobs in Slurm's queue, and squeue does not "
        "answer here (no controller); start where it does, or delete this file if they are gone"
    )
    assert record.exists()
