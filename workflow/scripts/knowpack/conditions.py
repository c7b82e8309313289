"""The name of a run's condition, as tables and figures print it."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from knowpack.errors import DataError

_EXTRAS = {"none": "no extras", "highly_known": "HK", "paraphrase": "paraphrase"}
_EXTRAS |= {"same_domain": "same-domain HK", "replay": "own answer"}
# How taught facts are asked, beside the question that they were taught in.
KINDS = {"held_out": "held-out wordings", "reversed": "reversed"}
_CELL = ["unknown", "extra", "per_unknown", "seed"]


def with_condition(frame: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Add to ``frame`` (model, run, ...) what its runs stand for.

    Args:
        frame: any table with the columns model and run; run "base" stands for the model itself.
        runs: the run table: model, run, unknown, extra, per_unknown, seed, rows and the settings.

    Returns:
        ``frame`` with unknown, seed and condition of the run table: its recipe, as
        ``recipes`` names it. All three are null for "base".

    Raises:
        DataError: a run is not in the run table.
    """
    named = runs[["model", "run", "unknown", "seed"]].assign(condition=recipes(runs))
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


def recipes(runs: pd.DataFrame) -> pd.Series:
    """Return each run's recipe: all that it is but its level and its seed, in a few words.

    An ordered categorical: the extras ("no extras", "1 HK", "10 paraphrases"), and the settings in
    which the runs of a model differ ("1 HK, rank 8"). A value that more than half of the model's
    runs have is the usual one and goes without saying. Ordered by extra, their number, settings.
    """
    settings = _settings(runs)
    unusual = {name: _unusual(runs[name].map(_value), runs["model"]) for name in settings}
    knobs = [name for name in settings if unusual[name].any()]
    extras = list(_EXTRAS)
    names: list[str] = []
    order: dict[str, Any] = {}
    for place, run in enumerate(runs.to_dict("records")):
        words = [_extras(run["extra"], run["per_unknown"])]
        said = [name for name in knobs if unusual[name].iloc[place]]
        words += [f"{_knob(name)} {_value(run[name])}" for name in said]
        names.append(", ".join(words))
        key = [_place(run[name]) for name in knobs]
        order[names[-1]] = (extras.index(run["extra"]), run["per_unknown"], len(said), key)
    condition = pd.CategoricalDtype(sorted(order, key=lambda name: order[name]), ordered=True)
    return pd.Series(names, index=runs.index, dtype=object).astype(condition)


def differences(run: Mapping[Any, Any], other: Mapping[Any, Any]) -> list[str]:
    """Return what one run has for another's, in words: ["1 HK for no extras", "rank 8 for 1"].

    Both are rows of a run table. Extras come first, then a text for each setting that differs; level
    and seed do not count.
    """
    extras = [_extras(row["extra"], row["per_unknown"]) for row in (run, other)]
    found = [f"{extras[0]} for {extras[1]}"] if extras[0] != extras[1] else []
    for name in _settings(run):
        values = _value(run[name]), _value(other[name])
        if values[0] != values[1]:
            found.append(f"{_knob(name)} {values[0]} for {values[1]}")
    return found


def has_settings(run: Mapping[Any, Any], settings: Mapping[Any, Any]) -> bool:
    """Whether a row of a run table has these settings, as far as they are columns of it."""
    return all(_value(run[name]) == _value(settings[name]) for name in settings if name in run)


def _settings(columns: Iterable[Any]) -> list[str]:
    """The columns of a run table that hold settings."""
    apart = ("model", "run", "rows", "recipe", *_CELL)
    return [str(name) for name in columns if name not in apart]


def _unusual(values: pd.Series, models: pd.Series) -> pd.Series:
    """Whether each value is another than the usual one of its model."""
    sharing = values.groupby([models, values]).transform("size")
    return sharing * 2 <= values.groupby(models).transform("size")


def _knob(name: str) -> str:
    return name.replace("_", " ")


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
