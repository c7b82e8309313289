"""The smallest study: one run of the fake engine's, with dynamics."""

import shutil
from typing import Any

from study_tree import Tree

SHORT: dict[str, Any] = {"grid": [{"unknown": [4], "extra": ["none"], "seeds": [1]}]}
RUN = "results/small/tiny/uk4-s1"
RECORD = f"{RUN}/adapter/run.json"
AGAIN = "go on with the same command."


def long_training(tree: Tree) -> None:
    """Have the run's training still to do, and last a minute."""
    shutil.rmtree(tree.results / "kept", ignore_errors=True)
    shutil.rmtree(tree.folder / RUN / "adapter")
    tree.configure(**SHORT, training={"epochs": 500, "batch_size": 1})
