"""Shifts: facts whose category rises or falls under an adapter (the paper's Tables 3 and 6)."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from knowpack.errors import DataError
from knowpack.runtable import CONDITION

_LEVELS = ["uk", "mk", "hk"]
# A WeaklyKnown fact was never right when asked greedily, and the shifts compare greedy answers.
_LEVEL_OF = {"Unknown": 0, "WeaklyKnown": 0, "MaybeKnown": 1, "HighlyKnown": 2}
COUNTS = [f"{old}_{new}" for old in _LEVELS for new in _LEVELS]

SHIFTS = pa.schema(
    [
        *CONDITION,
        *[pa.field(name, pa.int64(), nullable=False) for name in COUNTS],
        pa.field("positive_shift", pa.float64(), nullable=False),
        pa.field("negative_shift", pa.float64(), nullable=False),
        # Null where every fact was trained.
        pa.field("positive_shift_untrained", pa.float64()),
        pa.field("negative_shift_untrained", pa.float64()),
    ]
)


def count_shifts(
    base_labels: pd.DataFrame, labels: pd.DataFrame, trained_ids: Collection[str]
) -> dict[str, Any]:
    """Compare the labels of a run with those of the model itself.

    Args:
        base_labels: fact_id, category of the model itself.
        labels: the same of the run.
        trained_ids: fact_id of every fact in the run's rows; some need not be among the labels
            (extras from elsewhere).

    Returns:
        The nine counts ``uk_uk`` ... ``hk_hk`` (from_to), positive_shift and negative_shift (shares
        of all facts), and the same two of the untrained facts, None where there are none.

    Raises:
        DataError: the two label different facts, one twice, or with an unknown category.
    """
    old = levels(base_labels, "the base model")
    new = levels(labels, "the run", old.index)
    counts = (old * len(_LEVELS) + new).value_counts()
    untrained = ~old.index.isin(list(trained_ids))
    rose, fell = new > old, new < old
    return {name: int(counts.get(cell, 0)) for cell, name in enumerate(COUNTS)} | {
        "positive_shift": float(rose.mean()),
        "negative_shift": float(fell.mean()),
        "positive_shift_untrained": float(rose[untrained].mean()) if untrained.any() else None,
        "negative_shift_untrained": float(fell[untrained].mean()) if untrained.any() else None,
    }


def levels(labels: pd.DataFrame, whose: str, facts: pd.Index | None = None) -> pd.Series:
    """Return the category as 0, 1 or 2, by fact_id, in the order of ``facts``.

    Args:
        labels: fact_id, category.
        whose: they are, for messages.
        facts: the facts that the base model was asked; those of the labels if None.

    Raises:
        DataError: other facts than those, none, one twice, or an unknown category.
    """
    strange = sorted(set(labels["category"]) - set(_LEVEL_OF))
    if strange:
        raise DataError(f"labels of {whose}: categories {strange}; known: {list(_LEVEL_OF)}")
    twice = int(labels["fact_id"].duplicated().sum())
    if twice:
        raise DataError(f"labels of {whose}: {twice} facts stand there more than once")
    found = labels.set_index("fact_id")["category"].map(_LEVEL_OF)
    facts = found.index if facts is None else facts
    if len(facts) != len(found) or not facts.isin(found.index).all():
        raise DataError(
            f"labels of the base model and of {whose} differ in their facts: "
            f"{len(facts.difference(found.index))} only in the base's, "
            f"{len(found.index.difference(facts))} only in the run's; label both again"
        )
    if found.empty:
        raise DataError("labels: no facts")
    return found.reindex(facts)


def shifts(
    run: Mapping[str, Any], base_labels: pd.DataFrame, labels: pd.DataFrame, rows: pd.DataFrame
) -> pd.DataFrame:
    """Return one run's row of ``SHIFTS``.

    Args:
        run: the run's row of the run table: model, run, unknown, extra, per_unknown, seed.
        base_labels: fact_id, category of the model itself.
        labels: the same of the run.
        rows: the run's rows: fact_id, role; those held out are not trained.

    Raises:
        DataError: as ``count_shifts``.
    """
    try:
        counted = count_shifts(
            base_labels, labels, set(rows.loc[rows["role"] != "held_out", "fact_id"])
        )
    except DataError as error:
        raise DataError(f"model '{run['model']}', run '{run['run']}': {error}") from error
    named = {name: run[name] for name in SHIFTS.names[: len(CONDITION)]}
    return pd.DataFrame([named | counted], columns=SHIFTS.names)
