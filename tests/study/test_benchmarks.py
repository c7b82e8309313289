"""Benchmarks on the real model: scored as lm-eval's own Hugging Face backend scores them."""

import platform
from pathlib import Path

import pandas as pd
import pytest
from small_study import MODEL, QUESTIONS, RUNS, SmallStudy, run_script

OWN = ["reasoning", "misconceptions"]
# Choices of one token, after examples that all questions share.
LETTERS = """
task: letters
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
fewshot_split: test
num_fewshot: 2
output_type: multiple_choice
doc_to_text: >-
  Question: {{{{question}}}} A. {{{{choices[0]}}}} B. {{{{choices[1]}}}} C. {{{{choices[2]}}}}
  D. {{{{choices[3]}}}} Answer:
doc_to_choice: ["A", "B", "C", "D"]
doc_to_target: answer
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
metadata: {{version: 1}}
"""


def scored(way: str, small: SmallStudy, folder: Path) -> pd.DataFrame:
    data = small.folder / "resources/benchmarks"
    letters = folder / "letters.yaml"
    letters.write_text(LETTERS.format(data=data / "reasoning.jsonl"))
    files = [str(letters), *(str(data / f"{name}.yaml") for name in OWN)]
    out = folder / f"{way}.parquet"
    run_script("score_choices.py", way, small.model, out, *files, folder=small.folder)
    return pd.read_parquet(out)


def test_every_choice_scores_as_with_the_hugging_face_backend(
    small: SmallStudy, tmp_path: Path
) -> None:
    ours, theirs = (scored(way, small, tmp_path) for way in ("engine", "hf"))
    both = ours.merge(theirs, on=["task", "question", "request"], suffixes=("", "_hf"))
    assert len(both) == len(ours) == len(theirs) == 3 * 12 * 4
    assert (both.logprob - both.logprob_hf).abs().max() < 1e-2
    assert (both.greedy == both.greedy_hf).all()
    assert both.logprob.nunique() > 100


@pytest.mark.skipif(
    platform.machine() != "x86_64",
    reason="elsewhere vLLM's blocks have 32 tokens, more than contexts",
)
def test_choices_share_their_context(small: SmallStudy) -> None:
    footer = small.footer(f"{MODEL}/base/responses/general.parquet")
    assert float(footer["cache_hit_rate"]) > 0.3


def test_the_studys_own_benchmarks_are_asked_of_every_run(small: SmallStudy) -> None:
    table = small.table("tables/benchmarks.parquet")
    assert set(table.run) == {"base", *RUNS}
    assert set(zip(table.task, table.metric, strict=True)) == {
        (task, metric) for task in OWN for metric in ("acc", "acc_norm")
    }
    assert (table.questions == QUESTIONS).all()
    assert table.value.between(0, 1).all()
    base = table[(table.run == "base") & (table.task == "reasoning") & (table.metric == "acc")]
    assert base.value.item() > 0.35  # chance is 0.25 and its standard error 0.07


def test_questions_are_kept_so_that_runs_can_be_compared(small: SmallStudy) -> None:
    keys = ["task", "question", "metric"]
    base = small.of_run("base", "questions/general.parquet")
    taught = small.of_run(RUNS[0], "questions/general.parquet")
    both = base.merge(taught, on=keys, suffixes=("", "_taught"))
    assert len(both) == len(base) == len(taught) == 2 * 2 * QUESTIONS
    assert (both.value != both.value_taught).any()
    table = small.table("tables/benchmarks.parquet")
    means = taught.groupby(["task", "metric"]).value.mean()
    for row in table[table.run == RUNS[0]].itertuples():
        assert abs(means[row.task, row.metric] - row.value) < 1e-9
        assert row.model == MODEL
