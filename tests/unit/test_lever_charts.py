"""Differences between recipes as charts."""

import pandas as pd
import study_frames as study
from answer_study import fixed, run_table

from knowpack.lever_charts import lever_charts
from knowpack.levers import levers


def test_a_chart_a_measure_with_a_row_a_recipe_and_level():
    runs = study.runs()
    table = study.levers(runs).reset_index(drop=True).astype({"helps": object})
    table.loc[1, ["helps", "low", "high"]] = None
    (chart,) = lever_charts(table, runs)
    assert chart.title == "Reliability, against no extras"
    rows = chart.spec["data"]["values"]
    assert [row["row"] for row in rows] == ["10 HK, 10 facts", "10 HK, 50 facts"]
    assert [row["meaning"] for row in rows] == ["better", "may be chance"]
    assert [row["said"] for row in rows] == ["+0.100 (+0.050 to +0.150)", "+0.100"]
    assert rows[1]["low"] is None


def test_models_have_their_own_and_only_the_plain_recipe_is_set_against():
    runs = study.runs(("m1", "m2"), levels=(10,))
    table = study.levers(runs)
    other = table.assign(recipe="1 paraphrase", against="10 HK", measure="negative_shift")
    worse = table.assign(helps=False, measure="negative_shift")
    charts = lever_charts(pd.concat([table, worse, other], ignore_index=True), runs)
    assert [chart.title for chart in charts] == [
        "m1: Reliability, against no extras",
        "m2: Reliability, against no extras",
        "m1: Negative shift, against no extras",
        "m2: Negative shift, against no extras",
    ]
    rows = charts[3].spec["data"]["values"]
    assert [(row["row"], row["meaning"]) for row in rows] == [("10 HK", "worse")]


def test_a_lever_is_set_against_the_studys_own_recipe_of_its_extras():
    """As in config/levers.yaml: what 1 HK does is no part of what rank 8 does."""
    only_known = {"extras": [("highly_known", 1)], "levels": (10,)}
    runs = pd.concat(
        [
            run_table(levels=(10,)).assign(alpha=2.0),
            run_table(**only_known, rank=8).assign(alpha=16.0),
            run_table(**only_known, rank=8).assign(alpha=2.0),
        ],
        ignore_index=True,
    )
    study = fixed(runs, {"reliability": lambda run: run["rank"] / 100 + run["per_unknown"] / 10})
    charts = lever_charts(levers(study, {"rank": 1, "alpha": 2.0}), runs)
    shown = {
        chart.title: {row["row"]: row["difference"] for row in chart.spec["data"]["values"]}
        for chart in charts
    }
    assert shown == {
        "Reliability, against no extras, rank 1": {"1 HK, rank 1": 0.1},
        "Reliability, against 1 HK, rank 1": {
            "1 HK, rank 8": 0.07,
            "1 HK, rank 8, alpha 16": 0.07,
        },
    }


def test_a_study_of_one_recipe_has_no_charts():
    runs = run_table(levels=(10,), extras=[("none", 0)])
    study = fixed(runs, {"reliability": lambda run: 0.9})
    assert lever_charts(levers(study, {"rank": 1}), runs) == []
