"""What the rules of tables and figures are given; as `knowpack.specs`, which has those of the others."""

from typing import Any

from knowpack.config import Study
from knowpack.reword_specs import rewordable, reworded_prompts_spec
from knowpack.runs import has_dynamics
from knowpack.specs import pooled, prompts_spec

Rows = list[dict[str, Any]]


def table_specs(study: Study, table: Rows) -> dict[str, dict[str, Any]]:
    """What each rule of a table is given, by its name; ``table`` is the run table."""
    prompts = prompts_spec(study)
    models = [model.name for model in study.models]
    runs, base = _names(table), [[model, "base"] for model in models]
    trained = _names([row for row in table if row["strength"] == 1])
    stopped = _names([row for row in table if row["patience"]])
    dynamics = _names([row for row in table if has_dynamics(study, row)])
    suites = [[model, run] for model, run, _ in benchmarked(study, table)]
    reworded = (runs + base) * rewordable(study)
    known = {"models": models, "prompts": prompts}
    return {
        "table_categories": known,
        "table_published_categories": known,
        "table_reliability": {"dynamics": dynamics, "prompts": prompts}
        | ({"stopped": stopped} if stopped else {}),
        "table_generalization": {"asked": reworded, "prompts": reworded_prompts_spec(study)},
        "table_shifts": {"prompts": prompts},
        "table_answers": {"runs": runs + base, "prompts": prompts},
        "table_benchmarks": {"asked": suites},
        "table_capacity": {
            "asked": [list(names) for names in benchmarked(study, table)],
            "training": study.training.model_dump(),
            **study.capacity.model_dump(),
        },
        "table_costs": {
            "trained": trained,
            "asked": runs + base + dynamics + suites + base * pooled(study) + reworded,
        },
    }


def figure_spec(study: Study, figure: str) -> dict[str, Any]:
    """What a figure's caption states of the configuration."""
    of_rewordings = figure == "generalization_by_unknown"
    return {"prompts": reworded_prompts_spec(study) if of_rewordings else prompts_spec(study)}


def benchmarked(study: Study, table: Rows) -> list[tuple[str, str, str]]:
    """The model, run and suite of everything that is asked benchmarks."""
    asked = [(row["model"], row["run"]) for row in table]
    asked += [(model.name, "base") for model in study.models]
    return [(model, run, suite) for model, run in asked for suite in sorted(study.suites)]


def _names(rows: Rows) -> list[list[str]]:
    """The model and run of each row of the run table."""
    return [[row["model"], row["run"]] for row in rows]
