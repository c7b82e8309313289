from pathlib import Path

import pandas as pd

from knowpack.outlook import outlook

RUNS = pd.DataFrame(
    {
        "model": "m",
        "run": ["uk1-s1", "uk2-s1", "uk4-s1"],
        "rows": [10, 20, 40],
        "epochs": [10, 10, 10],
    }
)


def finished(study: Path, path: str, seconds: float) -> None:
    file = study / "benchmarks" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"s\tmax_rss\n{seconds}\t1\n")


def test_before_the_run_table_there_is_only_the_place(tmp_path: Path) -> None:
    assert outlook(tmp_path, "train", "m", "uk1-s1") == "train m uk1-s1"


def test_the_base_model_is_no_run_of_the_table(tmp_path: Path) -> None:
    RUNS.to_parquet(tmp_path / "runs.parquet")
    assert outlook(tmp_path, "ask facts:", "m", "base") == "ask facts: m base"


def test_the_time_left_is_rows_to_train_and_runs_to_ask(tmp_path: Path) -> None:
    RUNS.to_parquet(tmp_path / "runs.parquet")
    assert outlook(tmp_path, "train", "m", "uk2-s1") == "train m uk2-s1: run 2 of 3"
    finished(tmp_path, "train_adapter/m/uk1-s1.tsv", 100)  # 1 s a row and epoch
    finished(tmp_path, "ask/m/uk1-s1/facts.tsv", 60)
    # (20 + 40) rows x 10 epochs x 1 s + 2 runs x 60 s = 720 s
    assert outlook(tmp_path, "train", "m", "uk2-s1") == (
        "train m uk2-s1: run 2 of 3; about 12 min left"
    )


def test_a_scaled_adapter_is_not_trained(tmp_path: Path) -> None:
    RUNS.assign(strength=[1.0, 1.0, 0.5]).to_parquet(tmp_path / "runs.parquet")
    finished(tmp_path, "train_adapter/m/uk1-s1.tsv", 100)
    finished(tmp_path, "ask/m/uk1-s1/facts.tsv", 60)
    # 20 rows x 10 epochs x 1 s + 2 runs x 60 s = 320 s
    assert outlook(tmp_path, "train", "m", "uk2-s1").endswith("; about 5 min left")
