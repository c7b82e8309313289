"""A real Slurm of one node for the session, and the small real study run on it."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from slurm_cluster import Cluster
from small_study import CONFIG, SmallStudy, clone
from study_tree import Tree

QUESTIONS = 8  # of each benchmark: here it counts where jobs run
ACCOUNTING = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Started by up.sh, which says where it cannot be; ended whatever happens."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="knowpack-slurm-"))
    try:
        yield Cluster.start(folder)
    finally:
        subprocess.run([Path(__file__).with_name("down.sh"), folder], check=True)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def small(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[SmallStudy]:
    """The finished study, all of it made by Slurm's jobs; minutes on two cores."""
    for module in ("vllm", CONFIG["models"][0]["package"]):
        pytest.importorskip(module, reason=f"{module} is not installed (make setup)")
    folder = tmp_path_factory.mktemp("slurm") / "checkout"
    clone(folder)
    suites = {
        name: [task | {"limit": QUESTIONS} for task in tasks]
        for name, tasks in CONFIG["suites"].items()
    }
    changed = CONFIG | {"device": "cuda", "suites": suites}
    del changed["generalization"]  # asked as the other suites are
    (folder / "small.yaml").write_text(yaml.safe_dump(changed))
    study = SmallStudy(folder)
    study.snakemake(*cluster.profile)
    request.config.stash[ACCOUNTING] = cluster.jobs(folder).drop(columns="WorkDir").to_string()
    yield study


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if ACCOUNTING in config.stash:
        terminalreporter.section("Slurm's accounting of the small study")
        terminalreporter.write_line(config.stash[ACCOUNTING])


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory, chat_model: Path) -> Tree:
    """The study of the tests of the workflow, with a fake engine; nothing of it is run."""
    tree = Tree.make(tmp_path_factory.mktemp("source") / "tree", chat_model)
    tree.configure(device="cuda")
    return tree


@pytest.fixture
def tree(source: Tree, tmp_path: Path) -> Tree:
    """A copy of it that a test may change."""
    return source.copy(tmp_path / "tree")
