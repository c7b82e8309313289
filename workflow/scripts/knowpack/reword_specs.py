"""What the rules are given that ask taught facts otherwise; as `knowpack.specs`, of which it is a part."""

from typing import Any

from knowpack.config import Study
from knowpack.config_answer import Generalization
from knowpack.files import digest, locate_all


def rewordable(study: Study) -> bool:
    """Whether taught facts are asked otherwise: it is asked for, and there may be other wordings."""
    written = study.paraphrases.model is not None
    return study.generalization is not None and (written or bool(study.facts.templates))


def reworded_prompts_spec(study: Study) -> dict[str, int]:
    """In how many prompts taught facts are asked otherwise, with how many examples."""
    fewer = study.generalization and study.generalization.prompts
    return {"count": fewer or study.prompts.count, "shots": study.prompts.shots}


def ask_reworded_spec(study: Study) -> dict[str, Any]:
    """How taught facts are asked otherwise, beside the engine's settings and the prompts' style."""
    longest = study.asking.max_new_tokens
    return {"max_new_tokens": longest, "prompts": reworded_prompts_spec(study)["count"]}


def reword_spec(study: Study, model: str, table: list[dict[str, Any]]) -> dict[str, Any]:
    """What the facts that ``model`` is taught are asked otherwise."""
    section = study.generalization or Generalization()
    rows = [row for row in table if row["model"] == model and row["extra"] == "paraphrase"]
    templates = study.facts.templates if section.reverse else []
    return {
        "wordings": section.wordings,
        "trained": max((row["per_unknown"] for row in rows), default=0),
        "prompts": reworded_prompts_spec(study)["count"],
        "templates": templates,
        "templates_digests": [digest(path) for path in locate_all(templates)],
    }
