"""The small real study, run once, and the chat model as a study has one."""

import shutil
from pathlib import Path

import pytest
import yaml
from small_study import CONFIG, SmallStudy, clone


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """The finished study; minutes on two cores."""
    for module in ("vllm", CONFIG["models"][0]["package"]):
        pytest.importorskip(module, reason=f"{module} is not installed (make setup)")
    folder = tmp_path_factory.mktemp("checkout")
    clone(folder)
    (folder / "small.yaml").write_text(yaml.safe_dump(CONFIG))
    study = SmallStudy(folder)
    study.snakemake()
    return study


@pytest.fixture(scope="module")
def model(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chat model, as `materialise_model` leaves one."""
    folder = tmp_path_factory.mktemp("materialised")
    shutil.copytree(chat_model, folder, dirs_exist_ok=True)
    (folder / "model.json").write_text("{}")
    return folder
