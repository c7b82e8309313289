import pandas as pd
import pytest
from answer_study import fixed, run_table

from knowpack import answer_layout
from knowpack.benchmark_names import Metric
from knowpack.capacity import capacity
from knowpack.frontier import frontier
from knowpack.levers import levers

RUNS = run_table()
VALUES = {
    "reliability": lambda run: (
        {10: 1.0, 40: 0.95, 80: 0.85}[run["unknown"]] + run["per_unknown"] / 20
    ),
    "positive_shift": lambda run: 0.2,
    "negative_shift": lambda run: 0.12 if run["extra"] == "none" else 0.04,
    "mmlu acc": lambda run: 0.49,
}


def printed(runs: pd.DataFrame = RUNS, left_out=(), units: int = 100):
    study = fixed(runs, VALUES, units=units)
    tables = (
        capacity(study, [0.9, 0.94], [0.1, 0.2]),
        frontier(study, 0.9, 0.1),
        levers(study, {"rank": 1}),
    )
    return answer_layout.printed(*tables, runs, ["mmlu acc"], left_out)


def test_capacity():
    frame, caption = printed()[0]
    assert frame.to_dict("list") == {
        "Recipe": ["no extras", "1 HK"],
        "Facts at reliability 0.9, harm 0.1": ["none (none–none)", "80+ (80+–80+)"],
        "Facts at reliability 0.9, harm 0.2": ["56 (56–56)", "80+ (80+–80+)"],
        "Facts at reliability 0.94, harm 0.1": ["none (none–none)", "60 (60–60)"],
        "Facts at reliability 0.94, harm 0.2": ["42 (42–42)", "60 (60–60)"],
    }
    assert caption.startswith("How many facts fit: the largest number of Unknown facts at which")
    assert (
        "Harm: the negative shift over all facts, and what mmlu acc lost against the model itself; "
        "the largest counts. In brackets: 95 % bootstrap intervals over facts, questions and seeds. "
        "80+: not measured beyond 80, the largest level; none: at no number from 10 to 80."
    ) in caption


def test_frontier():
    frame, caption = printed()[1]
    assert list(frame) == ["Unknown facts", "Recipe", "Reliability", "Negative shift"] + [
        "Largest drop of a benchmark",
        "Meets",
        "Frontier",
        "Pick",
    ]
    assert frame.iloc[1].tolist() == [
        "10",
        "1 HK",
        "1.000 (1.000–1.000)",
        "0.040 (0.040–0.040)",
        "MMLU 0.010 (0.010–0.010)",
        "yes",
        "yes",
        "yes",
    ]
    assert "Meets: with reliability 0.9, harm 0.1." in caption


def test_levers():
    frame, caption = printed()[2]
    assert frame.iloc[0].tolist() == [
        "10",
        "1 HK",
        "no extras",
        "+0.050 (+0.050 to +0.050) better",
        "+0.000",
        "-0.080 (-0.080 to -0.080) better",
        "+0.000",
    ]
    assert list(frame)[3:] == ["Reliability", "Positive shift", "Negative shift", "mmlu acc"]
    assert "By chance alone about one in twenty of the 6 intervals would not." in caption


def test_levers_of_one_seed_are_said_to_be_of_adapters():
    assert "compares two adapters" not in printed()[2][1]
    caption = printed(run_table(seeds=(1,)))[2][1]
    assert (
        "A pair of one seed compares two adapters, not two recipes, and is not judged." in caption
    )


def test_too_few_facts_have_no_brackets():
    frame, caption = printed(units=3)[2]
    assert frame["Reliability"].tolist() == ["+0.050"] * 3
    assert "Without brackets: fewer than 6 facts or questions differ." in caption


def test_several_models_are_named():
    both = pd.concat([RUNS, RUNS.assign(model="n")], ignore_index=True)
    study = fixed(RUNS, VALUES)
    tables = [
        pd.concat([table, table.assign(model="n")], ignore_index=True)
        for table in (capacity(study, [0.9], [0.1]), frontier(study, 0.9, 0.1), levers(study, {}))
    ]
    for frame, _ in answer_layout.printed(*tables, both, ["mmlu acc"], []):
        assert set(frame["Model"]) == {"m", "n"}


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ([(1,), (1,)], " and questions; with one seed they do not cover how trainings differ."),
        (
            [(1, 2), (1,)],
            ", questions and seeds; a single seed does not show how trainings differ.",
        ),
        ([(1, 2), (1, 2)], ", questions and seeds."),
    ],
)
def test_captions_say_what_seeds_cover(seeds, said):
    tables = [run_table(levels=(level,), seeds=s) for level, s in zip((10, 40), seeds, strict=True)]
    runs = pd.concat(tables, ignore_index=True)
    cells = pd.DataFrame({"target_otherwise": [None]})
    caption = answer_layout.capacity_caption(cells, runs, "Harm.")
    assert f"95 % bootstrap intervals over facts{said} 40+" in caption


def test_what_is_left_out_is_named():
    text = answer_layout.harms([], [Metric("wmt", "bleu")])
    assert text == (
        "Harm: the negative shift over all facts; the largest counts. Left out, as no mean over "
        "questions between 0 and 1: Wmt (bleu)."
    )


def test_a_study_of_one_recipe_has_no_levers():
    runs = run_table(extras=[("none", 0)])
    frame, caption = printed(runs)[2]
    assert frame.empty
    assert caption == "Differences between recipes: this study has one recipe at each level."
