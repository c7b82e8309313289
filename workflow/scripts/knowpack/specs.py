"""What each rule is given of the configuration: one plain dict, and nothing that it does not use.

Snakemake compares these to decide what to run again (design, rule 4). Files outside the results
stand in them by the digest of their content, so a copy or a clone changes nothing.
"""

from typing import Any

from knowpack.config import Model, Study, TableFacts, Training
from knowpack.files import digest, locate


def model_spec(study: Study, name: str) -> dict[str, Any]:
    """Where model ``name`` comes from."""
    model = _model(study, name)
    return model.model_dump(exclude_none=True, exclude={"name", "prompt"})


def facts_spec(study: Study) -> dict[str, Any]:
    """The source of facts, with digests of the files it reads."""
    spec = study.facts.model_dump(exclude_none=True)
    if study.facts.templates:
        spec["templates_digest"] = digest(locate(study.facts.templates))
    if isinstance(study.facts, TableFacts):
        spec["path_digest"] = digest(locate(study.facts.path))
    return spec


def shots_spec(study: Study) -> dict[str, Any]:
    """Which few-shot examples the prompts show."""
    spec = study.prompts.model_dump(exclude={"system"})
    return {**spec, "pool_digest": digest(locate(study.prompts.pool))}


def style_spec(study: Study, model: str) -> dict[str, Any]:
    """How a question is put to ``model``."""
    return {"system": study.prompts.system, "style": _model(study, model).prompt}


def ask_spec(
    study: Study, model: str, run: str, suite: str, table: list[dict[str, Any]]
) -> dict[str, Any]:
    """How one run of ``model`` is asked a suite; the base model has no adapter to serve."""
    unused = set() if study.asking.samples else {"temperature", "seed"}
    asking = study.asking.model_dump(exclude=unused)
    if run == "base":
        del asking["adapter"]
    else:
        asking["rank"] = _row(table, model, run)["rank"]
    if suite == "dynamics":
        asking["epochs"] = _row(table, model, run)["epochs"]
    return {**asking, "engine": study.engine.model_dump(), **style_spec(study, model)}


def label_spec(study: Study) -> dict[str, Any]:
    """How answers are judged."""
    return study.labels.model_dump()


def select_spec(study: Study, model: str, run: str, table: list[dict[str, Any]]) -> dict[str, Any]:
    """Which facts one run is taught."""
    row = _row(table, model, run)
    spec = {key: row[key] for key in ("unknown", "extra", "per_unknown", "seed")}
    spec["facts_seed"] = study.facts.seed
    if row["extra"] == "paraphrase" and study.facts.templates:
        spec["templates"] = study.facts.templates
        spec["templates_digest"] = digest(locate(study.facts.templates))
    return spec


def train_spec(study: Study, model: str, run: str, table: list[dict[str, Any]]) -> dict[str, Any]:
    """How one run's adapter is trained; ``keep_epochs`` stands there only where it is so."""
    row = _row(table, model, run)
    spec = {key: row[key] for key in (*Training.model_fields, "seed")}
    if row["unknown"] in study.dynamics:
        spec["keep_epochs"] = True
    return {**spec, **style_spec(study, model)}


def report_spec(study: Study) -> dict[str, Any]:
    """What the report says of the configuration."""
    models = {model.name: model.package or model.path or model.repo for model in study.models}
    return {
        "study": study.study,
        "models": models,
        "source": study.facts.source,
        "prompts": study.prompts.model_dump(include={"count", "shots"}),
        "labels": study.labels.model_dump(include={"match"}),
        "training": study.training.model_dump(),
        "page_digest": digest(locate("workflow/report/report.html.j2")),
    }


def _model(study: Study, name: str) -> Model:
    return next(model for model in study.models if model.name == name)


def _row(table: list[dict[str, Any]], model: str, run: str) -> dict[str, Any]:
    return next(row for row in table if row["model"] == model and row["run"] == run)
