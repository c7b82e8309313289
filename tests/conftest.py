"""What tests of several folders share."""

from pathlib import Path

import pytest
from tiny import make_tiny_model


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with a chat template."""
    return make_tiny_model(tmp_path_factory.mktemp("chat-model"))


@pytest.fixture(scope="session")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model without one."""
    return make_tiny_model(tmp_path_factory.mktemp("text-model"), chat=False)
