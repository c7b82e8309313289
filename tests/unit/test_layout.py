import pandas as pd
import pytest
import study_frames as study

from knowpack import layout
from knowpack.benchmark_names import in_print
from knowpack.errors import DataError


def test_over_seeds():
    assert layout.over_seeds(pd.Series([0.25]), 2) == "0.25"
    assert layout.over_seeds(pd.Series([0.1, 0.3, None]), 1) == "0.2 (0.1–0.3)"
    assert layout.over_seeds(pd.Series([None], dtype=float), 1) == "–"
    assert layout.over_seeds(pd.Series([1200, 1400]), 0) == "1,300 (1,200–1,400)"


def test_categories():
    found = layout.categories(study.categories(("m1", "m2")))
    assert list(found) == ["Category", "P_correct", "m1", "m2"]
    assert found.iloc[0].tolist() == ["Unknown", "0", "1,200 (60.0%)", "1,200 (60.0%)"]


def test_published_categories():
    rows = [("m1", "Unknown", "Unknown", 1234), ("m1", "Unknown", "HighlyKnown", 2)]
    rows += [("m1", "HighlyKnown", "Unknown", 0), ("m1", "HighlyKnown", "HighlyKnown", 7)]
    columns = ["model", "published", "measured", "facts"]
    found = layout.published_categories(pd.DataFrame(rows[::-1], columns=columns))
    assert list(found) == ["Published", "Unknown", "HighlyKnown"]
    assert found.to_numpy().tolist() == [["Unknown", "1,234", "2"], ["HighlyKnown", "0", "7"]]
    other = pd.DataFrame([("m2", "MaybeKnown", "MaybeKnown", 3)], columns=columns)
    both = layout.published_categories(pd.concat([pd.DataFrame(rows, columns=columns), other]))
    assert both.iloc[2].tolist() == ["m2", "MaybeKnown", "–", "3", "–"]


def test_reliability_and_missing_cells():
    runs = study.runs()
    table = study.reliability(runs, epochs=(1, 3))
    gone = (table["unknown"] == 50) & (table["extra"] == "paraphrase")
    found = layout.reliability(table[~gone], runs)
    assert list(found) == ["Unknown facts", "no extras", "10 HK", "1 paraphrase"]
    cell = "0.45 (0.40–0.50)"
    assert found.to_numpy().tolist() == [["10", cell, cell, cell], ["50", cell, cell, "–"]]


def test_generalization():
    runs = study.runs(levels=(10,))
    found = layout.generalization(study.generalization(runs), runs)
    titles = ["Unknown facts", "Extras", "Asked", "P_correct", "Asked as taught"]
    titles += ["Model itself", "Facts"]
    assert list(found) == titles
    assert found.to_numpy().tolist()[:3] == [
        ["base model", "–", "held-out wordings", "0.00", "0.00", "0.00", "50"],
        ["base model", "–", "reversed", "0.10", "0.00", "0.10", "25"],
        [
            "10",
            "no extras",
            "held-out wordings",
            "0.15 (0.10–0.20)",
            "0.90 (0.90–0.90)",
            "0.00 (0.00–0.00)",
            "10 (10–10)",
        ],
    ]
    none = layout.generalization(study.generalization(runs, []), runs)
    assert none.empty
    assert list(none) == titles


def test_shifts_of_several_models():
    runs = study.runs(("m1", "m2"), seeds=(1,))
    found = layout.shifts(study.shifts(runs), runs)
    assert list(found) == ["Model", "Unknown facts", "Shift", "no extras", "10 HK", "1 paraphrase"]
    assert found["Model"].tolist() == ["m1"] * 8 + ["m2"] * 8
    assert found["Shift"].tolist()[:2] == ["positive", "negative"]
    assert found["no extras"].tolist()[4:8] == ["0.010", "0.500", "–", "0.250"]


def test_answers():
    runs = study.runs(levels=(10,))
    table = pd.concat([pd.DataFrame({"model": ["m1"], "run": ["base"]}), runs[["model", "run"]]])
    table = table.assign(refused=range(7), unique_answers=1000, mean_repeats=2.0, std_repeats=1.0)
    found = layout.answers(table.assign(top_answer="x", top_answer_count=1234), runs)
    assert found.iloc[0].tolist() == ["base model", "–", "0", "1,000", "2.00", "1.00", "x (1,234)"]
    assert found.iloc[1]["Extras"] == "no extras"
    assert found.iloc[1]["Refused"] == "2 (1–2)"
    assert found.iloc[3]["Most frequent answer (times)"] == "x (1,234); x (1,234)"


def test_shift_reasons():
    runs = study.runs(levels=(10,), seeds=(1,))
    table = runs[["model", "run"]].merge(
        pd.DataFrame({"direction": ["positive", "negative"]}), "cross"
    )
    reasons = ["non_refusal", "explosion", "target_based", "domain_shift", "explained"]
    table = table.assign(shifts=1500, **dict.fromkeys(reasons, 0.5))
    table["non_refusal"] = table["non_refusal"].mask(table["direction"] == "negative")
    found = layout.shift_reasons(table, runs)
    assert found.iloc[0].tolist() == ["10", "no extras", "positive", "1,500"] + ["0.50"] * 5
    assert found.iloc[1].tolist()[2:5] == ["negative", "1,500", "–"]


def shift_examples(runs: pd.DataFrame) -> pd.DataFrame:
    """Five positive shifts of each run with 0, 1, 2, 1 and 4 reasons, and a negative one."""
    reasons = ["non_refusal", "explosion", "target_based", "domain_shift"]
    held = [[], ["explosion"], ["target_based", "domain_shift"], ["domain_shift"], reasons, []]
    facts = pd.DataFrame(
        {
            "direction": ["positive"] * 5 + ["negative"],
            "fact_id": list("abcdef"),
            "question": [f"{name}?" for name in "abcdef"],
            "answer": "Rome",
            "before": "",
            "after": "Oslo",
            "trained": [False, False, True, False, True, False],
        }
        | {name: [name in has for has in held] for name in reasons}
        | {"explained": [bool(has) for has in held]}
    )
    facts["non_refusal"] = facts["non_refusal"].astype(object)
    facts.loc[5, "non_refusal"] = None  # as it is read back
    return runs[["model", "run"]].merge(facts, "cross")


def test_shift_examples():
    runs = study.runs(("m1", "m2"), levels=(10,), seeds=(1, 2))
    found = layout.shift_examples(shift_examples(runs).sample(frac=1, random_state=1), runs)
    every = "non-refusal, explosion, target-based, domain shift"
    first = ["m1", "10", "no extras", "1"]
    assert list(found) == (
        ["Model", "Unknown facts", "Extras", "Seed", "Direction", "Question", "Answer", "Before"]
        + ["After", "Taught", "Reasons"]
    )
    assert len(found) == 12 * 4
    assert found.head(4).to_numpy().tolist() == [
        [*first, "positive", "e?", "Rome", "", "Oslo", "yes", every],
        [*first, "positive", "c?", "Rome", "", "Oslo", "yes", "target-based, domain shift"],
        [*first, "positive", "b?", "Rome", "", "Oslo", "no", "explosion"],
        [*first, "negative", "f?", "Rome", "", "Oslo", "no", "none"],
    ]
    assert found["Seed"].tolist()[:8] == ["1"] * 4 + ["2"] * 4
    one = layout.shift_examples(shift_examples(runs[runs["model"] == "m1"]), runs)
    assert one["Model"].tolist() == ["m1"] * 24


def test_no_shift_examples():
    runs = study.runs()
    found = layout.shift_examples(shift_examples(runs).head(0), runs)
    assert found.empty
    assert list(found)[-2:] == ["Taught", "Reasons"]


def test_benchmarks():
    runs = study.runs()
    found = layout.benchmarks(study.benchmarks(runs), runs)
    assert found.iloc[0].tolist() == ["base model", "–", "0.600 ± 0.004"]
    assert found.iloc[1].tolist() == ["10", "no extras", "0.150 (0.100–0.200)"]
    assert len(found) == 7
    assert list(layout.benchmarks(study.benchmarks(runs, []), runs)) == ["Unknown facts", "Extras"]
    mixed = study.benchmarks(runs)
    mixed.loc[0, "protocol"] = "0-shot"
    with pytest.raises(DataError, match=r"\[\('mmlu', 'acc'\)\] were measured by more than one"):
        layout.benchmarks(mixed, runs)


def test_published():
    table = pd.DataFrame(
        {
            "model": ["m1", "m2"],
            "table": [7, 5],
            "unknown": [None, 10],
            "extra": [None, "highly_known"],
            "per_unknown": [None, 1],
            "metric": ["truthfulqa_gen bleu_max", "positive.non_refusal"],
            "published": [35.78, 0.12],
            "measured": [30.0, 0.5],
            "low": [30.0, 0.25],
            "high": [30.0, 0.75],
            "difference": [-5.78, 0.38],
            "seeds": [1, 3],
        }
    )
    found = layout.published(table)
    assert list(found)[:4] == ["Model", "Paper's table", "Condition", "Metric"]
    assert found.to_numpy().tolist() == [
        ["m1", "7", "base model", "truthfulqa gen bleu max", "35.780", "30.000", "-5.780"],
        [
            "m2",
            "5",
            "10 facts, 1 HK",
            "positive: non refusal",
            "0.120",
            "0.500 (0.250–0.750)",
            "+0.380",
        ],
    ]
    assert "Model" not in layout.published(table[:1])
    assert layout.published(table[:0]).shape == (0, 6)


def test_runs_that_differ_in_nothing_are_not_averaged():
    runs = study.runs(seeds=(1, 1)).assign(run=lambda frame: [f"r{n}" for n in frame.index])
    with pytest.raises(DataError, match="run 'r1' of 'm1': another run has its condition and its"):
        layout.reliability(study.reliability(runs), runs)


def test_plain():
    frame = pd.DataFrame({"rule": ["ask"], "peak_memory": [None], "s": [12.3456], "n": [12345]})
    found = layout.plain(frame)
    assert list(found) == ["Rule", "Peak memory", "S", "N"]
    assert found.iloc[0].tolist() == ["ask", "–", "12.35", "12,345"]


def test_of_the_generation_task_the_papers_metrics_are_printed():
    names = [("truthfulqa_gen", "bleu_max"), ("truthfulqa_gen", "bleu_acc"), ("mmlu", "acc")]
    table = pd.DataFrame(names, columns=["task", "metric"])
    assert in_print(table).metric.tolist() == ["bleu_max", "acc"]
