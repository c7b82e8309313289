"""A study's folder: held by one, and swept of what killed jobs left."""

import subprocess
import sys
from pathlib import Path

import pytest

from knowpack.errors import DataError
from knowpack.hold import hold, sweep


def test_one_at_a_time(tmp_path: Path):
    folder = tmp_path / "study"
    held = hold(folder)
    with pytest.raises(DataError, match="another run is at work here; wait for its end, or stop"):
        hold(folder)
    held.close()
    hold(folder).close()


def test_the_lock_goes_with_its_process(tmp_path: Path):
    code = "import os, sys; from pathlib import Path; from knowpack.hold import hold\n"
    code += "held = hold(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={"PYTHONPATH": path()})
    assert done.returncode == -9
    hold(tmp_path).close()


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "results").write_text("a file")
    message = (
        r"results/study: cannot be written to \(Not a directory\); make room or ask for the right"
    )
    with pytest.raises(DataError, match=message):
        hold(tmp_path / "results/study")


def test_sweep(tmp_path: Path):
    stays = ["facts.parquet", ".lock", "model/.gitattributes", "model/.v1.2b/x", "a/tables.12"]
    goes = [".facts.parquet.123", "tables/.shifts.parquet.7", "figures/.shifts.99.png"]
    goes += ["kept/train_adapter/.uk4-s1.55/kept.json"]
    for name in stays + goes:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    sweep(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(stays)


def path() -> str:
    return str(Path(__file__).parents[2] / "workflow/scripts")
