"""The run table: every adapter of a study is one row of it, and nothing is parsed back out of a name.

Imported while Snakemake builds its graph, so it needs pydantic and the standard library only.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

from knowpack.config import Study
from knowpack.config_training import KNOWN, Grid, Training, check_training
from knowpack.errors import ConfigError

SHORT = {"none": "", "highly_known": "-hk", "paraphrase": "-pp"}
SHORT |= {"same_domain": "-sd", "replay": "-rp"}


def run_table(study: Study) -> list[dict[str, Any]]:
    """Return one row a run: model, run, unknown, extra, per_unknown, seed, rows, training settings.

    Sorted by model, level, extra, extras a fact, seed, then the order of the configuration. Column
    ``rows`` is the number of training rows, unknown x (1 + per_unknown) (paper, section 4).

    Raises:
        ConfigError: two conditions are the same run, a grid's training keys are wrong, or a run's
            adapter is a scaled one of a run that no grid has.
    """
    table: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for index, grid in enumerate(study.grid):
        for condition in _conditions(study.training, grid, f"grid.{index}.training"):
            run = run_id(condition, study.training)
            if run in seen:
                raise ConfigError(
                    f"grid.{index}: its run '{run}' stands in grid.{seen[run]} too; "
                    "remove the value that both hold, or the value that a list holds twice"
                )
            seen[run] = index
            table += [{"model": model.name, "run": run, **condition} for model in study.models]
    for row in table:
        if (run := unscaled(row, study.training)) not in seen:
            raise ConfigError(
                f"grid.{seen[row['run']]}.training.strength: the adapter of '{row['run']}' is that of "
                f"'{run}', scaled, which no grid has; add 1 to the values of strength"
            )
    order = list(SHORT)
    return sorted(
        table,
        key=lambda row: (
            row["model"],
            row["unknown"],
            order.index(row["extra"]),
            row["per_unknown"],
            row["seed"],
        ),
    )


def run_id(condition: dict[str, Any], base: Training) -> str:
    """Return a run's folder name, such as ``uk50-hk10-s42``, with any setting that differs from ``base``."""
    parts = f"uk{condition['unknown']}{SHORT[condition['extra']]}"
    parts += f"{condition['per_unknown'] or ''}-s{condition['seed']}"
    for key, value in base.model_dump().items():
        if condition[key] != value:
            text = "+".join(condition[key]) if isinstance(value, list) else str(condition[key])
            parts += f"-{key}{text.removesuffix('.0')}"
    return parts


def unscaled(row: dict[str, Any], base: Training) -> str:
    """Return the run whose adapter a run has, scaled by its strength; of strength 1, it is the run itself."""
    return run_id({**row, "strength": 1.0}, base)


def draws_known(row: dict[str, Any]) -> bool:
    """Whether HighlyKnown facts are drawn for a run: as its extras, or to be held out."""
    return row["extra"] in KNOWN or row["patience"] > 0


def has_dynamics(study: Study, row: dict[str, Any]) -> bool:
    """Whether a run is asked after every epoch.

    One that keeps its best epoch's adapter has others after it, and a scaled one has no epochs.
    """
    return row["unknown"] in study.dynamics and not row["patience"] and row["strength"] == 1


def _conditions(base: Training, grid: Grid, where: str) -> Iterator[dict[str, Any]]:
    """Every condition of one grid, with its full training settings."""
    axes = {key: _axis(key, value) for key, value in grid.training.items()}
    empty = [key for key, values in axes.items() if not values]
    if empty:
        raise ConfigError(f"{where}.{empty[0]}: write at least one value (found [])")
    for values in product(*axes.values()):
        given = dict(zip(axes, values, strict=True))
        training = check_training(given, base, where).model_dump()
        for unknown, extra, seed in product(grid.unknown, grid.extra, grid.seeds):
            idle = _idle(extra, training)
            if any(given[key] != axes[key][0] for key in idle & axes.keys()):
                continue  # the run with the first value stands for all
            for per_unknown in [0] if extra == "none" else grid.per_unknown:
                yield {
                    "unknown": unknown,
                    "extra": extra,
                    "per_unknown": per_unknown,
                    "seed": seed,
                    "rows": unknown * (1 + per_unknown),
                    **training,
                    **{key: getattr(base, key) for key in idle},
                }


def _idle(extra: str, training: dict[str, Any]) -> set[str]:
    """Return the training keys that say nothing: of extras where there are none, of what patience needs."""
    idle = {"extras_from"} if extra == "none" else set()
    return idle if training["patience"] else idle | {"held_out"}


def _axis(key: str, value: Any) -> list[Any]:
    """The values that a training key takes in a grid (one setting of modules is itself a list)."""
    if key == "target_modules":
        return value if value and isinstance(value[0], list) else [value]
    return value if isinstance(value, list) else [value]
