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
        pa.field("peak_memory_mb", pa.float64(), nullable=False),
        pa.field("prompts_per_second", pa.float64()),
        pa.field("tokens_per_second", pa.float64()),
        pa.field("cache_hit_rate", pa.float64()),
        pa.field("device", pa.string(), nullable=False),
    ]
)


def training_cost(run: Mapping[str, Any], record: str) -> dict[str, Any]:
    """One row of `COSTS`, from the adapter's ``run.json``."""
    made = json.loads(Path(record).read_text(encoding="utf-8"))
    rates = {"tokens_per_second": made["tokens_per_second"]}
    return {"rule": "train_adapter", **_job(run, made), **rates}


def asking_cost(run: Mapping[str, Any], responses: str) -> dict[str, Any]:
    """One row of `COSTS`, from the footer of the responses."""
    made = read_metadata(responses)
    rates = {key: float(made[key]) for key in ("prompts_per_second", "cache_hit_rate")}
    return {"rule": "ask", "suite": Path(responses).stem, **_job(run, made), **rates}


def costs(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of `training_cost` and `asking_cost` as a frame of columns `COSTS`."""
    return (
        pd.DataFrame(rows)
        .reindex(columns=COSTS.names)
        .sort_values(["rule", "model", "run", "suite"])
    )


def _job(run: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model": run["model"],
        "run": run["run"],
        "seconds": float(made["job_seconds"]),
        "peak_memory_mb": float(made["peak_memory_mb"]),
        "device": made["device"],
    }
