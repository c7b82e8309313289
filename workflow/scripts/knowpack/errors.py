"""The two errors that a user can cause; each says what is wrong, where, and what to write instead."""

from collections.abc import Iterable
from difflib import get_close_matches


class KnowpackError(Exception):
    """Anything a user can mend; shown without a traceback."""

    def __init__(self, message: str) -> None:
        """Take the message; what a terminal would act on in it, from data say, is spelt out."""
        marks = (
            mark if mark.isprintable() or mark == "\n" else ascii(mark)[1:-1] for mark in message
        )
        super().__init__("".join(marks))


class ConfigError(KnowpackError):
    """The configuration is wrong: the message names the key and a value that would do."""


class DataError(KnowpackError):
    """A file or a table is wrong: the message names the file, the column or row, and the remedy."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the known name nearest to ``name``, or an empty string."""
    near = get_close_matches(name, list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
