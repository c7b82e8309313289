"""The run whose adapter is taken home where none is named: of the recipe that carries most facts."""

import pandas as pd

from knowpack.answer import by_capacity
from knowpack.conditions import final_epoch, recipes
from knowpack.errors import ConfigError, DataError


def recommended(
    capacity: pd.DataFrame,
    frontier: pd.DataFrame,
    runs: pd.DataFrame,
    reliability: pd.DataFrame,
    shifts: pd.DataFrame,
    model: str | None = None,
) -> tuple[str, str]:
    """Return the model and the run.

    It is of the recipe that the answer names, at its largest level that meets target and budget; of
    its seeds the most reliable, then the one with the least negative shift, then the first.

    Args:
        capacity: the table of capacity.
        frontier: the table of the frontier.
        runs: the run table.
        reliability: the table of reliability.
        shifts: the table of shifts.
        model: which model's; None where the study has one.

    Raises:
        ConfigError: the study has several models, and none is named.
        DataError: no level of the recipe meets target and budget; names a run that comes near.
    """
    models = sorted(frontier["model"].unique())
    if model is None and len(models) > 1:
        raise ConfigError(f"export.model: say which model's, one of {', '.join(models)}")
    cells = frontier[frontier["model"] == (model or models[0])].sort_values("unknown")
    best = by_capacity(capacity, cells).iloc[0]
    met = cells[cells["meets"]]
    able = met[met["recipe"] == best["recipe"]]
    if len(able):
        chosen = able.iloc[-1]
    else:
        near = met if len(met) else cells.sort_values("harm", ascending=False, kind="stable")
        chosen = near.iloc[-1]
    run = _run(chosen, runs, reliability, shifts)
    if not len(able):
        raise DataError(_none_meets(best, chosen, run))
    return str(chosen["model"]), run


def _run(
    cell: pd.Series, runs: pd.DataFrame, reliability: pd.DataFrame, shifts: pd.DataFrame
) -> str:
    """The run to take of those of a cell of the frontier."""
    named = runs.assign(recipe=recipes(runs).astype(str)).merge(
        cell[["model", "unknown", "recipe"]].to_frame().T.astype({"unknown": "int64"})
    )
    known = ["model", "run"]
    named = named[known].merge(final_epoch(reliability)[[*known, "reliability"]]).merge(shifts)
    order = ["reliability", "negative_shift"]
    return str(named.sort_values(order, ascending=[False, True], kind="stable")["run"].iloc[0])


def _none_meets(best: pd.Series, near: pd.Series, run: str) -> str:
    goal = f"reliability {best['target']:g} with harm {best['budget']:g}"
    if pd.isna(best["capacity"]):
        said = f"no recipe has {goal} at any number of facts; change the section 'capacity'"
    else:
        about = int(best["capacity"])
        said = (
            f"{best['recipe']} has {goal} at about {about:,} facts, between levels that were trained; "
            f"add a level near {about:,} to grid.unknown"
        )
    return (
        f"{said} (docs/capacity.md), or name a run to export all the same, RUN={run} for example: "
        f"{near['recipe']}, reliability {near['reliability']:.3f}, harm {near['harm']:.3f}"
    )
