"""Which facts a run is taught, and the rows it is trained on (paper, section 4)."""

import pandas as pd
import pyarrow as pa

from knowpack.errors import DataError
from knowpack.order import shuffled, unknown_order
from knowpack.seeds import sub_seed

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
    paraphrases: pd.DataFrame | None = None,
    extras: pd.DataFrame | None = None,
    *,
    unknown: int,
    extra: str,
    per_unknown: int,
    seed: int,
    facts_seed: int,
) -> pd.DataFrame:
    """Return a run's training rows, with columns `ROWS`, in a fixed order.

    ``pools`` has columns fact_id and pool (`knowpack.pools`), ``paraphrases`` fact_id, number and
    question (`knowpack.paraphrases`); it is for runs with paraphrases only. ``extras`` has columns
    fact_id, question and answers of HighlyKnown facts from elsewhere, none of them in ``facts``.

    The Unknown facts are the first ``unknown`` of one order that ``facts_seed`` decides, so smaller
    levels are nested in larger ones. HighlyKnown extras are drawn by ``seed`` without replacement:
    from ``facts`` first, and where these are too few, from ``extras``.
    Paraphrases are each fact's first ``per_unknown`` ones.

    Raises:
        DataError: there are too few Unknown facts, HighlyKnown facts or paraphrases; the message
            gives both numbers.
    """
    columns = ["fact_id", "question", "answers"]
    known = pd.concat([facts[columns], *([] if extras is None else [extras[columns]])])
    known = known.set_index("fact_id")
    taught = unknown_order(pools, facts_seed)
    if len(taught) < unknown:
        raise _too_few(
            "Unknown facts", unknown, len(taught), "lower grid.unknown or raise facts.size"
        )
    taught = taught[:unknown]
    rows = [(fact, "unknown", known.question[fact]) for fact in taught]
    if extra == "highly_known":
        drawn = _highly_known(pools, extras, unknown * per_unknown, seed)
        rows += [(fact, "highly_known", known.question[fact]) for fact in drawn]
    elif extra == "paraphrase":
        wordings = _wordings(paraphrases)
        for fact in taught:
            there = wordings.get(fact, [])
            if len(there) < per_unknown:
                what = f"paraphrases of '{known.question[fact]}'"
                hint = "lower grid.per_unknown, add templates, or let a model write them "
                hint += "(paraphrases.source)"
                raise _too_few(what, per_unknown, len(there), hint)
            rows += [(fact, "paraphrase", wording) for wording in there[:per_unknown]]
    table = pd.DataFrame(rows, columns=["fact_id", "role", "question"])
    table["answer"] = [known.answers[fact][0] for fact in table.fact_id]
    table["position"] = range(len(table))
    return table[ROWS.names]


def _highly_known(
    pools: pd.DataFrame, extras: pd.DataFrame | None, needed: int, seed: int
) -> list[str]:
    """The study's own HighlyKnown facts in a seeded order and, after them, those from elsewhere."""
    order = shuffled(pools, "highly_known", sub_seed(seed, "highly_known"))
    there = f"{len(order)}"
    hint = "lower grid.unknown or grid.per_unknown, or raise facts.size"
    if extras is None:
        hint += ", or add extra_facts"
    else:
        others = shuffled(extras.assign(pool="extra"), "extra", sub_seed(seed, "extra_facts"))
        there = f"{len(order) + len(others)} ({there} of facts, {len(others)} of extra_facts)"
        hint += " or extra_facts.size"
        order += others
    if len(order) < needed:
        raise _too_few("HighlyKnown facts", needed, there, hint)
    return order[:needed]


def _wordings(paraphrases: pd.DataFrame | None) -> dict[str, list[str]]:
    """Each fact's paraphrases, in their order."""
    if paraphrases is None:
        return {}
    ordered = paraphrases.sort_values("number").groupby("fact_id")
    return {str(fact): list(wordings) for fact, wordings in ordered.question}


def _too_few(what: str, needed: int, there: int | str, hint: str) -> DataError:
    return DataError(f"{needed} {what} are needed, but there are {there}; {hint}")
