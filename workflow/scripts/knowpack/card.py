"""The card of an adapter: what it was taught, how well, at what cost, and how to ask it.

A card is Markdown with metadata that the Hugging Face hub reads
(https://huggingface.co/docs/hub/model-cards). Whatever a study's data hold is only text in it.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd
import yaml

from knowpack.conditions import KINDS, final_epoch
from knowpack.errors import DataError
from knowpack.markup import escape_markdown
from knowpack.plain_text import settings
from knowpack.prompts import Prompter, Shots
from knowpack.tables import read_table

EXAMPLES = 10  # of taught facts
QUESTION = "{question}"
EXTRAS = {
    "highly_known": "facts that the model knew",
    "paraphrase": "paraphrases of the questions",
    "same_domain": "facts of the same domains that the model knew",
    "replay": "questions with the model's own answers",
}


class Markdown(str):
    """Text that is Markdown already; all other text in a card is escaped."""


class Prompts(NamedTuple):
    """How a model is asked: the texts that it sees, and what ends an answer."""

    trained: str  # as it was trained, `QUESTION` being the question's place
    shown: str  # a question as it was asked, with few-shot examples
    special: bool  # whether the tokenizer adds its special tokens, which the text does not hold
    stop: list[str]


def prompts_of(prompter: Prompter, shots: Shots, question: str) -> Prompts:
    """Return the texts of which `Prompter` makes tokens; the examples are those of one prompt."""
    render: Callable[..., str] = prompter._prompt  # the text itself, which only a card shows
    return Prompts(render([], QUESTION), render(shots, question), not prompter.chat, prompter.stop)


def compose(
    template: Path, folder: Path, model: str, run: str, prompts: Prompts, spec: Mapping[str, Any]
) -> str:
    """Return the card of one run's adapter.

    Args:
        template: workflow/report/adapter.md.j2.
        folder: the study's folder of results.
        model: the model's name in the study.
        run: the run's name.
        prompts: how it is asked; the question shown in them is `asked_first`'s.
        spec: `knowpack.export_specs.export_spec`; and made (the adapter's run.json), config (its
            adapter_config.json), files (of model.json), adapter (the weights' SHA-256).

    Raises:
        DataError: a table has no row of the run.
    """
    of_run = _of_run(folder, model, run, spec["generalization"])
    taught = taught_facts(folder, model, run)
    known = taught[taught["role"] == "unknown"]
    config = spec["config"]
    return _render(
        template,
        front=Markdown(front_matter(spec)),
        model=model,
        run=run,
        spec=spec,
        prompts=prompts,
        taught=len(known),
        relations=known["relation"].dropna().value_counts().sort_index().to_dict(),
        extras=EXTRAS.get(of_run["condition"]["extra"]),
        rows=len(taught),
        examples=known.head(EXAMPLES).to_dict("records"),
        question=asked_first(taught),
        training=settings(spec["made"]["spec"]),
        lora=config["peft_type"] == "LORA" and not config.get("use_dora"),
        slot=max(8, config.get("r", 8)),
        kinds=KINDS,
        **of_run,
    )


def front_matter(spec: Mapping[str, Any]) -> str:
    """Return the card's metadata as YAML; the licence is the user's to choose."""
    merged = spec["merged"]
    about = {
        "base_model": spec["base_model"],
        "base_model_relation": "finetune" if merged else "adapter",
        "library_name": "transformers" if merged else "peft",
        "pipeline_tag": "text-generation",
        "tags": ["lora", "knowledge", "knowpack"],
    }
    return str(yaml.safe_dump(about, sort_keys=False, allow_unicode=True))


def taught_facts(folder: Path, model: str, run: str) -> pd.DataFrame:
    """Return what a run was trained on, in its order.

    Columns: fact_id, role, relation, question, answer, and p_correct, how well the adapter knows the
    fact in the end (null where it was not asked).
    """
    rows = read_table(folder / model / run / "rows.parquet")
    labels = read_table(folder / model / run / "labels.parquet", ["fact_id", "p_correct"])
    facts = read_table(folder / "facts.parquet", ["fact_id", "relation"])
    whole = (
        rows[rows["role"] != "held_out"]
        .sort_values("position")
        .merge(facts, "left", "fact_id")
        .merge(labels, "left", "fact_id")
    )
    return whole[["fact_id", "role", "relation", "question", "answer", "p_correct"]]


def asked_first(taught: pd.DataFrame) -> str:
    """Return the question with which a card shows how to ask: the first that is known best."""
    known = taught[taught["role"] == "unknown"]
    return str(known.sort_values("p_correct", ascending=False, kind="stable")["question"].iloc[0])


def fenced(text: str, language: str = "") -> Markdown:
    """Return a block of code that holds ``text`` whatever it is."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    kept = "".join(mark if mark.isprintable() or mark == "\n" else "\ufffd" for mark in text)
    return Markdown(f"{fence}{language}\n{kept}\n{fence}")


def _of_run(folder: Path, model: str, run: str, asked_otherwise: bool) -> dict[str, Any]:
    """The run's rows of the study's tables."""

    def rows(name: str, run: str = run) -> pd.DataFrame:
        table = read_table(folder / "tables" / f"{name}.parquet")
        return table[(table["model"] == model) & (table["run"] == run)]

    reliability, shifts = final_epoch(rows("reliability")), rows("shifts")
    if reliability.empty or shifts.empty:
        raise DataError(f"run '{run}' of '{model}' is not in the study's tables; make them again")
    after, before = rows("benchmarks"), rows("benchmarks", "base")
    benchmarks = after.merge(before, on=["task", "metric"], suffixes=("", "_before"))
    benchmarks["change"] = benchmarks["value"] - benchmarks["value_before"]
    return {
        "condition": reliability.iloc[0].to_dict(),
        "shifts": shifts.iloc[0].to_dict(),
        "facts": int(shifts.filter(regex="^[umh]k_[umh]k$").sum(axis="columns").iloc[0]),
        "known": int(shifts.filter(regex="^[mh]k_[umh]k$").sum(axis="columns").iloc[0]),
        "benchmarks": benchmarks.to_dict("records"),
        "otherwise": rows("generalization").to_dict("records") if asked_otherwise else [],
    }


def _render(template: Path, **values: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        finalize=lambda value: value if isinstance(value, Markdown) else escape_markdown(value),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "fenced": fenced,
        "literal": lambda value: Markdown(repr(value)),
        "share": lambda value, digits=2: f"{value:.{digits}f}",
    }
    return environment.get_template(template.name).render(**values)
