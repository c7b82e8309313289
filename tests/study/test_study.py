"""A small real study: the real model, the real engine, and its numbers computed a second time.

Nothing that scores or counts is imported from the library: what is checked here is written anew.
"""

import base64
import json
import re
import unicodedata
from math import isnan
from pathlib import Path

import pandas as pd
import pytest
import torch
from small_study import MODEL, PROMPTS, RUNS, SmallStudy, run_script
from transformers import AutoModelForCausalLM, AutoTokenizer

from knowpack.page_script import page_script
from knowpack.precision import resolve
from knowpack.prompts import Prompter

pytestmark = [pytest.mark.study, pytest.mark.timeout(3600)]

CONTRACTS = {
    "facts.parquet": "fact_id subject relation object question answers popularity domain",
    "runs.parquet": "run model unknown extra per_unknown seed rows loss epochs learning_rate "
    "batch_size rank alpha dropout rslora target_modules method patience held_out extras_from strength",
    f"{MODEL}/base/responses/facts.parquet": "fact_id prompt sample text",
    f"{MODEL}/base/labels.parquet": "fact_id p_correct p_sampled category refused",
    **{
        f"{MODEL}/{run}/{path}": columns
        for run in RUNS
        for path, columns in {
            "responses/facts.parquet": "fact_id prompt sample text",
            "labels.parquet": "fact_id p_correct p_sampled category refused",
            "rows.parquet": "position fact_id role question answer",
        }.items()
    },
    "tables/categories.parquet": "model category facts share",
    "tables/reliability.parquet": "model run unknown extra per_unknown seed epoch reliability facts",
    "tables/shifts.parquet": "model run unknown extra per_unknown seed uk_uk uk_mk uk_hk mk_uk mk_mk "
    "mk_hk hk_uk hk_mk hk_hk positive_shift negative_shift positive_shift_untrained "
    "negative_shift_untrained",
    "tables/answers.parquet": "model run refused unique_answers mean_repeats std_repeats top_answer "
    "top_answer_count",
    "tables/shift_reasons.parquet": "model run direction shifts non_refusal explosion target_based "
    "domain_shift explained",
    "tables/benchmarks.parquet": "model run unknown extra per_unknown seed task metric value stderr "
    "questions protocol",
    "tables/published.parquet": "model paper_model table unknown extra per_unknown metric published "
    "measured low high difference seeds",
    "tables/capacity.parquet": "model recipe target budget capacity low high beyond",
    "tables/frontier.parquet": "model unknown recipe seeds reliability reliability_low "
    "reliability_high generalization generalization_low generalization_high negative_shift "
    "negative_shift_low negative_shift_high benchmark drop drop_low drop_high harm target "
    "target_otherwise budget reaches meets on_frontier pick",
    "tables/levers.parquet": "model unknown recipe against lever measure difference low high units "
    "seeds helps",
    "tables/costs.parquet": "rule model run suite seconds peak_memory_mb prompts_per_second "
    "tokens_per_second cache_hit_rate device",
}
LEVELS = {"Unknown": "uk", "MaybeKnown": "mk", "HighlyKnown": "hk"}
ORDER = ["uk", "mk", "hk"]


def plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def scores(small: SmallStudy, run: str) -> pd.Series:
    """Share of a run's greedy answers that hold an accepted one, by fact_id."""
    responses = small.of_run(run, "responses/facts.parquet")
    answers = small.table("facts.parquet").set_index("fact_id").answers
    right = [
        any(plain(answer) in plain(row.text) for answer in answers[row.fact_id])
        for row in responses.itertuples()
    ]
    return pd.Series(right).groupby(responses.fact_id.to_numpy()).mean()


def levels(small: SmallStudy, run: str) -> pd.Series:
    return scores(small, run).map(lambda p: "hk" if p == 1 else "mk" if p > 0 else "uk")


@pytest.mark.parametrize("path", CONTRACTS)
def test_contracts(small: SmallStudy, path: str) -> None:
    assert sorted(small.table(path).columns) == sorted(CONTRACTS[path].split())


@pytest.mark.parametrize("run", ["base", *RUNS])
def test_every_fact_is_asked_with_every_prompt(small: SmallStudy, run: str) -> None:
    responses = small.of_run(run, "responses/facts.parquet")
    facts = small.table("facts.parquet")
    assert len(facts) == 80
    asked = set(zip(responses.fact_id, responses.prompt, responses["sample"], strict=True))
    due = {(fact, prompt, 0) for fact in facts.fact_id for prompt in range(PROMPTS)}
    assert asked == due
    assert len(responses) == len(due)
    assert responses.text.str.strip().ne("").mean() > 0.95


@pytest.mark.parametrize("run", ["base", *RUNS])
def test_labels(small: SmallStudy, run: str) -> None:
    labels = small.of_run(run, "labels.parquet").set_index("fact_id")
    mine = scores(small, run)
    assert sorted(labels.index) == sorted(mine.index)
    assert labels.p_correct.to_dict() == pytest.approx(mine.to_dict())
    assert labels.category.map(LEVELS).to_dict() == levels(small, run).to_dict()
    assert labels.p_sampled.isna().all()  # not asked
    refusal = re.compile(
        r"\b(?:don't|do not|cannot|can't) (?:know|answer|verify|provide)\b", re.IGNORECASE
    )
    responses = small.of_run(run, "responses/facts.parquet")
    first = responses[responses.prompt == 0].set_index("fact_id").text
    refused = first.map(lambda text: bool(refusal.search(text)))
    assert labels.refused.to_dict() == refused.to_dict()


def test_categories(small: SmallStudy) -> None:
    table = small.table("tables/categories.parquet").set_index("category")
    counted = levels(small, "base").value_counts()
    for category, level in LEVELS.items():
        assert table.facts[category] == counted[level] > 0
        assert table.share[category] == pytest.approx(counted[level] / 80)


def test_rows(small: SmallStudy) -> None:
    before = levels(small, "base")
    facts = small.table("facts.parquet").set_index("fact_id")
    taught = {}
    for run, roles in zip(RUNS, [["unknown"], ["unknown", "highly_known"]], strict=True):
        rows = small.of_run(run, "rows.parquet")
        assert rows.role.value_counts().to_dict() == dict.fromkeys(roles, 8)
        assert rows.fact_id.is_unique
        assert (rows.question == facts.question[rows.fact_id].to_numpy()).all()
        assert (rows.answer == facts.answers[rows.fact_id].str[0].to_numpy()).all()
        expected = rows.role.map({"unknown": "uk", "highly_known": "hk"})
        assert (before[rows.fact_id].to_numpy() == expected).all()
        taught[run] = set(rows.fact_id[rows.role == "unknown"])
    assert taught[RUNS[0]] == taught[RUNS[1]]


def test_reliability(small: SmallStudy) -> None:
    table = small.table("tables/reliability.parquet").set_index("run")
    assert sorted(table.index) == sorted(RUNS)
    for run in RUNS:
        rows = small.of_run(run, "rows.parquet")
        taught = rows.fact_id[rows.role == "unknown"]
        assert table.reliability[run] == pytest.approx(scores(small, run)[taught].mean())
        assert (table.epoch[run], table.facts[run]) == (10, 8)
    assert table.reliability.max() >= 0.8


@pytest.mark.parametrize("run", RUNS)
def test_shifts(small: SmallStudy, run: str) -> None:
    table = small.table("tables/shifts.parquet").set_index("run").loc[run]
    old, new = levels(small, "base"), levels(small, run)
    new = new[old.index]
    for before in ORDER:
        for after in ORDER:
            count = sum((old == before) & (new == after))
            assert table[f"{before}_{after}"] == count, (before, after)
    change = new.map(ORDER.index) - old.map(ORDER.index)
    assert table.positive_shift == pytest.approx(sum(change > 0) / 80)
    assert table.negative_shift == pytest.approx(sum(change < 0) / 80)
    rest = change.drop(small.of_run(run, "rows.parquet").fact_id)
    assert table.positive_shift_untrained == pytest.approx(sum(rest > 0) / len(rest))
    assert table.negative_shift_untrained == pytest.approx(sum(rest < 0) / len(rest))


@pytest.mark.parametrize("run", ["base", *RUNS])
def test_shared_examples_are_read_once(small: SmallStudy, run: str) -> None:
    footer = small.footer(f"{MODEL}/{run}/responses/facts.parquet")
    assert float(footer["cache_hit_rate"]) > 0.5
    assert float(footer["prompts_per_second"]) > 0


@pytest.mark.parametrize(("run", "steps"), [(RUNS[0], 20), (RUNS[1], 40)])
def test_training(small: SmallStudy, run: str, steps: int) -> None:
    folder = small.results / MODEL / run
    record = json.loads((folder / "adapter/run.json").read_text())
    assert [step for step, _ in record["loss"]] == list(range(1, steps + 1))
    assert record["loss"][-1][1] < record["loss"][0][1] / 2
    assert record["tokens_per_second"] > 0
    assert record["trainable"] == 18 * 3 * (640 + 2048)  # layers, modules, rank 1
    config = json.loads((folder / "adapter/adapter_config.json").read_text())
    assert not Path(config["base_model_name_or_path"]).is_absolute()
    assert not (folder / "checkpoints").exists()
    assert not (folder / "epochs").exists()


def test_costs(small: SmallStudy) -> None:
    table = small.table("tables/costs.parquet")
    jobs = set(zip(table.rule, table.run, strict=True))
    assert jobs == {("ask", run) for run in ["base", *RUNS]} | {
        ("train_adapter", run) for run in RUNS
    }
    assert (table.seconds > 0).all()


@pytest.mark.parametrize(
    "name", ["reliability_by_epoch", "reliability_by_unknown", "shifts_by_unknown"]
)
def test_figures(small: SmallStudy, name: str) -> None:
    beginnings = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
    for form, beginning in beginnings.items():
        content = (small.results / f"figures/{name}.{form}").read_bytes()
        assert content.startswith(beginning)
        assert len(content) > 2000


def test_a_lever_is_the_difference_of_the_other_tables(small: SmallStudy) -> None:
    levers = small.table("tables/levers.parquet")
    assert set(levers.lever) == {"1 HK for no extras"}
    found = levers.set_index("measure")
    for table, measure in (("reliability", "reliability"), ("shifts", "negative_shift")):
        rows = small.table(f"tables/{table}.parquet").sort_values(
            "epoch" if table[0] == "r" else "run"
        )
        last = rows.groupby("extra")[measure].last()
        expected = last["highly_known"] - last["none"]
        assert abs(found["difference"][measure] - expected) < 1e-9
        low, high = found.low[measure], found.high[measure]
        assert low <= expected <= high or (isnan(low) and isnan(high))  # where few facts differ
    assert {"reasoning acc", "misconceptions acc"} <= set(found.index)


def test_the_report_loads_nothing(small: SmallStudy) -> None:
    page = (small.results / "report.html").read_text()
    assert (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-" in page
    )
    assert page.count(page_script()) == 1
    page = page.replace(f"<script>{page_script()}</script>", "")
    inside = [base64.b64decode(found) for found in re.findall(r"base64,([A-Za-z0-9+/=]+)", page)]
    assert len(inside) >= 3  # the figures
    loads = re.compile(
        r"""(?:src|href|data|action)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//"""
        r"""|@import|<script(?! type="application/json">)|<link|<iframe""",
        re.IGNORECASE,
    )
    for text in [page, *(part.decode() for part in inside)]:
        assert not loads.search(text), loads.search(text)
    assert "refresh" not in page


def test_the_tables_are_printed(small: SmallStudy) -> None:
    for name in ("categories", "reliability", "shifts", "answers", "capacity", "levers", "costs"):
        for form in ("md", "tex"):
            assert (small.results / f"tables/{name}.{form}").stat().st_size > 100


def test_tokens_are_those_of_the_plain_text(small: SmallStudy) -> None:
    """The model has no chat template; its tokenizer adds <bos>, once."""
    tokenizer = AutoTokenizer.from_pretrained(small.model)
    prompter = Prompter(tokenizer, "Answer the following question.", "auto")
    facts = small.table("facts.parquet")
    shots = small.table("shots.parquet").sort_values(["prompt", "position"])
    examples = shots[shots.prompt == 0]
    assert len(examples) == 4
    shown = list(zip(examples.question, examples.answer, strict=True))
    head = "".join(f"Question: {question}\nAnswer: {answer}\n" for question, answer in shown)
    for fact in facts.itertuples():
        text = f"Question: {fact.question}\nAnswer:"
        asked = prompter.prompt_ids(shown, fact.question)
        assert asked == tokenizer(head + text).input_ids
        trained, prompt = prompter.row_ids(fact.question, fact.answers[0])
        assert trained == tokenizer(f"{text} {fact.answers[0]}\n").input_ids
        assert trained[:prompt] == tokenizer(text).input_ids
        for ids in (asked, trained):
            assert ids[0] == tokenizer.bos_token_id == 2
            assert ids.count(2) == 1


def test_transformers_gives_the_same_answers(small: SmallStudy) -> None:
    """Other kernels round otherwise, so that a near tie may end otherwise."""
    tokenizer = AutoTokenizer.from_pretrained(small.model)
    model = AutoModelForCausalLM.from_pretrained(small.model, dtype=resolve("auto")).eval()
    prompter = Prompter(tokenizer, "", "text")
    facts = small.table("facts.parquet")[::8]
    shots = small.table("shots.parquet").sort_values(["prompt", "position"])
    responses = small.of_run("base", "responses/facts.parquet")
    given = responses.set_index(["fact_id", "prompt"]).text
    other = []
    for prompt in range(PROMPTS):
        examples = shots[shots.prompt == prompt]
        shown = list(zip(examples.question, examples.answer, strict=True))
        for fact in facts.itertuples():
            ids = torch.tensor([prompter.prompt_ids(shown, fact.question)])
            mask = torch.ones_like(ids)
            done = model.generate(
                ids,
                attention_mask=mask,
                max_new_tokens=32,
                do_sample=False,
                stop_strings=["\n"],
                tokenizer=tokenizer,
            )
            text = tokenizer.decode(done[0, ids.shape[1] :], skip_special_tokens=True)
            if text.split("\n")[0] != given[fact.fact_id, prompt]:
                other.append((fact.question, text.split("\n")[0], given[fact.fact_id, prompt]))
    asked = PROMPTS * len(facts)
    print(f"{asked - len(other)} of {asked} answers are the same; others: {other}")
    assert len(other) <= 0.05 * asked, other


def test_served_as_lora_and_merged_it_answers_alike(small: SmallStudy, tmp_path: Path) -> None:
    # In float32: in bfloat16 the two round differently, and what the model only guesses is a near tie.
    facts = small.table("facts.parquet")[::2]
    facts.to_parquet(tmp_path / "facts.parquet")
    texts = {}
    for way in ("lora", "merged"):
        arguments = [
            small.model,
            small.results / MODEL / RUNS[0] / "adapter",
            tmp_path / "facts.parquet",
            small.results / "shots.parquet",
            PROMPTS,
            way,
            tmp_path / f"{way}.parquet",
        ]
        run_script("ask_adapter.py", *arguments)
        keys = ["fact_id", "prompt", "sample"]
        texts[way] = pd.read_parquet(tmp_path / f"{way}.parquet").set_index(keys).text
    assert len(texts["lora"]) == 40 * PROMPTS
    before = small.of_run("base", "responses/facts.parquet").set_index(keys).text
    changed = texts["lora"] != before.reindex(texts["lora"].index)
    assert changed.mean() > 0.1  # the adapter does something
    equal = texts["lora"] == texts["merged"]
    print(f"{equal.sum()} of {len(equal)} answers are the same")
    assert equal.mean() >= 0.98, pd.DataFrame(texts)[~equal].to_string()


def test_a_second_run_has_nothing_to_do(small: SmallStudy) -> None:
    made = small.results / "report.html"
    before = made.stat().st_mtime_ns
    assert "Nothing to be done" in small.snakemake()
    assert made.stat().st_mtime_ns == before
