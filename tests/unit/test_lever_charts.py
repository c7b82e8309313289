"""Differences between recipes as charts."""

import pandas as pd
import study_frames as study

from knowpack.lever_charts import lever_charts


def test_a_chart_a_measure_with_a_row_a_recipe_and_level():
    table = study.levers(study.runs()).reset_index(drop=True).astype({"helps": object})
    table.loc[1, ["helps", "low", "high"]] = None
    (chart,) = lever_charts(table)
    assert chart.title == "Reliability"
    rows = chart.spec["data"]["values"]
    assert [row["row"] for row in rows] == ["10 HK, 10 facts", "10 HK, 50 facts"]
    assert [row["meaning"] for row in rows] == ["better", "may be chance"]
    assert [row["said"] for row in rows] == ["+0.100 (+0.050 to +0.150)", "+0.100"]
    assert rows[1]["low"] is None


def test_models_have_their_own_and_only_the_plain_recipe_is_set_against():
    table = study.levers(study.runs(("m1", "m2"), levels=(10,)))
    other = table.assign(recipe="1 paraphrase", against="10 HK", measure="negative_shift")
    worse = table.assign(helps=False, measure="negative_shift")
    charts = lever_charts(pd.concat([table, worse, other], ignore_index=True))
    assert [chart.title for chart in charts] == [
        "m1: Reliability",
        "m2: Reliability",
        "m1: Negative shift",
        "m2: Negative shift",
    ]
    rows = charts[3].spec["data"]["values"]
    assert [(row["row"], row["meaning"]) for row in rows] == [("10 HK", "worse")]
