"""What each job that needs the model took."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from knowpack.tables import read_metadata

COSTS = pa.schema(
    [
        pa.field("rule", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("run", pa.string(), nullable=False),
        pa.field("suite", pa.string()),
        pa.field("seconds", pa.float64(), nullable=False),
        pa.field("peak_memory_mb", pa.float64()),  # null where a job ended before it was measured
        pa.field("prompts_per_second", pa.float64()),
        pa.field("tokens_per_second", pa.float64()),
        pa.field("cache_hit_rate", pa.float64()),
        pa.field("device", pa.string(), nullable=False),
    ]
)


def training_cost(run: Mapping[str, Any], benchmark: str, record: str) -> dict[str, Any]:
    """One row of `COSTS`, from Snakemake's benchmark file and the adapter's ``run.json``."""
    made = json.loads(Path(record).read_text(encoding="utf-8"))
    rates = {key: made[key] for key in ("tokens_per_second", "device")}
    return {"rule": "train_adapter", **_job(run, benchmark), **rates}


def asking_cost(run: Mapping[str, Any], benchmark: str, responses: str) -> dict[str, Any]:
    """One row of `COSTS`, from Snakemake's benchmark file and the footer of the responses."""
    made = read_metadata(responses)
    rates = {key: float(made[key]) for key in ("prompts_per_second", "cache_hit_rate")}
    suite = Path(responses).stem
    return {
        "rule": "ask",
        "suite": suite,
        **_job(run, benchmark),
        **rates,
        "device": made["device"],
    }


def costs(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of `training_cost` and `asking_cost` as a frame of columns `COSTS`."""
    return (
        pd.DataFrame(rows)
        .reindex(columns=COSTS.names)
        .sort_values(["rule", "model", "run", "suite"])
    )


def _job(run: Mapping[str, Any], benchmark: str) -> dict[str, Any]:
    measured = pd.read_csv(benchmark, sep="\t").iloc[0]
    memory = pd.to_numeric(measured["max_rss"], errors="coerce")  # in MB; "NA" for very short jobs
    return {
        "model": run["model"],
        "run": run["run"],
        "seconds": float(measured["s"]),
        "peak_memory_mb": float(memory),
    }
