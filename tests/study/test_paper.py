"""The paper's own configuration on a tiny random model: every rule, table and figure, really made."""

import json
from pathlib import Path

import pandas as pd
import pytest
from paper_data import KNOWN, POOL, UNKNOWN, write_benchmarks, write_facts
from small_study import clone, run_snakemake
from writing_model import make_writing_model

pytestmark = [pytest.mark.study, pytest.mark.slow]

MODEL = "tiny"
LEVEL = 2
CONDITIONS = [("none", 0), ("highly_known", 1), ("highly_known", 10)]
CONDITIONS += [("paraphrase", 1), ("paraphrase", 10)]
TABLES = ["categories", "reliability", "shifts", "answers", "shift_reasons", "shift_examples"]
TABLES += ["benchmarks", "published", "capacity", "frontier", "levers", "costs"]


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory, chat_model: Path) -> Path:
    """The results of the paper's study; models, facts and the sizes of the grid are other ones."""
    pytest.importorskip("vllm", reason="vllm is not installed (make setup)")
    folder = tmp_path_factory.mktemp("paper")
    clone(folder)
    write_benchmarks(folder)
    write_facts(folder / "facts", {**UNKNOWN, **KNOWN}, "default", "full")
    write_facts(folder / "pool", POOL, "rc.nocontext", "train")
    models = tmp_path_factory.mktemp("models")
    taught = make_writing_model(chat_model, models / "taught", lines=False)
    writer = make_writing_model(chat_model, models / "writer")
    model = {"name": MODEL, "source": "folder", "path": str(taught), "prompt": "chat"}
    not_of_the_hub = {"repo": None, "revision": None}
    grid = {"unknown": [LEVEL], "extra": ["none", "highly_known", "paraphrase"]}
    changed = {
        "study": "paper",
        "device": "cpu",
        "models": [model],
        "facts": {"dataset": "facts", "revision": None},
        "extra_facts": {"dataset": "pool", "revision": None},
        "grid": [{**grid, "per_unknown": [1, 10], "seeds": [42]}],
        "training": {"epochs": 2},
        "dynamics": [LEVEL],
        "paraphrases": {
            "model": {"name": "writer", "source": "folder", "path": str(writer), **not_of_the_hub},
            "max_new_tokens": 1000,
        },
        "engine": {"max_model_len": 2048, "kv_cache_gib": 1},
    }
    settings = [f"{key}={json.dumps(value)}" for key, value in changed.items()]
    command = ["--configfile", "config/paper-llama-3.1-8b.yaml", "--config", *settings]
    run_snakemake(folder, *command, HF_HUB_OFFLINE="1", VLLM_CPU_KVCACHE_SPACE="1")
    return folder / "results/paper"


def test_every_table_and_figure_is_made(paper: Path) -> None:
    for name in TABLES:
        rows = pd.read_parquet(paper / f"tables/{name}.parquet")
        assert len(rows) or name == "shift_examples", name  # random weights need not shift
        for form in (".md", ".tex"):
            assert (paper / f"tables/{name}").with_suffix(form).stat().st_size, name
    assert len(list((paper / "figures").glob("*.svg"))) == 8
    page = (paper / "report.html").read_text()
    assert all(f"Table {number}" in page for number in range(1, 9))


def test_every_condition_of_the_paper_was_trained(paper: Path) -> None:
    runs = pd.read_parquet(paper / "runs.parquet")
    assert [*zip(runs.extra, runs.per_unknown, strict=True)] == CONDITIONS
    for run in runs.itertuples():
        rows = pd.read_parquet(paper / run.model / run.run / "rows.parquet")
        assert len(rows) == LEVEL * (1 + run.per_unknown)
        assert set(rows.role) == {"unknown"} | {run.extra} - {"none"}
        assert (paper / run.model / run.run / "epochs/1/adapter_model.safetensors").is_file()


def test_the_published_categories_stand_beside_the_measured(paper: Path) -> None:
    table = pd.read_parquet(paper / "tables/published_categories.parquet")
    counts = table.groupby("published").facts.sum()
    assert (counts["Unknown"], counts["HighlyKnown"]) == (len(UNKNOWN), len(KNOWN))
    agreed = table[table.published == table.measured].facts.sum()
    assert agreed > len(UNKNOWN)
    assert "Published and measured categories" in (paper / "report.html").read_text()


def test_highly_known_extras_come_from_the_facts_and_then_from_the_pool(paper: Path) -> None:
    rows = pd.read_parquet(paper / f"tiny/uk{LEVEL}-hk10-s42/rows.parquet")
    questions = rows.question[rows.role == "highly_known"].tolist()
    own = [question for question in questions if question in KNOWN]
    assert len(own) < len(questions) == 10 * LEVEL
    assert questions[: len(own)] == own
    assert set(questions[len(own) :]) <= set(POOL)
    shots = pd.read_parquet(paper / "shots.parquet").question
    assert set(shots) <= set(POOL) - set(questions)
    labelled = pd.read_parquet(paper / "tiny/base/extra_labels.parquet")
    assert len(labelled) == len(POOL) - shots.nunique()


def test_paraphrases_come_from_the_model_and_are_taught(paper: Path) -> None:
    told = pd.read_parquet(paper / "tiny/base/paraphrases.parquet")
    assert told.groupby("fact_id").size().min() >= 10
    rows = pd.read_parquet(paper / f"tiny/uk{LEVEL}-pp10-s42/rows.parquet")
    taught = rows[rows.role == "paraphrase"]
    pairs = set(zip(told.fact_id, told.question, strict=True))
    assert set(zip(taught.fact_id, taught.question, strict=True)) <= pairs


def test_every_benchmark_of_the_paper_is_scored_for_every_run(paper: Path) -> None:
    table = pd.read_parquet(paper / "tables/benchmarks.parquet")
    wanted = {
        ("mmlu", "acc", 114),
        ("truthfulqa_mc1", "acc", 2),
        ("truthfulqa_mc2", "acc", 2),
        *[("truthfulqa_gen", f"{name}_max", 2) for name in ("bleu", "rouge1", "rouge2", "rougeL")],
        ("arc_easy", "acc", 2),
        ("arc_challenge", "acc", 2),
        ("logiqa", "acc", 2),
    }
    for _, rows in table.groupby("run"):
        assert wanted <= set(zip(rows.task, rows.metric, rows.questions, strict=True))
    assert table.run.nunique() == len(CONDITIONS) + 1
    assert table.value.between(-100, 100).all()
    (mmlu,) = table.protocol[table.task == "mmlu"].unique()
    assert "5-shot, plain text" in mmlu
    assert (table.groupby("task").protocol.nunique() == 1).all()


def test_published_figures_stand_beside_the_measured_ones(paper: Path) -> None:
    table = pd.read_parquet(paper / "tables/published.parquet")
    assert {1, 4, 7} <= set(table.table)
    assert (table.difference - (table.measured - table.published)).abs().max() < 1e-9
