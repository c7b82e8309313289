"""Small studies to break: with the fake engine for what is Snakemake's, with the real one for kills."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from killing import Started
from short_tree import SHORT
from study_tree import Tree


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory, chat_model: Path) -> Tree:
    """A study of one run in a copy of the checkout, nothing of it run. Not to be changed."""
    tree = Tree.make(tmp_path_factory.mktemp("source") / "tree", chat_model)
    tree.configure(**SHORT)
    return tree


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, source: Tree) -> Tree:
    """That study, whole. Not to be changed."""
    return source.finish(tmp_path_factory.mktemp("finished") / "tree")


@pytest.fixture
def tree(finished: Tree, tmp_path: Path) -> Tree:
    """A copy of the finished study that a test may change."""
    return finished.copy(tmp_path / "tree")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Start the study of a tree; what is still at work when the test ends is killed."""
    begun: list[Started] = []

    def start(tree: Tree, *arguments: str, **options: str) -> Started:
        said = tmp_path / f"said-{len(begun)}.txt"
        begun.append(
            Started(tree.command(*arguments, **options), tree.folder, tree.environment, said)
        )
        return begun[-1]

    yield start
    for one in begun:
        for process in [*one.jobs(), one.main] if one.running else []:
            process.kill()
        one.end()
