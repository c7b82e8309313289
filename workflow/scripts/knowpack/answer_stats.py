"""Refusals and the diversity of the answers (the paper's Table 4)."""

import numpy as np
import pandas as pd
import pyarrow as pa

from knowpack.errors import DataError

ANSWERS = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("run", pa.string(), nullable=False),
        pa.field("refused", pa.int64(), nullable=False),
        pa.field("unique_answers", pa.int64(), nullable=False),
        pa.field("mean_repeats", pa.float64(), nullable=False),
        pa.field("std_repeats", pa.float64(), nullable=False),
        pa.field("top_answer", pa.string(), nullable=False),
        pa.field("top_answer_count", pa.int64(), nullable=False),
    ]
)


def answer_stats(
    model: str, run: str, responses: pd.DataFrame, labels: pd.DataFrame
) -> pd.DataFrame:
    """Return one row of ``ANSWERS`` for a run, or for "base", the model itself.

    An answer is a greedy response to any of the prompts, stripped, and compared as a string.

    Args:
        model: its name in the study.
        run: its id.
        responses: fact_id, prompt, sample, text.
        labels: fact_id, refused.

    Returns:
        refused: facts whose first answer refuses; unique_answers: distinct answers; mean_repeats
        and std_repeats: mean and population standard deviation of the times a distinct answer is
        given; top_answer: the most frequent (of several, the first by alphabet), given
        top_answer_count times.

    Raises:
        DataError: there are no greedy responses.
    """
    answers = responses.loc[responses["sample"] == 0, "text"].str.strip()
    if answers.empty:
        raise DataError(f"model '{model}', run '{run}': no greedy responses (sample 0)")
    times = answers.value_counts()
    most = int(times.max())
    row = {
        "model": model,
        "run": run,
        "refused": int(labels["refused"].sum()),
        "unique_answers": len(times),
        "mean_repeats": len(answers) / len(times),
        "std_repeats": float(np.std(times.to_numpy())),
        "top_answer": min(times.index[times == most]),
        "top_answer_count": most,
    }
    return pd.DataFrame([row], columns=ANSWERS.names)
