"""Which of the candidate facts a study takes: a seeded draw that the order of rows does not change."""

import hashlib

import pandas as pd

from knowpack.errors import DataError

POPULARITIES = ("head", "torso", "tail")


def digests(texts: pd.Series) -> list[str]:
    """Return 16 hexadecimal digits of each text's SHA-256."""
    return [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts.tolist()]


def cap_facts(candidates: pd.DataFrame, cap: int, seed: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """Draw the same number of head, torso and tail facts of each relation, at most ``cap`` of each.

    As Head-to-Tail does (paper, section Facts): the number is the smallest of ``cap`` and of the
    relation's three counts. The draw depends on ``seed`` and the set of candidates, not on their
    order; that of a smaller cap is part of that of a larger.

    Returns:
        The drawn rows in their order; and how many were not: too_few_of_a_popularity, of relations
        that lack one of the three, and over_the_cap, the rest.
    """
    relation = candidates["relation"].fillna("")
    counts = pd.crosstab(relation, candidates["popularity"])
    share = relation.map(counts.reindex(columns=POPULARITIES, fill_value=0).min(axis=1))
    # A relation all of whose popularities are null has no row in the counts.
    share = share.fillna(0).clip(upper=cap)
    order = _shuffled(candidates["fact_id"], seed).sort_values().index
    turn = candidates.loc[order].groupby(["relation", "popularity"], dropna=False).cumcount()
    drawn = candidates["popularity"].isin(POPULARITIES) & (turn.reindex(candidates.index) < share)
    return candidates[drawn], {
        "too_few_of_a_popularity": int((share == 0).sum()),
        "over_the_cap": int(((share > 0) & ~drawn).sum()),
    }


def draw_facts(candidates: pd.DataFrame, size: int | None, seed: int) -> pd.DataFrame:
    """Draw ``size`` candidates in equal shares of relations, and within each of popularities.

    A relation or a popularity with too few gives all it has, and the others fill up. The draw
    depends on ``seed`` and the set of candidates, not on their order; a smaller one is part of a
    larger. None draws all. Returns the drawn rows sorted by fact_id.

    Raises:
        DataError: ``size`` is below 1 or above the number of candidates.
    """
    supply = len(candidates)
    if size is not None and not 1 <= size <= supply:
        raise DataError(
            f"{size} facts are asked for and there are {supply}; ask for 1 to {supply}, or for all"
        )
    candidates = candidates.sort_values("fact_id", ignore_index=True)
    if size is None:
        return candidates
    relation = candidates["relation"].fillna("")
    stratum = relation + "\x1f" + candidates["popularity"].fillna("")
    order = pd.DataFrame(
        {
            "relation": _shuffled(relation, seed),
            "stratum": _shuffled(stratum, seed),
            "fact": _shuffled(candidates["fact_id"], seed),
        }
    )
    # Turns in a round of all strata, then in a round of all relations, are water-filling.
    order = order.sort_values("fact")
    order["turn"] = order.groupby("stratum").cumcount()
    order = order.sort_values(["turn", "stratum"])
    order["turn"] = order.groupby("relation").cumcount()
    drawn = order.sort_values(["turn", "relation"]).index[:size]
    return candidates.loc[drawn.sort_values()].reset_index(drop=True)


def _shuffled(texts: pd.Series, seed: int) -> pd.Series:
    """Return a sort key for each text, random in ``seed`` and equal for equal texts."""
    codes, found = pd.factorize(texts)
    keys = pd.Series(digests(f"{seed}\x1f" + pd.Series(found, dtype="str")), dtype="str")
    return keys.take(codes).set_axis(texts.index)
