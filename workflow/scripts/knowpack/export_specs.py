"""Which adapter is taken home, and what the rules that export it are given of the configuration.

Imported while Snakemake builds its graph: torch and its kin are not.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from knowpack.config import Study
from knowpack.config_sources import Model
from knowpack.errors import ConfigError, suggest
from knowpack.files import digest, locate
from knowpack.reword_specs import rewordable

CARD = "workflow/report/adapter.md.j2"
MOST = 20  # runs that a message names


def check_export(study: Study, table: Sequence[dict[str, Any]]) -> None:
    """Refuse a run or model to export that the study does not have.

    Raises:
        ConfigError: as `exported`.
    """
    exported(study, table)


def exported(study: Study, table: Sequence[dict[str, Any]]) -> tuple[str, str] | None:
    """Return the model and the run whose adapter is taken home; None where no run is named.

    ``table`` is the run table (`knowpack.runs.run_table`).

    Raises:
        ConfigError: there is no such model or run, or several models have it.
    """
    run, model = study.export.run, study.export.model
    models = sorted({row["model"] for row in table})
    if model is not None and model not in models:
        raise ConfigError(
            f"export.model: there is no model '{model}'{suggest(model, models)}; {_one_of(models)}"
        )
    runs = list(dict.fromkeys(row["run"] for row in table if model in (None, row["model"])))
    if run is None:
        return None
    if run not in runs:
        raise ConfigError(
            f"export.run: there is no run '{run}'{suggest(run, runs)}; {_one_of(runs)}"
        )
    models = [row["model"] for row in table if row["run"] == run and model in (None, row["model"])]
    if len(models) > 1:
        raise ConfigError(f"export.model: several models have a run '{run}'; {_one_of(models)}")
    return models[0], run


def export_spec(study: Study, model: str, merged: bool) -> dict[str, Any]:
    """What the exported adapter of a run of ``model`` and its card say of the configuration."""
    source = next(known for known in study.models if known.name == model)
    return {
        "study": study.study,
        "base_model": study.export.base_model or _public_name(source),
        "revision": None if study.export.base_model else source.revision,
        "place": study.export.base_model or source.repo or f"../../{model}/model",
        "merged": merged,
        "system": study.prompts.system,
        "style": source.prompt,
        "count": study.prompts.count,
        "shots": study.prompts.shots,
        "max_new_tokens": study.asking.max_new_tokens,
        "match": study.labels.match,
        "dtype": study.engine.dtype,
        "max_model_len": study.engine.max_model_len,
        "generalization": rewordable(study),
        "card_digest": digest(locate(CARD)),
    }


def _public_name(model: Model) -> str:
    """The name by which others know a model: never where it lies on this machine."""
    return model.repo or model.package or Path(model.path or model.name).name


def _one_of(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"one of {', '.join(names[:MOST])}{more}"
