from pathlib import Path

import pytest
from study_tree import Tree


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory, chat_model: Path) -> Tree:
    """The small study in a copy of the checkout, nothing of it run. Not to be changed."""
    return Tree.make(tmp_path_factory.mktemp("source") / "tree", chat_model)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, source: Tree) -> Tree:
    """The small study, whole: real rules, real training, the fake engine. Not to be changed."""
    return source.finish(tmp_path_factory.mktemp("finished") / "tree")


@pytest.fixture
def tree(finished: Tree, tmp_path: Path) -> Tree:
    """A copy of the finished study that a test may change."""
    return finished.copy(tmp_path / "tree")
