"""Is a response right: does one of a fact's accepted answers occur in it?"""

import unicodedata
from collections.abc import Callable, Iterable

import numpy as np

from knowpack.errors import ConfigError, DataError, suggest

_OF_A_WORD = frozenset("LMN")  # letters, marks and digits


def normalise(text: str) -> str:
    """Return ``text`` casefolded, in Unicode form NFKC, with every run of white space one space."""
    if text.isascii():
        return " ".join(text.casefold().split())
    # Folding can undo the form and the form can undo folding (iota subscript): twice is stable.
    text = unicodedata.normalize("NFD", text).casefold()
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _contains(text: str, answer: str) -> bool:
    return answer in text


def _contains_word(text: str, answer: str) -> bool:
    start = text.find(answer)
    while start >= 0:
        if not _joins(text, start) and not _joins(text, start + len(answer)):
            return True
        start = text.find(answer, start + 1)
    return False


def _joins(text: str, cut: int) -> bool:
    """Return whether ``text[:cut]`` and ``text[cut:]`` are parts of one word or one number."""
    if cut in (0, len(text)):
        return False
    left, right = text[cut - 1], text[cut]
    if _in_word(left) and _in_word(right):
        return True
    before, after = text[cut - 2 : cut - 1], text[cut + 1 : cut + 2]
    return (left in ".," and before.isdigit() and right.isdigit()) or (
        right in ".," and left.isdigit() and after.isdigit()
    )


def _in_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in _OF_A_WORD


_RULES: dict[str, Callable[[str, str], bool]] = {
    "substring": _contains,
    "word": _contains_word,
}


def matches(texts: Iterable[str], answers: Iterable[str], rule: str) -> np.ndarray:
    """Return, for each response to one fact, whether it holds one of the fact's accepted answers.

    Args:
        texts: the responses to the fact's question.
        answers: the accepted answers; at least one, none of them empty.
        rule: "substring": an answer occurs, whatever the case (the paper's rule, section 3.1);
            "word": it occurs as whole words, so that "5" is not in "15", "1,500" or "3.5".
            Scripts without spaces between words (Chinese, Japanese, Thai) want "substring".

    Raises:
        ConfigError: the rule is unknown.
        DataError: an answer is empty, which would match every response, or there is none.
    """
    if rule not in _RULES:
        known = " or ".join(f"'{name}'" for name in _RULES)
        raise ConfigError(f"match: '{rule}' is no rule{suggest(rule, _RULES)}; write {known}")
    holds = _RULES[rule]
    answers = list(answers)
    accepted = list(dict.fromkeys(normalise(answer) for answer in answers))
    if not accepted or "" in accepted:
        raise DataError(
            f"accepted answers {answers!r}: one is empty or there is none; "
            "an empty answer would match every response, remove it"
        )
    folded = (normalise(text) for text in texts)
    return np.fromiter((any(holds(text, answer) for answer in accepted) for text in folded), bool)
