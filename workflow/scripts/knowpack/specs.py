"""What each rule is given of the configuration: one plain dict, and nothing that it does not use.

Snakemake compares these to decide what to run again (design, rule 4). Files outside the results
stand in them by the digest of their content, so a copy or a clone changes nothing.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

from knowpack.config import Model, Study
from knowpack.config_sources import FactSource, HubFacts, TableFacts
from knowpack.config_training import pulled
from knowpack.files import digest, is_address, locate, locate_all
from knowpack.hub_names import with_known
from knowpack.reword_specs import ask_reworded_spec
from knowpack.runs import draws_known, has_dynamics, run_table, unscaled
from knowpack.task_files import digests, is_file

# How much memory the engine takes, which says nothing of what it answers.
MEMORY = {"kv_cache_gib", "gpu_memory_utilization"}


def model_spec(study: Study, name: str) -> dict[str, Any]:
    """Where model ``name`` comes from."""
    model = _model(study, name)
    return model.model_dump(exclude_none=True, exclude={"name", "prompt"})


def has_categories(facts: FactSource) -> bool:
    """Whether facts come with a category that others found, to be compared with the measured one."""
    if not isinstance(facts, TableFacts | HubFacts):
        return False
    columns = with_known(facts).columns if isinstance(facts, HubFacts) else facts.columns
    return not columns.keys().isdisjoint({"category", "correct"})


def facts_spec(facts: FactSource) -> dict[str, Any]:
    """A source of facts, with digests of the files it reads; a dump has its own in the configuration."""
    if isinstance(facts, HubFacts):
        facts = with_known(facts)
    spec = facts.model_dump(exclude_none=True)
    if "columns" in spec:  # a user's mapping, whose order says nothing
        spec["columns"] = dict(sorted(spec["columns"].items()))
    spec["templates_digests"] = _digests(facts.templates)
    if isinstance(facts, TableFacts):
        spec["path_digest"] = digest(locate(facts.path))
    if isinstance(facts, HubFacts) and not facts.revision:
        spec["dataset_digest"] = _folder_digest(locate(facts.dataset))
    if facts.aliases and facts.aliases.path:
        spec["aliases_digest"] = digest(locate(facts.aliases.path))
    return spec


def fetched(study: Study) -> dict[str, str]:
    """Dumps that are fetched here: addresses by checksum."""
    return {
        facts.sha256: facts.path
        for facts in (study.facts, study.extra_facts)
        if facts and facts.source == "dbpedia" and is_address(facts.path)
    }


def _digests(paths: list[str]) -> list[str]:
    return [digest(path) for path in locate_all(paths)]


def _page_digests(*files: str) -> list[str]:
    return _digests([f"workflow/report/{file}" for file in (*files, "parts.html.j2")])


def _folder_digest(folder: Path) -> str:
    """First 16 digits of one digest over a folder's files, hidden ones left out."""
    whole = sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            whole.update(f"{name.as_posix()} {digest(path)}\n".encode())
    return whole.hexdigest()[:16]


def facts_page_spec(facts: FactSource, title: str) -> dict[str, Any]:
    """What the page of a set of facts says of the configuration."""
    return {
        "title": title,
        "source": facts.source,
        "place": getattr(facts, "path", None) or getattr(facts, "dataset", None),
        "seed": facts.seed,
        "page_digests": _page_digests("facts.html.j2"),
    }


def shots_spec(study: Study) -> dict[str, Any]:
    """Which few-shot examples the prompts show."""
    spec = study.prompts.model_dump(exclude={"system"})
    if study.prompts.pool == "extra_facts":  # an input of the job
        return spec
    return {**spec, "pool_digest": digest(locate(study.prompts.pool))}


def style_spec(study: Study, model: str) -> dict[str, Any]:
    """How a question is put to ``model``."""
    return {"system": study.prompts.system, "style": _model(study, model).prompt}


def ask_spec(
    study: Study, model: str, run: str, suite: str, table: list[dict[str, Any]]
) -> dict[str, Any]:
    """How one run of ``model`` is asked a suite; the base model has no adapter to serve."""
    if suite in study.suites:
        return ask_suite_spec(study, model, run, suite_spec(study, suite), table)
    if suite == "generalization":
        asking = ask_reworded_spec(study)
        return {**asking, **_engine_spec(study, model, run, table), **style_spec(study, model)}
    unused = {"adapter"} if study.asking.samples else {"adapter", "temperature", "seed"}
    asking = study.asking.model_dump(exclude=unused)
    if suite == "dynamics":
        asking["epochs"] = _row(table, model, run)["epochs"]
    return {**asking, **_engine_spec(study, model, run, table), **style_spec(study, model)}


def ask_suite_spec(
    study: Study,
    model: str,
    run: str,
    benchmarks: list[dict[str, Any]],
    table: list[dict[str, Any]],
) -> dict[str, Any]:
    """How one run of ``model`` is asked the benchmarks of a suite, as `suite_spec` has them."""
    return {"suite": benchmarks, **_engine_spec(study, model, run, table)}


def suite_spec(study: Study, suite: str) -> list[dict[str, Any]]:
    """The benchmarks of a suite; a user's own with digests of all files that they are made of."""
    return [
        benchmark.model_dump()
        | ({"digests": digests(benchmark.task)} if is_file(benchmark.task) else {})
        for benchmark in study.suites[suite]
    ]


def _engine_spec(study: Study, model: str, run: str, table: list[dict[str, Any]]) -> dict[str, Any]:
    engine: dict[str, Any] = {"engine": study.engine.model_dump(exclude=MEMORY)}
    if run != "base":
        row = _row(table, model, run)
        # vLLM's kernels know no DoRA.
        engine["adapter"] = "merged" if row["method"] == "dora" else study.asking.adapter
        engine["rank"] = row["rank"]
    return engine


def label_spec(study: Study) -> dict[str, Any]:
    """How answers are judged."""
    return study.labels.model_dump()


def match_spec(study: Study) -> dict[str, Any]:
    """By which rule an answer is right."""
    return study.labels.model_dump(include={"match"})


def select_spec(study: Study, model: str, run: str, table: list[dict[str, Any]]) -> dict[str, Any]:
    """Which facts one run is taught, and how many are held out where its training asks for some."""
    row = _row(table, model, run)
    spec = {key: row[key] for key in ("unknown", "extra", "per_unknown", "seed")}
    spec["facts_seed"] = study.facts.seed
    if row["patience"]:
        spec["held_out"] = row["held_out"]
    if row["extra"] == "replay":
        spec["refusals"] = study.labels.refusals
    return spec


def paraphrase_spec(study: Study, model: str, table: list[dict[str, Any]]) -> dict[str, Any]:
    """What makes the paraphrases of ``model``: templates; or a model, and how many of which facts.

    Templates serve every fact, so their spec does not name the runs: another level changes nothing.
    """
    section, templates = study.paraphrases, study.facts.templates
    if section.model is None:
        return {"templates": templates, "templates_digests": _digests(templates)}
    rows = [row for row in table if row["model"] == model]
    paraphrased = [row for row in rows if row["extra"] == "paraphrase"]
    held_out = study.generalization.wordings if study.generalization else 0
    return {
        **section.model_dump(exclude={"source", "model"}),
        "style": section.model.prompt,
        "unknown": max((row["unknown"] for row in (rows if held_out else paraphrased)), default=0),
        "needed": max((row["per_unknown"] for row in paraphrased), default=0) + held_out,
        "facts_seed": study.facts.seed,
        "engine": study.engine.model_dump(exclude=MEMORY),
    }


def memory_spec(study: Study) -> dict[str, Any]:
    """The rest of the engine's settings, which no job is run again for."""
    return study.engine.model_dump(include=MEMORY)


def train_spec(study: Study, model: str, run: str, table: list[dict[str, Any]]) -> dict[str, Any]:
    """How one run's adapter is trained; levers and ``keep_epochs`` stand there only where pulled."""
    row = _row(table, model, run)
    spec = {**pulled({**row, "strength": 1.0}), "seed": row["seed"]}
    spec.pop("held_out", None)  # they are among the rows
    if row["extra"] == "none":
        spec.pop("extras_from", None)
    if has_dynamics(study, row):
        spec["keep_epochs"] = True
    return {**spec, **style_spec(study, model)}


def scale_spec(study: Study, model: str, run: str, table: list[dict[str, Any]]) -> dict[str, Any]:
    """Which run's adapter one run has, scaled by how much."""
    row = _row(table, model, run)
    return {"of": unscaled(row, study.training), "strength": row["strength"]}


def pooled(study: Study) -> bool:
    """Whether models are asked the extra facts: where HighlyKnown ones may be drawn from them."""
    return bool(study.extra_facts) and any(map(draws_known, run_table(study)))


def needs_pool(study: Study) -> bool:
    """Whether anything is drawn from the extra facts: HighlyKnown ones, or few-shot examples."""
    return pooled(study) or study.prompts.pool == "extra_facts"


def report_spec(study: Study) -> dict[str, Any]:
    """What the report says of the configuration."""
    extra = {"extra_source": study.extra_facts.source} if study.extra_facts else {}
    return {
        "study": study.study,
        "source": study.facts.source,
        **(extra if pooled(study) else {}),
        **({"compared": True} if has_categories(study.facts) else {}),
        **({"generalization": True} if study.generalization else {}),
        **_compared(study),
        "page_digests": _page_digests("report.html.j2", "report.js"),
    }


def published_spec(study: Study) -> dict[str, Any]:
    """The paper's figures, and what must be the paper's too for ours to be compared with them."""
    figures = "resources/published/figures.csv"
    return {
        "figures": figures,
        "figures_digest": digest(locate(figures)),
        **_compared(study),
    }


def prompts_spec(study: Study) -> dict[str, int]:
    """In how many prompts a fact is asked, with how many examples, as captions state it."""
    return study.prompts.model_dump(include={"count", "shots"})


def _compared(study: Study) -> dict[str, Any]:
    """What must be the paper's too for a study's figures to be compared with the paper's."""
    return {
        "models": _places(study),
        "facts": study.facts.model_dump(include={"size", "path", "dataset"}, exclude_none=True),
        "benchmarks": [
            benchmark.model_dump()
            for suite in sorted(study.suites)
            for benchmark in study.suites[suite]
        ],
        "prompts": prompts_spec(study),
        "asking": study.asking.model_dump(include={"max_new_tokens"}),
        "labels": study.labels.model_dump(include={"match"}),
        "training": pulled(study.training.model_dump()),
    }


def _places(study: Study) -> dict[str, str | None]:
    """Where each model comes from, by its name."""
    return {model.name: model.package or model.path or model.repo for model in study.models}


def _model(study: Study, name: str) -> Model:
    return next(model for model in study.every_model if model.name == name)


def _row(table: list[dict[str, Any]], model: str, run: str) -> dict[str, Any]:
    return next(row for row in table if row["model"] == model and row["run"] == run)
