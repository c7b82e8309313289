"""SHA256SUMS of an adapter's folder."""

import subprocess
from pathlib import Path

import pytest

from knowpack.errors import DataError
from knowpack.sums import check_sums, write_sums


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    for name in ("a.json", "b.safetensors"):
        (tmp_path / name).write_text(name)
    write_sums([tmp_path / "a.json", tmp_path / "b.safetensors"], tmp_path / "SHA256SUMS")
    return tmp_path / "SHA256SUMS"


def test_sums_are_those_of_sha256sum(sums: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", sums.name], cwd=sums.parent, check=True)
    assert check_sums(sums) == sums.parent


@pytest.mark.parametrize("content", [None, "", "b.safetensorS"])
def test_a_file_that_is_not_as_it_was_is_named(sums: Path, content: str | None) -> None:
    file = sums.with_name("b.safetensors")
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(DataError) as error:
        check_sums(sums)
    assert str(error.value) == (
        f"{file}: missing or not as it was written; delete {sums} and run again"
    )
