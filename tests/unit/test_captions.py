import pandas as pd
import pytest
import study_frames as study

from knowpack import captions
from knowpack.benchmark_names import TRUTHFULQA
from knowpack.contents import FIGURES
from knowpack.figure_captions import caption

PROMPTS = {"count": 10, "shots": 4}
RUNS = study.runs(("m1", "m2"))
ASKED = "Each fact is asked in 10 prompts with 4 examples each, greedily."
LINES = "Line: mean of the seeds 1 and 2; band: minimum to maximum."


@pytest.mark.parametrize(
    ("count", "shots", "said"),
    [
        (10, 4, ASKED),
        (1, 1, "Each fact is asked in one prompt with one example, greedily."),
        (2, 0, "Each fact is asked in 2 prompts with no examples, greedily."),
    ],
)
def test_how_facts_are_asked(count: int, shots: int, said: str):
    assert captions.asked({"count": count, "shots": shots}) == said


def test_seeds():
    assert captions.over_seeds([42]) == "Seed 42."
    three = pd.Series([1337, 42, None, 42, 10824])
    assert captions.over_seeds(three) == (
        "Mean (minimum to maximum) of the seeds 42, 1337 and 10824."
    )
    assert captions.line_over_seeds([42]) == "Line: seed 42."
    assert captions.line_over_seeds(RUNS["seed"]) == LINES


def test_numbers_of_facts():
    assert captions.in_facts(pd.Series({"m1": 2000, "m2": 2000})) == "2,000 facts"
    assert captions.in_facts(pd.Series({"m1": 1, "m2": 2000})) == "m1: 1 facts; m2: 2,000 facts"
    assert captions.shifted_facts(study.shifts(RUNS)).to_dict() == {"m1": 2000, "m2": 2000}


def test_benchmarks_state_their_questions_and_protocol():
    table = study.benchmarks(RUNS, [("mmlu", "acc"), ("arc_easy", "acc"), ("arc_easy", "acc_norm")])
    table.loc[table["task"] == "mmlu", "questions"] = 14042
    assert captions.protocols(table) == (
        "MMLU: accuracy; 14,042 questions; 5-shot. "
        "ARC-Easy: accuracy and accuracy (normalised by length); 9 questions; 5-shot."
    )
    said = captions.of_benchmarks(table, RUNS)
    assert said.endswith(
        "Mean (minimum to maximum) of the seeds 1 and 2. ± is the standard error over the "
        "questions, where a cell is a single run."
    )
    assert captions.of_benchmarks(table[:0], RUNS) == "Benchmarks: not asked in this study."


def test_reliability_figures():
    table = study.reliability(RUNS, epochs=(1, 2, 3))
    said = caption("reliability_by_epoch", table, RUNS, PROMPTS)
    assert f"after each epoch, where 10 and 50 were taught. {ASKED} {LINES} Base model: 0" in said
    said = caption("reliability_by_unknown", table, RUNS, PROMPTS)
    assert f"after the final epoch, by how many were taught. {ASKED} {LINES}" in said
    said = caption("reliability_by_epoch", study.reliability(RUNS), RUNS, PROMPTS)
    assert said == "Reliability before the final epoch: not asked in this study."


def test_generalization():
    table = study.generalization(RUNS)
    said = captions.of_generalization(table, RUNS, {"count": 2, "shots": 4})
    assert said.startswith("Mean share of right answers (P_correct) over the taught unknown facts,")
    assert said.endswith(
        "to the same questions. Each fact is asked in 2 prompts with 4 examples each, greedily. "
        "Mean (minimum to maximum) of the seeds 1 and 2."
    )
    said = caption("generalization_by_unknown", table, RUNS, PROMPTS)
    assert "(held-out wordings: 10 to 50 facts, reversed: 5 to 25 facts)" in said
    assert f"{ASKED} {LINES} Base model: what it knows" in said
    none = study.generalization(RUNS, [])
    said = captions.of_generalization(none, RUNS, PROMPTS)
    assert said.startswith("Generalization: no taught fact could be asked otherwise, as none has")
    said = caption("generalization_by_unknown", none, RUNS, PROMPTS)
    assert said == "Generalization: not asked in this study."


def test_shifts_figure():
    said = caption("shifts_by_unknown", study.shifts(RUNS), RUNS, PROMPTS)
    assert said.startswith("Share of all facts (2,000 facts, taught ones among them) whose")


def test_benchmark_figures():
    table = study.benchmarks(RUNS, [("mmlu", "acc"), *TRUTHFULQA])
    said = caption("mmlu_by_unknown", table, RUNS, PROMPTS)
    assert said == (
        "By how many unknown facts were taught. MMLU: accuracy; 9 questions; 5-shot. "
        f"{LINES} Base model (grey band: its standard error): m1: MMLU acc 0.600; m2: MMLU acc 0.600."
    )
    some = caption("truthfulqa_by_unknown", table[table["task"] != "truthfulqa_gen"], RUNS, PROMPTS)
    assert some.endswith("TruthfulQA generation: not asked in this study.")
    one = table[table["model"] == "m1"]
    said = caption("models_side_by_side", one, RUNS, PROMPTS)
    assert said.startswith("Models side by side: one model in this study")
    said = caption("models_side_by_side", table, RUNS, PROMPTS)
    assert "m2: TruthfulQA MC1 acc 0.600" in said


def test_the_figure_of_the_frontier_says_what_harm_is():
    table = study.frontier(RUNS)
    assert caption("frontier", table, RUNS, PROMPTS).startswith(
        "Reliability against harm, a point for each number of taught facts: up and to the left is "
        "better. Harm: share of all facts whose category fell, or the largest drop of a benchmark "
        "where that is more. Shaded: reliability of 0.9 or more with harm of 0.1 or less."
    )
    said = caption("frontier", table.assign(drop=None), RUNS, PROMPTS)
    assert "Harm: share of all facts whose category fell. Shaded" in said
    assert said.endswith("greedily. Mean of the seeds 1 and 2.")


def test_every_figure_of_a_study_without_benchmarks_says_so():
    none = study.benchmarks(RUNS, [])
    said = {
        name: caption(name, none, RUNS, PROMPTS)
        for name in FIGURES
        if not name.startswith(("reliability", "shifts", "frontier", "generalization"))
    }
    assert said == {
        "mmlu_by_unknown": "MMLU: not asked in this study.",
        "truthfulqa_by_unknown": "TruthfulQA MC1, TruthfulQA MC2 and TruthfulQA generation: "
        "not asked in this study.",
        "models_side_by_side": "TruthfulQA MC1: not asked in this study.",
        "benchmarks_by_unknown": "Benchmarks: not asked in this study.",
    }
