import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowpack.config import load
from knowpack.config_training import Training
from knowpack.errors import ConfigError
from knowpack.runs import run_table, unscaled
from knowpack.runtable import RUNS
from knowpack.tables import read_table, write_table

# Safe as a folder's name, in a shell, in a URL and in Snakemake's wildcards.
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def runs(*grids: dict[str, Any], models: tuple[str, ...] = ("m",), **sections: Any) -> list[dict]:
    values = {
        "study": "s",
        "models": [{"name": name, "source": "folder", "path": "x"} for name in models],
        "facts": {"source": "world", "size": 100},
        "grid": [{"seeds": [42], "unknown": [10], **grid} for grid in grids],
        **sections,
    }
    return run_table(load(values))


def ids(*grids: dict[str, Any], **sections: Any) -> list[str]:
    return [row["run"] for row in runs(*grids, **sections)]


def test_a_run_is_a_level_what_is_mixed_in_and_a_seed():
    grid = {
        "unknown": [50],
        "extra": ["none", "highly_known", "paraphrase"],
        "per_unknown": [1, 10],
    }
    assert [(row["run"], row["rows"]) for row in runs(grid)] == [
        ("uk50-s42", 50),
        ("uk50-hk1-s42", 100),
        ("uk50-hk10-s42", 550),
        ("uk50-pp1-s42", 100),
        ("uk50-pp10-s42", 550),
    ]


def test_a_row_holds_every_setting_of_the_run():
    (row,) = runs({"extra": ["paraphrase"], "training": {"rank": 4}})
    assert row == {
        "model": "m",
        "run": "uk10-pp1-s42-rank4",
        "unknown": 10,
        "extra": "paraphrase",
        "per_unknown": 1,
        "seed": 42,
        "rows": 20,
        "loss": "row",
        "epochs": 10,
        "learning_rate": 0.001,
        "batch_size": 16,
        "rank": 4,
        "alpha": 2.0,
        "dropout": 0.1,
        "rslora": False,
        "target_modules": ["down_proj", "gate_proj", "up_proj"],
        "method": "lora",
        "patience": 0,
        "held_out": 50,
        "extras_from": 1,
        "strength": 1.0,
    }


def test_the_papers_study_is_90_adapters_a_model():
    levels = {"unknown": [1, 10, 50, 100, 500, 3000], "seeds": [42, 1337, 10824]}
    mixed = {"extra": ["highly_known", "paraphrase"], "per_unknown": [1, 10]}
    table = runs(levels, {**levels, **mixed}, models=("a", "b"))
    assert len(table) == 180
    assert max(row["rows"] for row in table) == 33_000
    assert all(row["rows"] == row["unknown"] * (1 + row["per_unknown"]) for row in table)


def test_runs_stand_by_model_level_extra_extras_a_fact_and_seed():
    grid = {
        "unknown": [50, 10],
        "extra": ["paraphrase", "none"],
        "per_unknown": [2, 1],
        "seeds": [7, 5],
    }
    table = runs(grid, models=("b", "a"))
    assert [row["model"] for row in table] == ["a"] * 12 + ["b"] * 12
    of_10 = ["uk10-s5", "uk10-s7", "uk10-pp1-s5", "uk10-pp1-s7", "uk10-pp2-s5", "uk10-pp2-s7"]
    assert [row["run"] for row in table[:6]] == of_10
    assert {row["unknown"] for row in table[6:12]} == {50}


def test_nothing_mixed_in_is_one_run_however_many_are_mixed_in_elsewhere():
    table = runs({"extra": ["none", "highly_known"], "per_unknown": [1, 10]})
    assert [row["per_unknown"] for row in table] == [0, 1, 10]


def test_lists_of_training_keys_are_axes():
    grid = {"training": {"rank": [1, 4], "rslora": [False, True], "epochs": 3}}
    assert ids(grid) == [
        "uk10-s42-epochs3",
        "uk10-s42-epochs3-rsloraTrue",
        "uk10-s42-epochs3-rank4",
        "uk10-s42-epochs3-rank4-rsloraTrue",
    ]


@pytest.mark.parametrize(
    ("training", "ends"),
    [
        ({"learning_rate": [0.0005, "1e-4", 1e-5]}, ["0.0005", "0.0001", "1e-05"]),
        ({"alpha": [4, 0.5, 16.0]}, ["4", "0.5", "16"]),
        ({"target_modules": ["q_proj", "v_proj"]}, ["q_proj+v_proj"]),
        ({"target_modules": [["q_proj"], ["k_proj", "v_proj"]]}, ["q_proj", "k_proj+v_proj"]),
        ({"loss": ["answer"]}, ["answer"]),
    ],
)
def test_ids_of_settings_are_short_and_safe(training, ends):
    (key,) = training
    assert ids({"training": training}) == [f"uk10-s42-{key}{end}" for end in ends]
    assert all(SAFE.fullmatch(run) for run in ids({"training": training}))


def test_levers_are_axes_and_named_where_they_are_pulled():
    assert ids(
        {"extra": ["same_domain", "replay"]},
        {"extra": ["highly_known"], "training": {"method": ["lora", "dora", "loraplus"]}},
        {"extra": ["highly_known"], "training": {"patience": 2}},
        {"extra": ["highly_known"], "training": {"extras_from": 6}},
        {"extra": ["highly_known"], "training": {"strength": [0.5, 1.5]}},
    ) == [
        "uk10-hk1-s42",
        "uk10-hk1-s42-methoddora",
        "uk10-hk1-s42-methodloraplus",
        "uk10-hk1-s42-patience2",
        "uk10-hk1-s42-extras_from6",
        "uk10-hk1-s42-strength0.5",
        "uk10-hk1-s42-strength1.5",
        "uk10-sd1-s42",
        "uk10-rp1-s42",
    ]


def test_when_extras_join_makes_no_run_of_its_own_where_there_are_none():
    grid = {"extra": ["none", "highly_known"], "training": {"extras_from": [1, 6], "rank": [1, 2]}}
    table = runs(grid)
    assert [row["run"] for row in table] == [
        "uk10-s42",
        "uk10-s42-rank2",
        "uk10-hk1-s42",
        "uk10-hk1-s42-rank2",
        "uk10-hk1-s42-extras_from6",
        "uk10-hk1-s42-rank2-extras_from6",
    ]
    assert {row["extras_from"] for row in table if row["extra"] == "none"} == {1}
    late = runs({"training": {"extras_from": 6}}, {"extra": ["highly_known"]})
    assert [row["run"] for row in late] == ["uk10-s42", "uk10-hk1-s42"]


def test_how_many_are_held_out_makes_no_run_of_its_own_without_patience():
    table = runs({"training": {"patience": [0, 2], "held_out": [20, 50]}})
    assert [row["run"] for row in table] == [
        "uk10-s42",
        "uk10-s42-patience2-held_out20",
        "uk10-s42-patience2",
    ]
    assert [row["held_out"] for row in table] == [50, 20, 50]
    (only,) = runs({"training": {"held_out": [20, 30]}})
    assert only["run"] == "uk10-s42"


def test_a_scaled_adapter_is_that_of_the_run_with_strength_1():
    training = {"strength": [0.5, 1.0], "rank": [1, 2]}
    table = runs({"training": training}, training={"strength": 0.5})
    of = {row["run"]: unscaled(row, Training(strength=0.5)) for row in table}
    assert of == {
        "uk10-s42": "uk10-s42-strength1",
        "uk10-s42-rank2": "uk10-s42-rank2-strength1",
        "uk10-s42-strength1": "uk10-s42-strength1",
        "uk10-s42-rank2-strength1": "uk10-s42-rank2-strength1",
    }


def test_a_setting_that_equals_the_studys_own_leaves_no_trace():
    assert ids({"training": {"rank": [4, 8]}}, training={"rank": 8}) == [
        "uk10-s42-rank4",
        "uk10-s42",
    ]


@pytest.mark.parametrize(
    ("grids", "message"),
    [
        (
            [{}, {"unknown": [5, 10]}],
            "grid.1: its run 'uk10-s42' stands in grid.0 too; "
            "remove the value that both hold, or the value that a list holds twice",
        ),
        (
            [{"seeds": [42, 42]}],
            "grid.0: its run 'uk10-s42' stands in grid.0 too; "
            "remove the value that both hold, or the value that a list holds twice",
        ),
        (
            [{"training": {"alpha": [2, 2.0]}}],
            "grid.0: its run 'uk10-s42' stands in grid.0 too; "
            "remove the value that both hold, or the value that a list holds twice",
        ),
        (
            [{}, {"unknown": [5], "training": {"rnak": [1]}}],
            "the configuration cannot be used:\n"
            "  grid.1.training.rnak: unknown key (did you mean 'rank'?)",
        ),
        (
            [{"training": {"rank": [1, -2]}}],
            "the configuration cannot be used:\n  grid.0.training.rank: write 1 or more (found -2)",
        ),
        (
            [{"unknown": [5]}, {"training": {"strength": 0.5}}],
            "grid.1.training.strength: the adapter of 'uk10-s42-strength0.5' is that of 'uk10-s42', "
            "scaled, which no grid has; add 1 to the values of strength",
        ),
        (
            [{"training": {"epochs": [5, 10], "extras_from": 6}}],
            "the configuration cannot be used:\n  grid.0.training: extras_from, 6, is after the last of "
            "5 epochs, so that no extra would be trained; lower it, or raise epochs",
        ),
        (
            [{"training": {"rank": []}}],
            "grid.0.training.rank: write at least one value (found [])",
        ),
    ],
)
def test_grids_that_cannot_be_run(grids, message):
    with pytest.raises(ConfigError) as caught:
        runs(*grids)
    assert str(caught.value) == message


def test_the_run_table_fits_its_columns(tmp_path):
    table = runs({"training": {"rank": [1, 2]}}, models=("a", "b"))
    write_table(pd.DataFrame(table), tmp_path / "runs.parquet", RUNS)
    back = read_table(tmp_path / "runs.parquet").to_dict("records")
    assert [{**row, "target_modules": list(row["target_modules"])} for row in back] == table


SOME = {"min_size": 1, "max_size": 3, "unique": True}


@given(
    unknown=st.lists(st.integers(1, 9999), **SOME),
    extra=st.lists(st.sampled_from(["none", "highly_known", "paraphrase"]), **SOME),
    per_unknown=st.lists(st.integers(1, 99), **SOME),
    seeds=st.lists(st.integers(0, 2**32), **SOME),
    rank=st.lists(st.integers(1, 512), **SOME),
    dropout=st.lists(st.floats(0, 0.99), **SOME),
    learning_rate=st.lists(st.floats(1e-300, 1e300), **SOME),
)
def test_each_condition_is_one_run_with_an_id_of_its_own(
    unknown, extra, per_unknown, seeds, rank, dropout, learning_rate
):
    training = {"rank": rank, "dropout": dropout, "learning_rate": learning_rate}
    grid = {"unknown": unknown, "extra": extra, "per_unknown": per_unknown, "seeds": seeds}
    table = runs({**grid, "training": training})
    kinds = sum(1 if kind == "none" else len(per_unknown) for kind in extra)
    settings = len(rank) * len(dropout) * len(learning_rate)
    assert len(table) == len(unknown) * kinds * len(seeds) * settings
    assert len({row["run"] for row in table}) == len(table)
    assert all(SAFE.fullmatch(row["run"]) and len(row["run"]) < 200 for row in table)
