import numpy as np
import pandas as pd
import pytest
import study_frames as study

from knowpack.conditions import (
    differences,
    final_epoch,
    has_settings,
    in_words,
    recipes,
    with_condition,
)
from knowpack.errors import DataError


def test_names_and_order():
    runs = study.runs().sample(frac=1, random_state=0)
    named = with_condition(study.shifts(runs), runs)["condition"]
    assert list(named.cat.categories) == ["no extras", "10 HK", "1 paraphrase"]
    assert named.iloc[0] in named.cat.categories


def test_settings_that_differ_within_a_model_are_named():
    runs = pd.concat(
        [
            study.runs(rank=rank, lr=lr).assign(run=lambda f, r=rank: f["run"] + f"-{r}")
            for rank, lr in ((8, 1e-3), (16, 1e-3), (1, 1e-3))
        ],
        ignore_index=True,
    )
    named = with_condition(study.shifts(runs), runs)["condition"]
    assert list(named.cat.categories)[:4] == [
        "no extras, rank 1",
        "no extras, rank 8",
        "no extras, rank 16",
        "10 HK, rank 1",
    ]


def test_a_value_that_most_runs_have_goes_without_saying():
    tables = [
        study.runs(levels=levels, rank=rank, lr=lr).assign(run=lambda f, n=n: f"{n}" + f["run"])
        for n, (levels, rank, lr) in enumerate(
            [((10, 50), 1, 1e-3), ((50,), 8, 1e-3), ((50,), 16, 2e-3)]
        )
    ]
    runs = pd.concat(tables[:2], ignore_index=True)
    assert list(recipes(runs).cat.categories)[:3] == ["no extras", "no extras, rank 8", "10 HK"]
    runs = pd.concat(tables, ignore_index=True)  # rank 1 is that of half the runs, lr of more
    assert list(recipes(runs).cat.categories)[:3] == [
        "no extras, rank 1",
        "no extras, rank 8",
        "no extras, rank 16, lr 0.002",
    ]


def test_what_one_run_has_for_anothers():
    run = {"model": "m", "run": "r", "unknown": 10, "seed": 1, "rows": 20}
    run |= {"extra": "highly_known", "per_unknown": 1, "rank": 8, "target_modules": ["up"]}
    other = run | {"run": "o", "unknown": 50, "seed": 2, "rows": 100}
    assert differences(run, other) == []
    other |= {"extra": "none", "per_unknown": 0, "target_modules": np.array(["up", "down"])}
    assert differences(run, other) == ["1 HK for no extras", "target modules up for up+down"]
    assert has_settings(run, {"rank": 8, "target_modules": ["up"], "later": 1})
    assert not has_settings(run, {"rank": 1})


def test_of_many_settings_only_unusual_ones_are_named():
    levers = [{}, {}, {"rank": 8, "alpha": 16.0}, {"method": "dora"}, {"strength": 0.5}]
    usual = {"rank": 1, "alpha": 2.0, "method": "lora", "strength": 1.0}
    runs = pd.concat(
        [
            study.runs(levels=(10,), seeds=(number,), **usual | lever)
            for number, lever in enumerate(levers)
        ],
        ignore_index=True,
    )
    named = with_condition(study.shifts(runs), runs)["condition"]
    assert list(named.cat.categories)[:5] == [
        "no extras",
        "no extras, method dora",
        "no extras, strength 0.5",
        "no extras, rank 8, alpha 16",
        "10 HK",
    ]


def test_a_list_is_named_by_its_items():
    runs = study.runs(levels=(10,), seeds=(1,)).drop(columns="rank")
    runs["modules"] = [["up"], np.array(["up", "down"]), ["up"]]
    named = with_condition(study.shifts(runs), runs)["condition"]
    assert named.iloc[1] == "10 HK, modules up+down"


def test_models_may_have_settings_of_their_own():
    runs = pd.concat([study.runs(("m1",), rank=1), study.runs(("m2",), rank=8)])
    named = with_condition(study.shifts(runs), runs)["condition"]
    assert list(named.cat.categories) == ["no extras", "10 HK", "1 paraphrase"]


def test_base_has_no_condition_and_a_stranger_is_an_error():
    runs = study.runs()
    frame = pd.DataFrame({"model": "m1", "run": ["base", runs["run"].iloc[0]]})
    assert with_condition(frame, runs)["condition"].isna().tolist() == [True, False]
    with pytest.raises(DataError, match="run 'other' of model 'm1' is not in the run table"):
        with_condition(frame.replace("base", "other"), runs)


def test_a_cell_in_words():
    assert in_words(1, "none", 0) == "1 fact, no extras"
    assert in_words(3000, "paraphrase", 10) == "3,000 facts, 10 paraphrases"
    assert in_words(float("nan"), None, None) == in_words(pd.NA, None, pd.NA) == "base model"


def test_final_epoch():
    found = final_epoch(study.reliability(study.runs(), epochs=(1, 2, 3)))
    assert set(found["epoch"]) == {3}
    assert len(found) == len(study.runs())
