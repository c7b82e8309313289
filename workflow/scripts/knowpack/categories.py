"""What a model knows before any training, by category (the paper's Table 1)."""

import pandas as pd
import pyarrow as pa

from knowpack.errors import DataError

CATEGORIES = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("facts", pa.int64(), nullable=False),
        pa.field("share", pa.float64(), nullable=False),
    ]
)
ORDER = ["Unknown", "WeaklyKnown", "MaybeKnown", "HighlyKnown"]


def categories(model: str, labels: pd.DataFrame) -> pd.DataFrame:
    """Count a model's facts by category.

    Args:
        model: its name in the study.
        labels: p_sampled, category of the model itself.

    Returns:
        ``CATEGORIES``, one row a category from Unknown to HighlyKnown, also where no fact is in it;
        WeaklyKnown only where sampled answers were asked.

    Raises:
        DataError: there are no labels, or one has an unknown category.
    """
    strange = sorted(set(labels["category"]) - set(ORDER))
    if labels.empty or strange:
        raise DataError(
            f"labels of '{model}': {len(labels)} facts, categories {strange} not in {ORDER}"
        )
    sampled = labels["p_sampled"].notna().any()
    asked = [name for name in ORDER if sampled or name != "WeaklyKnown"]
    facts = labels["category"].value_counts().reindex(asked, fill_value=0)
    return pd.DataFrame(
        {
            "model": model,
            "category": asked,
            "facts": facts.to_numpy(),
            "share": (facts / len(labels)).to_numpy(),
        }
    )
