"""What is mixed in with the taught facts (paper, section 4), and what it does not have: facts of the
same domain, and the model's own answers.
"""

import re
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence

import pandas as pd

from knowpack.errors import DataError
from knowpack.order import shuffled
from knowpack.seeds import sub_seed

MORE = "study more facts (facts.size, or more rows of a table)"


def highly_known(
    pools: pd.DataFrame, extras: pd.DataFrame | None, needed: int, seed: int
) -> list[str]:
    """Return the study's own HighlyKnown facts in a seeded order and, after them, those from elsewhere.

    Raises:
        DataError: there are fewer than ``needed``.
    """
    order = shuffled(pools, "highly_known", sub_seed(seed, "highly_known"))
    there = f"{len(order)}"
    hint = f"lower grid.unknown or grid.per_unknown, {MORE}"
    if extras is None:
        hint += ", or add extra_facts"
    else:
        others = shuffled(extras.assign(pool="extra"), "extra", sub_seed(seed, "extra_facts"))
        there = f"{len(order) + len(others)} ({there} of facts, {len(others)} of extra_facts)"
        hint += " or more extra_facts"
        order += others
    if len(order) < needed:
        raise too_few("HighlyKnown facts", needed, there, hint)
    return order


def of_domain(
    taught: Sequence[str], order: Sequence[str], domains: Mapping[str, str], per_unknown: int
) -> tuple[list[str], list[str]]:
    """Return extras of the domains of the ``taught`` facts, and the others that make up their number.

    Each taught fact has one extra before any has a second. They are the first ones left of ``order``,
    of its domain or, in the end, of all; ``domains`` has no fact whose domain is not known.
    """
    left: defaultdict[str, deque[str]] = defaultdict(deque)
    for fact in order:
        if fact in domains:
            left[domains[fact]].append(fact)
    near = [
        left[domains[fact]].popleft()
        for _ in range(per_unknown)
        for fact in taught
        if fact in domains and left[domains[fact]]
    ]
    used = set(near)
    others = [fact for fact in order if fact not in used]
    return near, others[: per_unknown * len(taught) - len(near)]


def replay(
    responses: pd.DataFrame,
    taught: Sequence[str],
    refusals: Sequence[str],
    needed: int,
    seed: int,
) -> dict[str, str]:
    """Return the model's own answers about ``needed`` facts that are not ``taught``, in a seeded order.

    ``responses`` are the model's: fact_id, prompt, sample, text; the greedy answer to the first prompt
    counts, unless it is empty or one of the regular expressions ``refusals`` finds it.

    Raises:
        DataError: there are fewer such answers.
    """
    own = responses[(responses["prompt"] == 0) & (responses["sample"] == 0)]
    own = own[~own["fact_id"].isin(taught)]
    # Chat models are taught to begin with it, and a training row does so itself.
    texts = own["text"].str.strip().str.removeprefix("Answer:").str.strip()
    refused = [any(re.search(p, text, re.IGNORECASE) for p in refusals) for text in texts]
    usable = own.assign(text=texts, pool="own")[(texts != "") & ~pd.Series(refused, own.index)]
    order = shuffled(usable, "own", sub_seed(seed, "replay"))
    if len(order) < needed:
        hint = f"lower grid.unknown or grid.per_unknown, or {MORE}"
        raise too_few("answers of the model's own", needed, len(order), hint)
    answers = dict(zip(usable["fact_id"], usable["text"], strict=True))
    return {fact: answers[fact] for fact in order[:needed]}


def held_out(
    pools: pd.DataFrame, extras: pd.DataFrame | None, used: set[str], seed: int
) -> list[str]:
    """Return the HighlyKnown facts that are not ``used``, those from elsewhere first, in a seeded order.

    Raises:
        DataError: all are used.
    """
    own = sub_seed(seed, "held_out")
    order = [] if extras is None else shuffled(extras.assign(pool="extra"), "extra", own)
    order = [fact for fact in order + shuffled(pools, "highly_known", own) if fact not in used]
    if not order:
        raise DataError(
            "no HighlyKnown fact is left to be held out, as training.patience needs it; lower grid.unknown "
            f"or grid.per_unknown, {MORE}, or add extra_facts"
        )
    return order


def too_few(what: str, needed: int, there: int | str, hint: str) -> DataError:
    """Return the error that says how many are needed and how many there are."""
    return DataError(f"{needed} {what} are needed, but there are {there}; {hint}")
