"""The figures that move have what the printed ones have: values, recipes, the model itself."""

from typing import Any

import pandas as pd
import pytest
import study_frames as study
import vl_convert

from knowpack import charts, panels
from knowpack.legend import legend

RECIPES = ["no extras", "10 HK", "1 paraphrase"]


def layers(spec: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == kind]


def rows(spec: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(spec["data"]["values"])


def test_by_unknown_has_means_and_bands_over_seeds():
    runs = study.runs(("m1", "m2"))
    drawn = charts.by_unknown(panels.shifts_by_unknown(study.shifts(runs), runs), share=True)
    assert [chart.title for chart in drawn[:2]] == ["m1: positive shift", "m1: negative shift"]
    found = rows(drawn[0].spec)
    assert found["recipe"].unique().tolist() == RECIPES
    assert found["unknown"].tolist() == [10, 50] * 3
    assert set(found["said"]) == {"0.015 (0.010–0.020) of 2 seeds"}
    assert found.groupby("unknown")["at"].nunique().tolist() == [3, 3]  # none hides another
    assert [len(layers(drawn[0].spec, kind)) for kind in ("area", "line", "point")] == [1, 1, 1]
    # Nothing differs between seeds.
    assert layers(drawn[1].spec, "area") == []
    tops = {chart.spec["layer"][1]["encoding"]["y"]["scale"]["domain"][1] for chart in drawn}
    assert tops == {0.525}


def test_one_seed_is_not_said_to_be_a_mean():
    runs = study.runs(seeds=(1,))
    found = charts.by_unknown(panels.reliability_by_unknown(study.reliability(runs), runs), True)
    assert set(rows(found[0].spec)["said"]) == {"0.400"}


def test_the_model_itself_has_a_line_and_its_standard_error_a_band():
    runs = study.runs()
    table = study.benchmarks(runs, [("mmlu", "acc"), ("reasoning", "acc")])
    first, second = charts.by_unknown(panels.benchmarks_by_unknown(table, runs))
    assert (first.title, second.title) == ("MMLU", "Reasoning")
    assert layers(first.spec, "rule")[0]["data"]["values"] == [{"base": 0.6}]
    band = layers(first.spec, "rect")[0]["data"]["values"][0]
    assert (band["low"], band["high"]) == (pytest.approx(0.596), pytest.approx(0.604))


def test_frontier_has_both_intervals_and_what_the_harm_is():
    runs = study.runs()
    table = study.frontier(runs)
    table["harm"] = table["drop"].where(table["unknown"] == 50, table["negative_shift"])
    table.loc[table["unknown"] == 50, ["negative_shift", "harm", "drop"]] = [0.0, 0.25, 0.25]
    table.loc[table["recipe"] == "10 HK", ["reliability_low", "reliability_high"]] = None
    (chart,) = charts.frontier(panels.frontier(table, runs), (0.3, 0.9))
    found = rows(chart.spec).set_index(["recipe", "unknown"])
    few, many = found.loc["no extras", 10], found.loc["no extras", 50]
    assert few["harmed"] == "0.050 (0.050–0.050), negative shift"
    assert many["harmed"] == "0.250 (0.020–0.020), mmlu"
    assert few["answers"] == "0.950 (0.950–0.950)"
    assert found.loc["10 HK", 10]["answers"] == "0.950"
    assert chart.spec["data"]["values"][1]["reliability_low"] is None  # JSON has no NaN
    corner = layers(chart.spec, "rect")[0]["data"]["values"]
    assert corner == [{"x": 0.0, "x2": 0.1, "y": 0.9, "y2": 1.0}]


def test_a_recipe_looks_the_same_in_every_figure():
    runs = study.runs()
    every = legend(panels.reliability_by_unknown(study.reliability(runs), runs))
    assert [mark.recipe for mark in every] == RECIPES
    assert len({mark[1:3] for mark in every}) == 3
    table = study.reliability(runs)
    some = legend(panels.reliability_by_unknown(table[table["extra"] != "none"], runs))
    assert some == every[1:]


def test_vega_takes_them_as_they_are():
    runs = study.runs()
    drawn = charts.frontier(panels.frontier(study.frontier(runs), runs), (0.3, 0.9))
    svg = vl_convert.vegalite_to_svg(drawn[0].spec | {"width": 300})
    assert svg.count("var(--recipe-1)") > 2 and ">50</text>" in svg
