"""Reliability: how much of what it was taught an adapter knows (the paper's Table 2, Figure 2)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from knowpack.errors import DataError
from knowpack.runtable import CONDITION

RELIABILITY = pa.schema(
    [
        *CONDITION,
        pa.field("epoch", pa.int64(), nullable=False),
        pa.field("reliability", pa.float64(), nullable=False),
        pa.field("facts", pa.int64(), nullable=False),
    ]
)


def reliability(
    run: Mapping[str, Any],
    rows: pd.DataFrame,
    labels: pd.DataFrame,
    dynamics: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the mean p_correct over one run's trained unknown facts, one row an epoch.

    Args:
        run: the run's row of the run table: model, run, unknown, extra, per_unknown, seed, epochs.
        rows: the run's training rows: fact_id, role.
        labels: the run's labels after the final epoch: fact_id, p_correct.
        dynamics: epoch, fact_id, p_correct of earlier epochs; None where they were not asked.

    Returns:
        ``RELIABILITY``, by epoch.

    Raises:
        DataError: a trained fact has no label, or an epoch's facts are not the trained ones.
    """
    trained = rows.loc[rows["role"] == "unknown", "fact_id"].drop_duplicates()
    if trained.empty:
        raise DataError(f"run '{run['run']}': its rows hold no fact of role 'unknown'")
    asked = labels[["fact_id", "p_correct"]].assign(epoch=int(run["epochs"]))
    asked = asked[asked["fact_id"].isin(trained)]
    if dynamics is not None:
        late = sorted(set(dynamics.loc[dynamics["epoch"] >= run["epochs"], "epoch"]))
        if late:
            raise DataError(
                f"run '{run['run']}': dynamics of epochs {late}, but the final epoch, "
                f"{run['epochs']}, is scored from the labels; ask only the epochs before it"
            )
        asked = pd.concat([dynamics[["epoch", "fact_id", "p_correct"]], asked])
    result = []
    for epoch, answers in asked.groupby("epoch", sort=True):
        if sorted(answers["fact_id"]) != sorted(trained):
            raise DataError(_amiss(run, epoch, answers["fact_id"], trained))
        result.append(
            {name: run[name] for name in RELIABILITY.names[: len(CONDITION)]}
            | {"epoch": epoch, "reliability": answers["p_correct"].mean(), "facts": len(trained)}
        )
    if asked["epoch"].max() != run["epochs"]:
        raise DataError(_amiss(run, run["epochs"], asked["fact_id"].iloc[:0], trained))
    return pd.DataFrame(result, columns=RELIABILITY.names)


def _amiss(run: Mapping[str, Any], epoch: Any, answered: pd.Series, trained: pd.Series) -> str:
    return (
        f"run '{run['run']}', epoch {epoch}: of {len(trained)} trained unknown facts "
        f"{len(set(trained) - set(answered))} have no p_correct, "
        f"{int(answered.duplicated().sum())} have it twice, and "
        f"{len(set(answered) - set(trained))} others have one; ask exactly the trained facts"
    )
