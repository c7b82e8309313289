"""Which facts a run is taught, and the rows it is trained on (paper, section 4)."""

import random
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from knowpack.errors import DataError
from knowpack.seeds import sub_seed
from knowpack.templates import Relation

ROWS = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
    ]
)


def select_rows(
    facts: pd.DataFrame,
    pools: pd.DataFrame,
    relations: Mapping[str, Relation],
    *,
    unknown: int,
    extra: str,
    per_unknown: int,
    seed: int,
    facts_seed: int,
) -> pd.DataFrame:
    """Return a run's training rows, with columns `ROWS`, in a fixed order.

    ``pools`` has columns fact_id and pool (`knowpack.pools`).

    The Unknown facts are the first ``unknown`` of one order that ``facts_seed`` decides, so smaller
    levels are nested in larger ones. HighlyKnown extras are drawn by ``seed`` without replacement.
    Paraphrases are the relation's templates after the first, in their order.

    Raises:
        DataError: there are too few Unknown facts, HighlyKnown facts or paraphrases; the message
            gives both numbers.
    """
    known = facts.set_index("fact_id")
    pool = pools.set_index("fact_id").pool
    taught = _shuffled(pool, "unknown", sub_seed(facts_seed, "unknown"))
    if len(taught) < unknown:
        raise _too_few(
            "Unknown facts", unknown, len(taught), "lower grid.unknown or raise facts.size"
        )
    taught = taught[:unknown]
    rows = [(fact, "unknown", known.question[fact]) for fact in taught]
    if extra == "highly_known":
        needed = unknown * per_unknown
        drawn = _shuffled(pool, "highly_known", sub_seed(seed, "highly_known"))
        if len(drawn) < needed:
            hint = "lower grid.unknown or grid.per_unknown, or raise facts.size"
            raise _too_few("HighlyKnown facts", needed, len(drawn), hint)
        rows += [(fact, "highly_known", known.question[fact]) for fact in drawn[:needed]]
    elif extra == "paraphrase":
        for fact in taught:
            relation = known.relation[fact]
            there = len(relations[relation].templates) - 1 if relation in relations else 0
            if there < per_unknown:
                hint = "lower grid.per_unknown or add templates"
                raise _too_few(
                    f"paraphrases of '{relation or known.question[fact]}'", per_unknown, there, hint
                )
            wordings = range(1, 1 + per_unknown)
            subject = known.subject[fact]
            rows += [
                (fact, "paraphrase", relations[relation].question(subject, wording))
                for wording in wordings
            ]
    table = pd.DataFrame(rows, columns=["fact_id", "role", "question"])
    table["answer"] = [known.answers[fact][0] for fact in table.fact_id]
    table["position"] = range(len(table))
    return table[ROWS.names]


def _shuffled(pool: pd.Series, wanted: str, seed: int) -> list[str]:
    """Facts of one pool in a seeded order that more or fewer other facts do not change."""
    facts = sorted(pool.index[pool == wanted])
    return sorted(facts, key=lambda fact: random.Random(f"{seed} {fact}").random())


def _too_few(what: str, needed: int, there: int, hint: str) -> DataError:
    return DataError(f"{needed} {what} are needed, but there are {there}; {hint}")
