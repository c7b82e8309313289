"""The run whose adapter is taken home where none is named: of the recipe that carries most facts."""

import pandas as pd

from knowpack.conditions import final_epoch, recipes
from knowpack.errors import ConfigError, DataError


def recommended(
    frontier: pd.DataFrame,
    runs: pd.DataFrame,
    reliability: pd.DataFrame,
    shifts: pd.DataFrame,
    model: str | None = None,
) -> tuple[str, str]:
    """Return the model and the run.

    It is of the largest level at which the frontier's pick meets target and budget; of its seeds the
    most reliable, then the one with the least negative shift, then the first.

    Args:
        frontier: the table of the frontier.
        runs: the run table.
        reliability: the table of reliability.
        shifts: the table of shifts.
        model: which model's; None where the study has one.

    Raises:
        ConfigError: the study has several models, and none is named.
        DataError: no pick meets target and budget; names the least harmful.
    """
    models = sorted(frontier["model"].unique())
    if model is None and len(models) > 1:
        raise ConfigError(f"export.model: say which model's, one of {', '.join(models)}")
    picks = frontier[frontier["pick"] & (frontier["model"] == (model or models[0]))]
    able = picks[picks["meets"]].sort_values("unknown")
    chosen = (able if len(able) else picks.sort_values("harm", ascending=False)).iloc[-1]
    named = runs.assign(recipe=recipes(runs).astype(str)).merge(
        chosen[["model", "unknown", "recipe"]].to_frame().T.astype({"unknown": "int64"})
    )
    known = ["model", "run"]
    named = named[known].merge(final_epoch(reliability)[[*known, "reliability"]]).merge(shifts)
    best = named.sort_values(
        ["reliability", "negative_shift"], ascending=[False, True], kind="stable"
    ).iloc[0]
    if not len(able):
        raise DataError(
            f"no recipe has reliability {chosen['target']:g} with harm {chosen['budget']:g} at any level; "
            f"name a run to export all the same, RUN={best['run']} for example, which harms least "
            f"({chosen['harm']:.3f}), or change the section 'capacity' (docs/capacity.md)"
        )
    return str(best["model"]), str(best["run"])
