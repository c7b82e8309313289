"""What others found of the facts, beside what is measured here."""

import pandas as pd
import pyarrow as pa

from knowpack.categories import ORDER

PUBLISHED_CATEGORIES = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("published", pa.string(), nullable=False),
        pa.field("measured", pa.string(), nullable=False),
        pa.field("facts", pa.int64(), nullable=False),
    ]
)


def compare(model: str, labels: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Count facts by the category that came with them and by the measured one.

    Args:
        model: its name in the study.
        labels: fact_id, category of the model itself.
        facts: fact_id, published_category (null where none came with the fact).

    Returns:
        ``PUBLISHED_CATEGORIES``: one row for each pair of categories, from Unknown to HighlyKnown,
        also where no fact has both, of the categories that occur on either side; empty where no
        labelled fact has a published category.
    """
    both = facts[["fact_id", "published_category"]].dropna().merge(labels, on="fact_id")
    pair = both["published_category"], both["category"]
    there = [name for name in ORDER if any(name in set(side) for side in pair)]
    counts = both.groupby(list(pair)).size()
    every = pd.MultiIndex.from_product([there, there], names=["published", "measured"])
    table = counts.reindex(every, fill_value=0).reset_index(name="facts")
    return table.assign(model=model)[PUBLISHED_CATEGORIES.names]
