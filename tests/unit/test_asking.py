"""Epochs are asked only with the adapters that the training left."""

from pathlib import Path

import pandas as pd
import pytest

from knowpack.asking import ask_epochs
from knowpack.errors import DataError
from knowpack.sums import write_sums


class Asked(Exception):
    """An adapter came to be served."""


class Engine:
    """Serves nothing."""

    def use(self, adapter: Path) -> None:
        raise Asked


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for epoch in ("1", "2"):
        folder = tmp_path / "epochs" / epoch
        folder.mkdir(parents=True)
        files = [folder / "adapter_config.json", folder / "adapter_model.safetensors"]
        for file in files:
            file.write_bytes(b"of epoch " + epoch.encode())
        write_sums(files, folder / "SHA256SUMS")
    return tmp_path


def ask(run: Path) -> None:
    ask_epochs(Engine(), None, run / "epochs", pd.DataFrame(), [], {"epochs": 3}, None)


def test_whole_epochs_are_asked(run: Path) -> None:
    with pytest.raises(Asked):
        ask(run)


@pytest.mark.parametrize("content", [b"of epoch\xdf2", b"of ep", b"", None], ids=repr)
@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json", "SHA256SUMS"])
def test_a_damaged_epoch_is_named_before_any_is_asked(
    run: Path, name: str, content: bytes | None
) -> None:
    file = run / "epochs/2" / name
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(DataError) as error:
        ask(run)
    named, _, hint = str(error.value).partition(": ")
    assert Path(named) == file or name == "SHA256SUMS" and Path(named) == file.parent
    made_by = run / "adapter/SHA256SUMS"
    assert hint == f"missing or not as it was written; delete {made_by} and run again"
