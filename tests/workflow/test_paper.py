"""The paper's two studies, planned as they stand in config/."""

import pytest
from study_tree import Tree

# 6 levels x (none, and 2 extras x 1 or 10 a fact) x 3 seeds.
RUNS = 90
WITH_BASE = RUNS + 1
EPOCHS = 30  # of levels 500 and 3000
SUITES = 3
PLANNED = {
    "materialise_model": 2,  # the one that is taught, and the one that writes paraphrases
    "build_facts": 1,
    "describe_facts": 1,
    "build_extra_facts": 1,
    "describe_extra_facts": 1,
    "draw_shots": 1,
    "leave_out_shots": 1,
    "list_runs": 1,
    "load_suite": SUITES,
    "ask": WITH_BASE + 1 + EPOCHS + SUITES * WITH_BASE,  # the model itself the extra facts too
    "label": WITH_BASE,
    "label_extra_facts": 1,
    "label_epochs": EPOCHS,
    "score_suite": SUITES * WITH_BASE,
    "pool_facts": 1,
    "pool_extra_facts": 1,
    "paraphrase_facts": 1,
    "select_rows": RUNS,
    "train_adapter": RUNS,
    "table_categories": 1,
    "table_reliability": 1,
    "table_shifts": 1,
    "table_answers": 1,
    "table_shift_reasons": 1,
    "table_benchmarks": 1,
    "table_capacity": 1,
    "table_published": 1,
    "table_costs": 1,
    "draw_figure": 8,
    "make_report": 1,
}


@pytest.mark.parametrize("name", ["paper-llama-3.1-8b", "paper-mistral-7b"])
def test_a_dry_run_plans_every_job_without_a_network(
    source: Tree, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # The authors' categories come with the facts; they are Llama's.
    compared = {"table_published_categories": 1} if "llama" in name else {}
    assert source.planned(config=f"config/{name}.yaml") == PLANNED | compared
    assert PLANNED["train_adapter"] == 90
