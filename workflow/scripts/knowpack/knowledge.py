"""Labels: what a model knows, from its responses (the paper's section 3.1; SliCK for samples)."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from knowpack.answers import matches
from knowpack.errors import ConfigError, DataError

LABELS = pa.schema(
    [
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("p_correct", pa.float64(), nullable=False),
        pa.field("p_sampled", pa.float64()),
        pa.field("category", pa.string(), nullable=False),
        pa.field("refused", pa.bool_(), nullable=False),
    ]
)


def label(
    responses: pd.DataFrame, facts: pd.DataFrame, match: str, refusal_patterns: Sequence[str]
) -> pd.DataFrame:
    """Label every fact with how much of it one run knows.

    Args:
        responses: fact_id, prompt, sample (0 is the greedy answer), text; of one run.
        facts: fact_id, answers (list of strings). Others of its columns are not read.
        match: the rule of ``answers.matches``.
        refusal_patterns: regular expressions, searched for whatever the case.

    Returns:
        ``LABELS``, in the order of ``facts``: p_correct, the share of the greedy answers that are
        right; p_sampled, the share of the sampled answers that are (null where none were asked);
        category: HighlyKnown (p_correct 1), MaybeKnown (between), Unknown (0), or WeaklyKnown
        (0, but right when sampled); refused, whether the greedy answer to the first prompt refuses.

    Raises:
        ConfigError: the rule or a pattern is wrong.
        DataError: facts and responses do not cover each other, each (prompt, sample) once a fact.
    """
    refuses = _pattern(refusal_patterns)
    texts, asked = _grid(responses, facts)
    right = np.empty(texts.shape, dtype=bool)
    for row, (fact_id, answers) in enumerate(zip(facts["fact_id"], facts["answers"], strict=True)):
        try:
            right[row] = matches(texts[row], answers, match)
        except DataError as error:
            raise DataError(f"fact '{fact_id}': {error}") from error
    greedy = asked.get_level_values("sample") == 0
    prompts, samples = int(greedy.sum()), int((~greedy).sum())
    of_greedy, of_sampled = right[:, greedy].sum(axis=1), right[:, ~greedy].sum(axis=1)
    category = np.select(
        [of_greedy == prompts, of_greedy > 0, of_sampled > 0],
        ["HighlyKnown", "MaybeKnown", "WeaklyKnown"],
        default="Unknown",
    )
    first = texts[:, np.flatnonzero(greedy)[0]]
    return pd.DataFrame(
        {
            "fact_id": facts["fact_id"].to_numpy(),
            "p_correct": of_greedy / prompts,
            "p_sampled": of_sampled / samples if samples else np.nan,
            "category": category,
            "refused": [any(pattern.search(text) for pattern in refuses) for text in first],
        }
    )


def _pattern(patterns: Sequence[str]) -> list[re.Pattern[str]]:
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern, re.IGNORECASE))
        except re.error as error:
            raise ConfigError(
                f"refusal pattern '{pattern}' is no regular expression: {error}"
            ) from error
    return compiled


def _grid(responses: pd.DataFrame, facts: pd.DataFrame) -> tuple[np.ndarray, pd.MultiIndex]:
    """Return the texts as (facts, responses a fact), and the (prompt, sample) of each column."""
    if responses.empty or facts.empty:
        raise DataError(f"labels: {len(facts)} facts and {len(responses)} responses; both are due")
    if facts["fact_id"].duplicated().any():
        twice = facts.loc[facts["fact_id"].duplicated(), "fact_id"]
        raise DataError(f"facts: {len(twice)} fact_ids are given twice, first: '{twice.iloc[0]}'")
    asked = pd.MultiIndex.from_product(
        [sorted(responses["prompt"].unique()), sorted(responses["sample"].unique())],
        names=["prompt", "sample"],
    )
    if 0 not in asked.levels[1]:
        raise DataError("responses: no greedy answers (sample 0); ask them with the sampled ones")
    row = pd.Index(facts["fact_id"]).get_indexer(responses["fact_id"])
    column = asked.get_indexer(pd.MultiIndex.from_frame(responses[["prompt", "sample"]]))
    strangers = responses["fact_id"][row < 0].nunique()
    given = np.bincount(
        row[row >= 0] * len(asked) + column[row >= 0], minlength=len(facts) * len(asked)
    ).reshape(len(facts), len(asked))
    null = int(responses["text"].isna().sum())
    if strangers or null or (given != 1).any():
        spoilt = facts["fact_id"][(given != 1).any(axis=1)].head(3).tolist()
        raise DataError(
            f"responses: {len(facts)} facts with {len(asked)} responses each are due; "
            f"{int((given == 0).sum())} missing, {int((given > 1).sum())} given more than once, "
            f"{null} null, {strangers} facts unknown"
            f"{f'; first facts: {spoilt}' if spoilt else ''}; ask this run again"
        )
    texts = np.empty(given.shape, dtype=object)
    texts[row, column] = responses["text"].to_numpy()
    return texts, asked
