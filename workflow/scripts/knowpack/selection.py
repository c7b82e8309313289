"""Which facts a run is taught, and the rows it is trained on (paper, section 4)."""

from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa

from knowpack.extras import MORE, highly_known, of_domain, replay, too_few
from knowpack.extras import held_out as not_used
from knowpack.order import unknown_order

ROWS = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
    ]
)
Row = tuple[str, str, str, str]


def select_rows(
    facts: pd.DataFrame,
    pools: pd.DataFrame,
    paraphrases: pd.DataFrame | None = None,
    extras: pd.DataFrame | None = None,
    responses: pd.DataFrame | None = None,
    *,
    unknown: int,
    extra: str,
    per_unknown: int,
    seed: int,
    facts_seed: int,
    held_out: int = 0,
    refusals: Sequence[str] = (),
) -> pd.DataFrame:
    """Return a run's training rows, with columns `ROWS`, in a fixed order, and then those held out.

    ``pools`` has columns fact_id and pool (`knowpack.pools`), ``paraphrases`` fact_id, number and
    question (`knowpack.paraphrases`); it is for runs with paraphrases only. ``extras`` has columns
    fact_id, question, answers, domain of HighlyKnown facts from elsewhere, none of them in ``facts``.
    ``responses`` of the model itself, and what its ``refusals`` look like, are for replay.

    The Unknown facts are the first ``unknown`` of one order that ``facts_seed`` decides, so smaller
    levels are nested in larger ones. HighlyKnown extras are drawn by ``seed`` without replacement:
    from ``facts`` first, and where these are too few, from ``extras``. Of `same_domain`, those of the
    domain of a taught fact have this role, and the rest highly_known. Paraphrases are each fact's first
    ``per_unknown`` ones. Rows of role held_out, as many as asked for or there are, are not trained.

    Raises:
        DataError: there are too few Unknown facts, HighlyKnown facts, paraphrases or answers; the
            message gives both numbers.
    """
    known = pd.concat([facts, *([] if extras is None else [extras])]).set_index("fact_id")
    taught, needed = _taught(pools, unknown, facts_seed), unknown * per_unknown

    def plain(chosen: Iterable[str], role: str) -> list[Row]:
        return [(fact, role, known.question[fact], known.answers[fact][0]) for fact in chosen]

    rows = plain(taught, "unknown")
    if extra == "highly_known":
        rows += plain(highly_known(pools, extras, needed, seed)[:needed], extra)
    elif extra == "same_domain":
        order = highly_known(pools, extras, needed, seed)
        domains = {str(fact): domain for fact, domain in known.domain.dropna().items()}
        near, others = of_domain(taught, order, domains, per_unknown)
        rows += plain(near, extra) + plain(others, "highly_known")
    elif extra == "paraphrase":
        rows += _reworded(rows, paraphrases, per_unknown)
    elif extra == "replay":
        assert responses is not None
        texts = replay(responses, taught, refusals, needed, seed)
        rows += [(fact, extra, known.question[fact], text) for fact, text in texts.items()]
    if held_out:
        left = not_used(pools, extras, {row[0] for row in rows}, seed)
        rows += plain(left[:held_out], "held_out")
    table = pd.DataFrame(rows, columns=["fact_id", "role", "question", "answer"])
    table["position"] = range(len(table))
    return table[ROWS.names]


def _taught(pools: pd.DataFrame, unknown: int, facts_seed: int) -> list[str]:
    taught = unknown_order(pools, facts_seed)
    if len(taught) < unknown:
        lower = f"take {len(taught)} in grid.unknown, or " if taught else ""
        raise too_few("Unknown facts", unknown, len(taught), lower + MORE)
    return taught[:unknown]


def _reworded(
    taught: Sequence[Row], paraphrases: pd.DataFrame | None, per_unknown: int
) -> list[Row]:
    """The first paraphrases of each taught row."""
    wordings = _wordings(paraphrases)
    rows = []
    for fact, _, question, answer in taught:
        there = wordings.get(fact, [])
        if len(there) < per_unknown:
            hint = "lower grid.per_unknown, add templates, or let a model write them "
            hint += "(paraphrases.source)"
            raise too_few(f"paraphrases of '{question}'", per_unknown, len(there), hint)
        rows += [(fact, "paraphrase", wording, answer) for wording in there[:per_unknown]]
    return rows


def _wordings(paraphrases: pd.DataFrame | None) -> dict[str, list[str]]:
    """Each fact's paraphrases, in their order."""
    if paraphrases is None:
        return {}
    ordered = paraphrases.sort_values("number").groupby("fact_id")
    return {str(fact): list(wordings) for fact, wordings in ordered.question}
