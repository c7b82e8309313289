"""The paper's figures beside those of a made-up study, counted by hand."""

import copy

import numpy as np
import pandas as pd
import pytest

from knowpack import layout, specs
from knowpack.answer_stats import ANSWERS
from knowpack.categories import CATEGORIES
from knowpack.config import load
from knowpack.config_training import Training
from knowpack.files import locate
from knowpack.markup import to_latex, to_markdown
from knowpack.published import (
    LLAMA,
    MISTRAL,
    PAPER,
    PUBLISHED,
    caption,
    differences_from_paper,
    published,
    read_figures,
)
from knowpack.reliability import RELIABILITY
from knowpack.shifts import SHIFTS
from knowpack.tables import read_table, write_table

FILE = locate("resources/published/figures.csv")
FIGURES = read_figures(FILE)
CONDITIONS = {
    (10, "none", 0, 1): "a1",
    (10, "none", 0, 2): "a2",
    (10, "highly_known", 1, 1): "b1",
    (30, "none", 0, 1): "c1",  # a level that the paper has not
}
REASONS = ["non_refusal", "explosion", "target_based", "domain_shift", "explained"]
SPEC = specs.published_spec(
    load(
        {
            "study": "s",
            "models": [{"name": "m", "source": "folder", "path": "x/Llama-3.1-8B-Instruct"}],
            "facts": {"source": "table", "path": "dbpedia.csv"},
            "grid": [{"unknown": [10], "seeds": [1]}],
        }
    )
)


def runs(**settings: object) -> pd.DataFrame:
    rows = [
        dict(zip(["unknown", "extra", "per_unknown", "seed"], cell, strict=True))
        | {"model": "m", "run": run, **Training().model_dump(), **settings}
        for cell, run in CONDITIONS.items()
    ]
    table = pd.DataFrame(rows)
    return table.assign(target_modules=table["target_modules"].map(np.array))  # as parquet gives it


def tables() -> dict[str, pd.DataFrame]:
    """The tables of a study of 1,000 facts that knows a half."""
    categories = [("Unknown", 400), ("WeaklyKnown", 100), ("MaybeKnown", 200), ("HighlyKnown", 300)]
    cells = [("base", 200, 4.0, 9.0), ("a1", 0, 8.0, 90.0), ("a2", 10, 10.0, 92.0)]
    return {
        "categories": pd.DataFrame(
            [("m", name, facts, facts / 1000) for name, facts in categories],
            columns=CATEGORIES.names,
        ),
        "reliability": pd.DataFrame(
            {
                "model": "m",
                "run": ["a1", "a1", "a2", "b1", "c1"],
                "epoch": [9, 10, 10, 10, 10],
                "reliability": [0.0, 0.7, 0.9, 1.0, 1.0],
            }
        ),
        "shifts": pd.DataFrame(
            {
                "model": "m",
                "run": ["a1", "a2", "b1", "c1"],
                "positive_shift": [0.02, 0.04, 0.05, 0.1],
                "negative_shift": [0.2, 0.25, 0.181, 0.3],
            }
        ),
        "answers": pd.DataFrame(
            [("m", run, refused, 9, mean, spread, "x", 9) for run, refused, mean, spread in cells],
            columns=ANSWERS.names,
        ),
        "shift_reasons": pd.DataFrame(
            [
                ("m", "a1", "positive", 100, 0.25, 0.5, 0.5, 0.5, 0.75),
                ("m", "a1", "negative", 0, None, None, None, None, None),
                ("m", "a2", "positive", 50, None, 0.25, 0.5, 0.5, 0.75),
            ],
            columns=["model", "run", "direction", "shifts", *REASONS],
        ),
        "benchmarks": pd.DataFrame(
            [
                ("m", "base", "mmlu", "acc", 0.7),
                ("m", "a1", "mmlu", "acc", 0.6),
                ("m", "a1", "truthfulqa_gen", "bleu_max", 12.024),
                ("m", "a1", "reasoning", "acc", 0.5),  # not the paper's
            ],
            columns=["model", "run", "task", "metric", "value"],
        ),
    }


def made(**settings: object) -> pd.DataFrame:
    return published(tables(), runs(**settings), FIGURES, SPEC)


def cell(table: pd.DataFrame, metric: str, extra: str | None = "none") -> pd.Series:
    of_extra = table["extra"].isna() if extra is None else table["extra"] == extra
    found = table[(table["metric"] == metric) & of_extra]
    assert len(found) == 1
    return found.iloc[0]


def test_every_figure_of_the_paper_stands_once():
    assert FIGURES["table"].value_counts(sort=False).to_dict() == {
        1: 3,
        2: 6 * 5,  # levels and conditions; "0 extras" is printed twice and stands here once
        3: 6 * 5 * 2,
        4: 15 * 4,
        5: 14 * (6 + 5),  # reasons of positive and of negative shifts
        6: 4 * 2,
        7: (1 + 6 * 5) * 7,
        8: 10 * 3,
    }
    assert FIGURES.notna().all()[["paper_model", "table", "metric", "published"]].all()
    assert not FIGURES.duplicated(FIGURES.columns.drop("published").tolist()).any()
    assert (FIGURES["paper_model"] == MISTRAL).equals(FIGURES["table"] == 6)
    assert set(FIGURES["paper_model"]) == {LLAMA, MISTRAL}
    assert set(FIGURES["unknown"].dropna()) == {1, 10, 50, 100, 500, 3000}
    assert FIGURES.groupby("extra")["per_unknown"].agg(set).to_dict() == {
        "none": {0},
        "highly_known": {1, 10},
        "paraphrase": {1, 10},
    }
    cell = ["unknown", "extra", "per_unknown"]
    assert FIGURES[cell].isna().sum(axis=1).isin([0, 3]).all()
    score = FIGURES["metric"].str.contains("bleu|rouge|repeats")
    assert FIGURES.loc[~score, "published"].between(0, 1).all()


@pytest.mark.parametrize(
    ("table", "unknown", "extra", "per_unknown", "metric", "value"),
    [
        (1, None, None, None, "share_Unknown", 14373 / 21036),
        (2, 3000, "highly_known", 10, "reliability", 0.48),
        (2, 100, "none", 0, "reliability", 0.98),
        (3, 10, "none", 0, "negative_shift", 0.245),
        (3, 3000, "paraphrase", 10, "positive_shift", 0.213),
        (4, None, None, None, "refused", 3189 / 21036),
        (4, 10, "highly_known", 1, "std_repeats", 166.57),
        (4, 500, "highly_known", 10, "unique_answers", 57114 / 210360),
        (5, 500, "highly_known", 10, "negative.shifts", 1134 / 21036),
        (5, 10, "highly_known", 1, "positive.explained", 0.65),
        (6, 1, "highly_known", 10, "negative_shift", 0.146),
        (7, None, None, None, "mmlu acc", 0.677),
        (7, 3000, "paraphrase", 10, "mmlu acc", 0.441),
        (7, 1, "none", 0, "truthfulqa_gen bleu_max", 33.741),
        (7, 10, "none", 0, "truthfulqa_gen rouge2_max", 11.987),
        (7, 3000, "highly_known", 1, "truthfulqa_mc1 acc", 0.257),
        (8, 10, "highly_known", 10, "logiqa acc", 0.298),
    ],
)
def test_figures_are_the_papers(table, unknown, extra, per_unknown, metric, value):
    found = FIGURES[(FIGURES["table"] == table) & (FIGURES["metric"] == metric)]
    for name, wanted in {"unknown": unknown, "extra": extra, "per_unknown": per_unknown}.items():
        found = found[found[name].isna() if wanted is None else found[name] == wanted]
    assert found["published"].tolist() == [pytest.approx(value)]


def test_the_mean_over_seeds_stands_beside_the_papers_figure():
    found = cell(made(), "reliability")
    assert found[["model", "paper_model", "table"]].tolist() == ["m", LLAMA, 2]
    assert found[["unknown", "per_unknown", "published", "seeds"]].tolist() == [10, 0, 1.0, 2]
    numbers = found[["measured", "low", "high", "difference"]].tolist()
    assert numbers == pytest.approx([0.8, 0.7, 0.9, -0.2])


def test_every_cell_that_both_have_and_no_other():
    found = made()
    counts = found.groupby("table").size().to_dict()
    # Table 5: the positive shifts' six figures, and how many negative ones there are (none).
    assert counts == {1: 3, 2: 2, 3: 4, 4: 8, 5: 7, 7: 3}
    assert set(found["unknown"].dropna()) == {10}
    assert found["table"].is_monotonic_increasing


def test_counts_are_compared_as_shares():
    found = made()
    unknown = cell(found, "share_Unknown", None)
    assert unknown["measured"] == pytest.approx(0.5)  # with the WeaklyKnown
    assert unknown["published"] == pytest.approx(14373 / 21036)
    refused = cell(found, "refused", None)
    assert (refused["measured"], refused["seeds"]) == (pytest.approx(0.2), 1)
    assert cell(found, "refused")["measured"] == pytest.approx(0.005)
    assert cell(found, "unique_answers", None)["measured"] == pytest.approx(0.25)
    shifts = cell(found, "positive.shifts")
    assert (shifts["measured"], shifts["high"]) == (pytest.approx(0.075), pytest.approx(0.1))


def test_what_was_not_asked_is_not_averaged():
    reason = cell(made(), "positive.non_refusal")
    assert (reason["measured"], reason["seeds"]) == (0.25, 1)
    assert cell(made(), "negative.shifts")["measured"] == 0
    assert "negative.explosion" not in set(made()["metric"])


def test_benchmarks_by_task_and_metric():
    found = made()
    assert cell(found, "mmlu acc", None)["difference"] == pytest.approx(0.7 - 0.677)
    assert cell(found, "truthfulqa_gen bleu_max")["difference"] == pytest.approx(-0.5)


@pytest.mark.parametrize(
    "other",
    [{"rank": 8}, {"loss": "answer"}, {"target_modules": ["up_proj"]}]
    + [{"method": "dora"}, {"patience": 2}, {"extras_from": 6}, {"strength": 0.5}],
)
def test_runs_with_other_settings_than_the_studys_own_do_not_count(other):
    assert made(**other)["unknown"].isna().all()
    both = pd.concat([runs(), runs(**other).assign(run=lambda frame: frame["run"] + "-x")])
    assert published(tables(), both, FIGURES, SPEC).equals(made())


def test_mistral_is_compared_with_mistral():
    spec = {**SPEC, "models": {"m": "org/MISTRAL-7B-Instruct-v0.3"}}
    table = runs().assign(unknown=1)
    found = published(tables(), table, FIGURES, spec)
    assert found["paper_model"].unique().tolist() == [MISTRAL]
    assert found[["table", "extra", "per_unknown"]].drop_duplicates().to_numpy().tolist() == [
        [6, "highly_known", 1]
    ]
    assert cell(found, "positive_shift", "highly_known")["published"] == 0.16


def test_a_study_without_a_common_cell_is_printed_with_a_sentence(tmp_path):
    spec = {**SPEC, "models": {"m": "mistral"}}
    found = published(tables(), runs(), FIGURES, spec)
    assert found.empty
    write_table(found, tmp_path / "published.parquet", PUBLISHED)
    printed = layout.published(read_table(tmp_path / "published.parquet"))
    said = caption(found, spec)
    assert "The study has no condition in common with the paper." in said
    assert "| Condition" in to_markdown(printed, said)
    assert "Condition" in to_latex(printed, said, "tab:published")
    assert "no condition in common" not in caption(made(), SPEC)


def test_empty_tables_are_no_fault():
    every = tables()
    bare = {name: table.iloc[:0] for name, table in every.items() if name != "categories"}
    bare["categories"] = every["categories"]
    found = published(bare, runs(), FIGURES, SPEC)
    assert found["metric"].tolist() == ["share_Unknown", "share_MaybeKnown", "share_HighlyKnown"]


def test_the_schemas_of_the_tables_are_those_that_are_read(tmp_path):
    for name, schema in {"reliability": RELIABILITY, "shifts": SHIFTS, "answers": ANSWERS}.items():
        assert set(tables()[name]) <= set(schema.names)
    write_table(made(), tmp_path / "published.parquet", PUBLISHED)
    back = read_table(tmp_path / "published.parquet")
    assert len(back) == len(made())
    assert layout.published(back).equals(layout.published(made()))


def test_printed():
    printed = layout.published(made())
    assert list(printed) == [
        "Paper's table",
        "Condition",
        "Metric",
        "Published",
        "Measured",
        "Difference",
    ]
    assert printed.iloc[0].tolist() == [
        "1",
        "base model",
        "share Unknown",
        "0.683",
        "0.500",
        "-0.183",
    ]
    assert [
        "2",
        "10 facts, no extras",
        "reliability",
        "1.000",
        "0.800 (0.700–0.900)",
        "-0.200",
    ] in (printed.to_numpy().tolist())
    metrics = set(printed["Metric"])
    assert {"positive: non refusal", "truthfulqa gen bleu max"} <= metrics


def test_the_paper_itself_differs_in_its_facts_only():
    assert PAPER["training"] == Training().model_dump(exclude={"held_out"})
    assert differences_from_paper(SPEC) == [
        "Asked are all facts of dbpedia.csv; the paper's are 21,036 from DBpedia."
    ]


def test_differences_from_the_paper():
    spec = copy.deepcopy(SPEC)
    spec["models"] = {"g": "gemma", "h": "org/Mistral-Nemo"}
    spec["facts"] = {"size": 3000}
    spec["prompts"] = {"count": 5, "shots": 0}
    spec["asking"]["max_new_tokens"] = 16
    spec["labels"]["match"] = "word"
    spec["training"] |= {"loss": "answer", "learning_rate": 1e-4, "target_modules": ["a", "b"]}
    spec["training"]["method"] = "dora"
    assert differences_from_paper(spec) == [
        "g (gemma) is not the paper's Llama-3.1-8B-Instruct, with which it is compared.",
        "h (org/Mistral-Nemo) is not the paper's Mistral-7B-Instruct-v0.3, with which it is "
        "compared.",
        "Asked are 3,000 facts about the world; the paper's are 21,036 from DBpedia.",
        "prompts.count is 5; the paper's is 10.",
        "prompts.shots is 0; the paper's is 4.",
        "asking.max_new_tokens is 16; the paper's is 32.",
        "labels.match is word; the paper's is substring.",
        "training.loss is answer; the paper's is row.",
        "training.learning_rate is 0.0001; the paper's is 0.001.",
        "training.target_modules is a, b; the paper's is down_proj, gate_proj, up_proj.",
        "training.method is dora; the paper's is lora.",
    ]


def test_benchmarks_asked_in_another_way_are_named():
    spec = copy.deepcopy(SPEC)
    asked = {"shots": None, "limit": None, "chat": False}
    spec["facts"] = {"dataset": "s-nlp/Llama-3.1-8B-Instruct-DBpedia-HighlyKnown"}
    spec["benchmarks"] = [
        {"task": "mmlu", **asked, "shots": 5},
        {"task": "arc_easy", **asked},
        {"task": "my_task.yaml", **asked, "limit": 3},
    ]
    assert differences_from_paper(spec) == []
    spec["benchmarks"] = [
        {"task": "mmlu", **asked},
        {"task": "arc_easy", **asked, "limit": 100, "chat": True},
    ]
    assert differences_from_paper(spec) == [
        "mmlu is asked with 0 examples, in the paper 5.",
        "arc_easy is asked in part; in the paper, whole.",
        "arc_easy is asked through the chat template; in the paper, as plain text.",
    ]
