import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from knowpack.costs import COSTS, asking_cost, costs, training_cost
from knowpack.tables import read_table, write_table

RUN = {"model": "m", "run": "uk10-s1"}


TOOK = {"job_seconds": 62.5, "peak_memory_mb": 3456.8}


@pytest.fixture
def trained(tmp_path: Path) -> dict:
    record = tmp_path / "run.json"
    made = {"tokens_per_second": 812.5, "device": "cpu", "loss": [[1, 2.0]], **TOOK}
    record.write_text(json.dumps(made))
    return training_cost(RUN, str(record))


@pytest.fixture
def asked(tmp_path: Path) -> dict:
    path = tmp_path / "facts.parquet"
    footer = {"prompts": "1500", "seconds": "60.000", "prompts_per_second": "25.0"}
    footer |= {"cache_hit_rate": "0.812", "device": "NVIDIA H200"}
    footer |= {name: str(value) for name, value in TOOK.items()}
    schema = pa.schema([pa.field("fact_id", pa.string())])
    write_table(pd.DataFrame({"fact_id": ["a"]}), path, schema, footer)
    return asking_cost({"model": "m", "run": "base"}, str(path))


def test_what_training_took(trained):
    assert trained == {
        "rule": "train_adapter",
        **RUN,
        "seconds": 62.5,
        "peak_memory_mb": 3456.8,
        "tokens_per_second": 812.5,
        "device": "cpu",
    }


def test_what_asking_took(asked):
    assert asked == {
        "rule": "ask",
        "suite": "facts",
        "model": "m",
        "run": "base",
        "seconds": 62.5,
        "peak_memory_mb": 3456.8,
        "prompts_per_second": 25.0,
        "cache_hit_rate": 0.812,
        "device": "NVIDIA H200",
    }


def test_the_table_has_a_row_a_job(tmp_path: Path, asked, trained):
    dynamics = {**asked, **RUN, "suite": "dynamics"}
    rows = [trained, asked, dynamics, {**dynamics, "suite": "facts"}]
    table = costs(rows)
    write_table(table, tmp_path / "costs.parquet", COSTS)
    back = read_table(tmp_path / "costs.parquet")
    assert back[["rule", "run", "suite"]].fillna("").to_numpy().tolist() == [
        ["ask", "base", "facts"],
        ["ask", "uk10-s1", "dynamics"],
        ["ask", "uk10-s1", "facts"],
        ["train_adapter", "uk10-s1", ""],
    ]
    assert back.tokens_per_second.isna().tolist() == [True, True, True, False]
    pd.testing.assert_frame_equal(
        costs(rows[::-1]).reset_index(drop=True), table.reset_index(drop=True)
    )
