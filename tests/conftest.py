"""What tests of several folders share."""

import signal
from pathlib import Path

import pytest
from tiny import make_tiny_model

# Programs that are started in the background, as some CI does, ignore Ctrl-C, and so do those below.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with a chat template."""
    return make_tiny_model(tmp_path_factory.mktemp("chat-model"))


@pytest.fixture(scope="session")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model without one."""
    return make_tiny_model(tmp_path_factory.mktemp("text-model"), chat=False)
