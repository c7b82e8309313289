"""The small real study, run once."""

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
