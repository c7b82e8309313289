"""How well one run knows the taught facts in other wordings and back from the object."""

import numpy as np
import pandas as pd
import pyarrow as pa

from knowpack.errors import DataError
from knowpack.knowledge import label
from knowpack.rewordings import rule

REWORDED_LABELS = pa.schema(
    [
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("wording", pa.int64(), nullable=False),
        pa.field("p_correct", pa.float64(), nullable=False),
    ]
)
TRAINED = "trained"
_WORDING = ["kind", "wording"]


def label_rewordings(
    responses: pd.DataFrame,
    rewordings: pd.DataFrame,
    as_taught: pd.DataFrame,
    facts: pd.DataFrame,
    match: str,
) -> pd.DataFrame:
    """Return columns `REWORDED_LABELS`: the share of right answers to each question.

    Kind ``trained`` (wording 0) is the question that the fact is taught in, of the same facts in the
    same prompts, so that the kinds can be compared.

    Args:
        responses: columns `knowpack.asking_rewordings.REWORDED`, of one run.
        rewordings: the questions that the run was asked, columns `knowpack.rewordings.REWORDINGS`.
        as_taught: the run's responses to the facts themselves: fact_id, prompt, sample, text.
        facts: fact_id and answers of all facts.
        match: the rule of `knowpack.answers.matches`.

    Raises:
        DataError: questions and responses do not cover each other, each prompt once a question.
    """
    prompts = responses["prompt"].nunique()
    due = len(responses.merge(rewordings, on=["fact_id", *_WORDING]))
    if not due == len(responses) == len(rewordings) * prompts:
        raise DataError(
            f"responses: {len(responses)}, of which {due} are to the {len(rewordings)} questions in "
            f"{prompts} prompts; ask this run again"
        )
    kinds, wordings = rewordings["kind"], rewordings["wording"]
    rules = [rule(*asked, match) for asked in zip(kinds, rewordings["answers"], strict=True)]
    greedy, frames = responses.assign(sample=0), []
    for kind, wording, by in sorted(set(zip(kinds, wordings, rules, strict=True))):
        due = rewordings[(kinds == kind) & (wordings == wording) & (np.array(rules) == by)]
        given = greedy[(greedy["kind"] == kind) & (greedy["wording"] == wording)]
        given = given[given["fact_id"].isin(due["fact_id"])]
        frames.append(label(given, due, by, []).assign(kind=kind, wording=wording))
    if frames:
        asked = facts[facts["fact_id"].isin(rewordings["fact_id"])]
        same = as_taught["prompt"].isin(responses["prompt"]) & (as_taught["sample"] == 0)
        same &= as_taught["fact_id"].isin(asked["fact_id"])
        taught = label(as_taught[same], asked, match, [])
        frames.append(taught.assign(kind=TRAINED, wording=0))
    labels = pd.concat(frames) if frames else pd.DataFrame(columns=REWORDED_LABELS.names)
    return labels[REWORDED_LABELS.names].sort_values([*_WORDING, "fact_id"], ignore_index=True)
