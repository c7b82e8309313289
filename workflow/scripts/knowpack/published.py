"""The paper's figures beside those of a study (arXiv 2502.14502v3, Tables 1 to 8)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from knowpack.benchmark_names import TABLE_7, TABLE_8
from knowpack.conditions import final_epoch

PUBLISHED = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("paper_model", pa.string(), nullable=False),
        pa.field("table", pa.int64(), nullable=False),
        # Null where the model has no adapter.
        pa.field("unknown", pa.int64()),
        pa.field("extra", pa.string()),
        pa.field("per_unknown", pa.int64()),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("published", pa.float64(), nullable=False),
        pa.field("measured", pa.float64(), nullable=False),
        pa.field("low", pa.float64(), nullable=False),
        pa.field("high", pa.float64(), nullable=False),
        pa.field("difference", pa.float64(), nullable=False),
        pa.field("seeds", pa.int64(), nullable=False),
    ]
)
LLAMA, MISTRAL = "Llama-3.1-8B-Instruct", "Mistral-7B-Instruct-v0.3"
# The paper's settings, by their place in the configuration (method: sections 3 and 4).
PAPER: dict[str, dict[str, Any]] = {
    "prompts": {"count": 10, "shots": 4},
    "asking": {"max_new_tokens": 32},
    "labels": {"match": "substring"},
    "training": {
        "loss": "row",
        "epochs": 10,
        "learning_rate": 1e-3,
        "batch_size": 16,
        "rank": 1,
        "alpha": 2.0,
        "dropout": 0.1,
        "rslora": False,
        "target_modules": ["down_proj", "gate_proj", "up_proj"],
        "method": "lora",
        "patience": 0,
        "extras_from": 1,
        "strength": 1.0,
    },
}
PUBLISHED_FACTS = "s-nlp/"  # whose datasets on the hub the paper's facts are
SHOTS = {"mmlu": 5}  # the paper's other benchmarks have no examples
_CELL = ["unknown", "extra", "per_unknown"]
_REASONS = ["shifts", "non_refusal", "explosion", "target_based", "domain_shift", "explained"]


def read_figures(path: str | Path) -> pd.DataFrame:
    """Read the paper's figures: paper_model, table, unknown, extra, per_unknown, metric, published.

    A count is given as a share of what it was counted in.
    """
    # Only an empty cell is null; pandas would also take "none" in some spellings for it.
    figures = pd.read_csv(
        path,
        dtype={"unknown": "Int64", "per_unknown": "Int64"},
        keep_default_na=False,
        na_values=[""],
    )
    published = figures["value"] / figures["of"].fillna(1)
    return figures.assign(published=published).drop(columns=["value", "of"])


def published(
    tables: Mapping[str, pd.DataFrame],
    runs: pd.DataFrame,
    figures: pd.DataFrame,
    spec: Mapping[str, Any],
) -> pd.DataFrame:
    """Put the paper's figures beside the study's, for every cell that both have.

    A cell is a condition and a metric. Of the study's runs only those with its base training
    settings count, as a run that differs in more than its seed is another condition.

    Args:
        tables: categories, reliability, shifts, answers, shift_reasons, benchmarks.
        runs: the run table.
        figures: from ``read_figures``.
        spec: from `knowpack.specs.published_spec`.

    Returns:
        ``PUBLISHED``, by model and in the order of ``figures``: the mean over seeds with minimum,
        maximum and number, and how far the mean is from the paper's. Counts are shares: of all
        facts or, unique_answers, of all answers.
    """
    papers = [(model, paper_model(model, place)) for model, place in spec["models"].items()]
    asked = pd.DataFrame(papers, columns=["model", "paper_model"]).merge(figures)
    measured = (
        _measured(tables)
        .merge(_with_settings(runs, spec), on=["model", "run"])
        .groupby(["model", *_CELL, "metric"], dropna=False)["value"]
        .agg(measured="mean", low="min", high="max", seeds="count")
        .reset_index()
    )
    table = asked.merge(measured, on=["model", *_CELL, "metric"])
    return table.assign(difference=table["measured"] - table["published"])[PUBLISHED.names]


def paper_model(model: str, place: str) -> str:
    """Return which of the paper's two models stands beside a model of a study."""
    return MISTRAL if "mistral" in f"{model} {place}".lower() else LLAMA


def _with_settings(runs: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Return the condition of the runs with the study's own settings, and of each model itself."""
    settings = PAPER["training"] | spec["training"]  # a lever that is not pulled is not there
    own = [
        all(np.array_equal(run[key], value) for key, value in settings.items())
        for run in runs.to_dict("records")
    ]
    base = pd.DataFrame({"model": list(spec["models"]), "run": "base"})
    every = pd.concat([base, runs.loc[own, ["model", "run", *_CELL]]], ignore_index=True)
    return every.astype({"unknown": "Int64", "per_unknown": "Int64"})


def _measured(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the study's figures as model, run, metric, value; what was not asked is left out."""
    known = tables["categories"]
    facts = known.groupby("model")["facts"].sum()
    # The paper samples no answers, so its Unknown facts hold the WeaklyKnown ones.
    known = known.assign(
        metric="share_" + known["category"].replace("WeaklyKnown", "Unknown"), run="base"
    )
    shares = known.groupby(["model", "run", "metric"])["share"].sum().rename("value").reset_index()
    answers = tables["answers"]
    answers = answers.assign(
        refused=answers["refused"] / facts.loc[answers["model"]].to_numpy(),
        unique_answers=1 / answers["mean_repeats"],
    )
    reasons = tables["shift_reasons"]
    reasons = reasons.assign(shifts=reasons["shifts"] / facts.loc[reasons["model"]].to_numpy())
    reasons = reasons.melt(["model", "run", "direction"], _REASONS, var_name="reason")
    benchmarks = tables["benchmarks"]
    parts = [
        shares,
        _long(final_epoch(tables["reliability"]), ["reliability"]),
        _long(tables["shifts"], ["positive_shift", "negative_shift"]),
        _long(answers, ["refused", "unique_answers", "mean_repeats", "std_repeats"]),
        reasons.assign(metric=reasons["direction"] + "." + reasons["reason"]),
        benchmarks.assign(metric=benchmarks["task"] + " " + benchmarks["metric"]),
    ]
    return pd.concat(
        [
            part[["model", "run", "metric", "value"]].dropna().astype({"value": float})
            for part in parts
        ],
        ignore_index=True,
    )


def _long(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return table.melt(["model", "run"], columns, var_name="metric")


def differences_from_paper(spec: Mapping[str, Any]) -> list[str]:
    """Return where a study differs from the paper, a sentence each, for who compares their figures.

    ``spec`` is what `knowpack.specs.published_spec` says of the configuration.
    """
    said = [
        f"{model} ({place}) is not the paper's {paper}, with which it is compared."
        for model, place in spec["models"].items()
        if (paper := paper_model(model, place)).lower() not in place.lower()
    ]
    facts = spec["facts"]
    number = f"{facts['size']:,}" if "size" in facts else "all"
    source = facts.get("path") or facts.get("dataset")
    place = f"of {source}" if source else "about the world"
    if number != "all" or not str(source).startswith(PUBLISHED_FACTS):
        said.append(f"Asked are {number} facts {place}; the paper's are 21,036 from DBpedia.")
    for section, settings in PAPER.items():
        for key, paper in settings.items():
            if (value := spec[section].get(key, paper)) != paper:
                said.append(f"{section}.{key} is {_text(value)}; the paper's is {_text(paper)}.")
    for benchmark in spec["benchmarks"]:
        task, shots = benchmark["task"], benchmark["shots"] or 0
        if task in TABLE_7 + TABLE_8:
            if shots != SHOTS.get(task, 0):
                said.append(
                    f"{task} is asked with {shots} examples, in the paper {SHOTS.get(task, 0)}."
                )
            if benchmark["limit"]:
                said.append(f"{task} is asked in part; in the paper, whole.")
            if benchmark["chat"]:
                said.append(
                    f"{task} is asked through the chat template; in the paper, as plain text."
                )
    return said


def beside(table: pd.DataFrame) -> str:
    """Return what the printed table is."""
    if table.empty:
        return "The study has no condition in common with the paper."
    return (
        "The paper's figures (arXiv 2502.14502v3) beside the measured ones: mean (minimum to "
        "maximum) of seeds. Counts are shares of all facts; unique answers, of all answers. These "
        "and the repeats depend on how many facts are asked."
    )


def caption(table: pd.DataFrame, spec: Mapping[str, Any]) -> str:
    """Return what stands over the printed table: what it is, and the differences from the paper."""
    return " ".join([beside(table), *differences_from_paper(spec)])


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else f"{value}"
