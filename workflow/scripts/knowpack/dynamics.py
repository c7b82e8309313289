"""Labels after every epoch: how the taught facts are learned (the paper's Figure 2)."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from knowpack.knowledge import label

EPOCH_LABELS = pa.schema(
    [
        pa.field("epoch", pa.int64(), nullable=False),
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("p_correct", pa.float64(), nullable=False),
    ]
)


def label_epochs(
    responses: pd.DataFrame, facts: pd.DataFrame, match: str, refusal_patterns: Sequence[str]
) -> pd.DataFrame:
    """Return columns `EPOCH_LABELS`: how well each asked fact is known after each epoch.

    ``responses`` are those of `knowpack.knowledge.label` with a column epoch; ``facts`` may hold
    more than were asked.
    """
    asked = facts[facts.fact_id.isin(responses.fact_id)]
    frames = [
        label(answers, asked, match, refusal_patterns).assign(epoch=epoch)
        for epoch, answers in responses.groupby("epoch", sort=True)
    ]
    return pd.concat(frames)[EPOCH_LABELS.names]
