"""Which facts may be taught or mixed in, by every rule of matching at once.

A fact is taught only if no answer was right even by the lenient rule (substring), and mixed in as
HighlyKnown only if every answer was right even by the strict one (word). So the choice is the
paper's (section 3.1) under either rule, and scoring with another rule trains nothing anew.
"""

import numpy as np
import pandas as pd
import pyarrow as pa

from knowpack.knowledge import label

POOLS = pa.schema(
    [
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("pool", pa.string(), nullable=False),
    ]
)


def pools(responses: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Return columns `POOLS`: unknown, highly_known, or neither, for every fact.

    ``responses`` (of the model itself) and ``facts`` are those of `knowpack.knowledge.label`.
    """
    lenient = label(responses, facts, "substring", []).category
    strict = label(responses, facts, "word", []).category
    pool = np.select(
        [lenient == "Unknown", strict == "HighlyKnown"], ["unknown", "highly_known"], "neither"
    )
    return pd.DataFrame({"fact_id": facts.fact_id.to_numpy(), "pool": pool})
