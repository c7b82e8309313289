"""How far a study is, for the person who waits: from what its finished jobs took."""

from pathlib import Path

import pandas as pd

from knowpack.tables import read_table


def outlook(study: Path, rule: str, model: str, run: str) -> str:
    """Return a line such as ``train gemma uk50-s42: run 3 of 6; about 8 min left``.

    ``study`` is the folder of results. The estimate takes a training row's and a run's asking at
    what they took so far; it is left out until both have been seen.
    """
    place = f"{rule} {model} {run}"
    if not (study / "runs.parquet").is_file():
        return place
    runs = read_table(study / "runs.parquet")
    order = [*zip(runs.model, runs.run, strict=True)]
    if (model, run) in order:
        place += f": run {order.index((model, run)) + 1} of {len(order)}"
    trained = _seconds(study, runs, "benchmarks/train_adapter/{}/{}.tsv")
    asked = _seconds(study, runs, "benchmarks/ask/{}/{}/facts.tsv")
    if trained.notna().any() and asked.notna().any():
        work = runs.rows * runs.epochs
        if "strength" in runs:  # a table of before has none
            work = work.where(runs.strength == 1, 0)  # another's adapter, scaled, is not trained
        row = trained.sum() / work[trained.notna()].sum()
        left = row * work[trained.isna()].sum() + asked.mean() * asked.isna().sum()
        place += f"; about {max(1, round(left / 60))} min left"
    return place


def _seconds(study: Path, runs: pd.DataFrame, pattern: str) -> pd.Series:
    """What each run's job took, null where it has not ended."""
    paths = [study / pattern.format(*pair) for pair in zip(runs.model, runs.run, strict=True)]
    return pd.Series(
        [pd.read_csv(path, sep="\t").s.iloc[0] if path.is_file() else None for path in paths],
        dtype="float64",
    )
