"""Where the real one makes what Knowpack does without."""


def maybe_make_thread_pool(*_: object) -> None:
    """Make nothing."""
