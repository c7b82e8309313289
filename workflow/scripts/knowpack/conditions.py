"""The name of a run's condition, as tables and figures print it."""

from typing import Any

import numpy as np
import pandas as pd

from knowpack.errors import DataError

_EXTRAS = {"none": "no extras", "highly_known": "HK", "paraphrase": "paraphrase"}
_EXTRAS |= {"same_domain": "same-domain HK", "replay": "own answer"}
_CELL = ["unknown", "extra", "per_unknown", "seed"]


def with_condition(frame: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Add to ``frame`` (model, run, ...) what its runs stand for.

    Args:
        frame: any table with the columns model and run; run "base" stands for the model itself.
        runs: the run table: model, run, unknown, extra, per_unknown, seed, rows and the settings.

    Returns:
        ``frame`` with unknown, seed and condition of the run table: an ordered categorical such as
        "no extras", "1 HK", "10 paraphrases", followed by the settings in which the runs of a
        model differ ("1 HK, rank 8"); of more than two, by those that are not as in most runs. All
        three are null for "base".

    Raises:
        DataError: a run is not in the run table.
    """
    named = runs[["model", "run", "unknown", "seed"]].assign(condition=_conditions(runs))
    kept = frame[[name for name in frame if name in ("model", "run") or name not in named]]
    merged = kept.merge(named, how="left", on=["model", "run"], validate="many_to_one")
    lost = merged.loc[merged["condition"].isna() & (merged["run"] != "base"), ["model", "run"]]
    if not lost.empty:
        model, run = lost.iloc[0]
        raise DataError(f"run '{run}' of model '{model}' is not in the run table; make both again")
    return merged


def in_words(unknown: Any, extra: Any, per_unknown: Any) -> str:
    """Return a cell of a table in words, "10 facts, 1 HK"; nulls are the model itself."""
    if pd.isna(unknown):
        return "base model"
    facts = "1 fact" if unknown == 1 else f"{int(unknown):,} facts"
    return f"{facts}, {_extras(extra, int(per_unknown))}"


def _conditions(runs: pd.DataFrame) -> pd.Series:
    """Return each run's condition, ordered by extra, their number, and the settings."""
    settings = [str(name) for name in runs if name not in ("model", "run", "rows", *_CELL)]
    of_model = runs[settings].map(str).groupby(runs["model"])
    knobs = [name for name in settings if (of_model[name].nunique() > 1).any()]
    usual = {name: runs[name].map(str).mode()[0] for name in knobs} if len(knobs) > 2 else {}
    extras = list(_EXTRAS)
    names, order = [], {}
    for run in runs.to_dict("records"):
        words = [_extras(run["extra"], run["per_unknown"])]
        unusual = [knob for knob in knobs if str(run[knob]) != usual.get(knob)]
        words += [f"{knob.replace('_', ' ')} {_value(run[knob])}" for knob in unusual]
        names.append(", ".join(words))
        place = [(knob in unusual, *_place(run[knob])) for knob in knobs]
        order[names[-1]] = (extras.index(run["extra"]), run["per_unknown"], place)
    condition = pd.CategoricalDtype(sorted(order, key=lambda name: order[name]), ordered=True)
    return pd.Series(names, index=runs.index, dtype=object).astype(condition)


def _extras(extra: str, per_unknown: int) -> str:
    if extra == "none":
        return _EXTRAS["none"]
    plural = "s" if extra in ("paraphrase", "replay") and per_unknown > 1 else ""
    return f"{per_unknown} {_EXTRAS[extra]}{plural}"


def _value(value: Any) -> str:
    if isinstance(value, (list, np.ndarray)):
        return "+".join(str(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _place(value: Any) -> tuple[float, str]:
    """Return a sort key: numbers by size, everything else by its text after them."""
    return (value, "") if isinstance(value, (int, float)) else (float("inf"), str(value))


def final_epoch(reliability: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the reliability table that belong to each run's last epoch."""
    last = reliability.groupby(["model", "run"])["epoch"].transform("max")
    return reliability[reliability["epoch"] == last]
