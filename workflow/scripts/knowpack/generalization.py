"""Learned or only memorised: the taught facts in other wordings, and back from the object."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from knowpack.runtable import CONDITION

GENERALIZATION = pa.schema(
    [
        *CONDITION[:2],
        *[field.with_nullable(True) for field in CONDITION[2:]],  # null: the model itself
        pa.field("kind", pa.string(), nullable=False),
        pa.field("wordings", pa.int64(), nullable=False),
        pa.field("p_correct", pa.float64(), nullable=False),
        pa.field("reliability", pa.float64(), nullable=False),
        pa.field("base", pa.float64(), nullable=False),
        pa.field("facts", pa.int64(), nullable=False),
    ]
)


def generalization(
    runs: pd.DataFrame, labels: Sequence[tuple[str, str, pd.DataFrame]]
) -> pd.DataFrame:
    """Return columns `GENERALIZATION`, a row a run and kind, the model itself as run "base".

    ``p_correct`` is the mean over facts of the mean over their wordings; ``reliability`` that of the
    same facts in the same prompts, in the question that they were taught in; ``base`` is what the
    model itself has of ``p_correct``, asked the same; ``facts`` is how many could be asked so, and
    ``wordings`` in how many wordings at most. A run of which no fact could has no row.

    Args:
        runs: the run table: model, run, unknown, extra, per_unknown, seed.
        labels: (model, run, columns of `knowpack.reworded_labels.REWORDED_LABELS`) of every run,
            and of every model itself.
    """
    base = {model: frame for model, run, frame in labels if run == "base"}
    rows = [
        {"model": model, "run": run, "kind": kind, **_of_kind(frame, base[model], str(kind))}
        for model, run, frame in labels
        for kind in sorted(set(frame["kind"]) - {"trained"})
    ]
    table = pd.DataFrame(rows, columns=[*GENERALIZATION.names[:2], *GENERALIZATION.names[6:]])
    table = table.merge(runs[[field.name for field in CONDITION]], "left", ["model", "run"])
    for name in ("unknown", "per_unknown", "seed"):
        table[name] = table[name].astype("Int64")
    return table[GENERALIZATION.names]


def _of_kind(labels: pd.DataFrame, base: pd.DataFrame, kind: str) -> dict[str, float]:
    asked = labels[labels["kind"] == kind].groupby("fact_id")["p_correct"]
    before = base[base["kind"] == kind].groupby("fact_id")["p_correct"].mean()
    taught = labels[labels["kind"] == "trained"].set_index("fact_id")["p_correct"]
    return {
        "wordings": int(asked.size().max()),
        "p_correct": asked.mean().mean(),
        "reliability": taught.loc[asked.mean().index].mean(),
        "base": before.loc[asked.mean().index].mean(),
        "facts": asked.ngroups,
    }
