"""What a machine lacked, read from the errors of several libraries."""

import errno
import json
from pathlib import Path

import pytest

from knowpack import shortage
from knowpack.shortage import of_disk, of_memory, of_model


def chained(cause: Exception) -> Exception:
    error = RuntimeError("writing failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a/b"),
            "a/b: No space left on device; make room and run the same command again",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "a"),
            "a: Read-only file system; have it mounted for writing and run the same command again",
        ),
        (
            chained(PermissionError(errno.EACCES, "Permission denied", "a")),
            "a: Permission denied; ask for the right to read and write there and run the same "
            "command again",
        ),
    ],
)
def test_of_disk(error: Exception, line: str, tmp_path: Path):
    assert of_disk(error, tmp_path) == line


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (28, "No space left on device; make room"),
        (30, "Read-only file system; have it mounted for writing"),
    ],
)
def test_what_safetensors_says(number: int, line: str, tmp_path: Path):
    error = Exception(f"Error while serializing: I/O error: some text (os error {number})")
    assert of_disk(error, tmp_path) == f"{tmp_path}: {line} and run the same command again"


def test_torch_says_nothing_of_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    error = RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534")
    assert of_disk(error, tmp_path / "not/there") is None
    monkeypatch.setattr(shortage, "_is_full", lambda folder: True)
    assert "make room" in str(of_disk(error, tmp_path / "not/there"))


@pytest.mark.parametrize("error", [KeyError("x"), FileNotFoundError(errno.ENOENT, "none", "x")])
def test_other_errors(error: Exception, tmp_path: Path):
    assert of_disk(error, tmp_path) is None
    assert of_memory(error) is None


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        chained(MemoryError()),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    ],
)
def test_of_memory(error: Exception):
    assert str(of_memory(error)).startswith("out of memory; give the job more")


def test_of_model(tmp_path: Path):
    weights, record = tmp_path / "model.safetensors", tmp_path / "model.json"
    weights.write_bytes(b"weights")
    record.write_text(json.dumps({"files": {weights.name: {"bytes": 7, "sha256": "0"}}}))
    inputs = ["facts.parquet", str(record)]
    assert of_model(inputs) is None
    line = f"{weights}: missing or not as it was; delete {record} and run the same command again"
    weights.write_bytes(b"weight")
    assert of_model(inputs) == line
    weights.unlink()
    assert of_model(inputs) == line
