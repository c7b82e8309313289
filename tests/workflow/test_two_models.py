"""Several models in one study: every table names them, every figure sets them side by side."""

from pathlib import Path

import pandas as pd
import pytest
from study_tree import CONFIG, Tree

MODELS = ["tiny", "tiny-mistral"]
TABLES = ["categories", "reliability", "shifts", "answers", "shift_reasons", "benchmarks"]
TABLES += ["capacity", "frontier", "published", "costs"]
TASK = """
task: truthfulqa_mc1
dataset_path: json
dataset_kwargs: {data_files: {test: mc1.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: [one, two]
doc_to_target: 0
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
metadata: {version: 1}
"""


@pytest.mark.slow
def test_two_models_stand_side_by_side(source: Tree, tmp_path: Path) -> None:
    tree = source.copy(tmp_path / "tree")
    (tree.folder / "mc1.yaml").write_text(TASK)
    (tree.folder / "mc1.jsonl").write_text('{"question": "How many?"}\n{"question": "Which?"}\n')
    tree.configure(
        models=[{**CONFIG["models"][0], "name": name} for name in MODELS],
        # A condition that the paper has of both its models.
        grid=[{"unknown": [1], "extra": ["highly_known"], "per_unknown": [1], "seeds": [1]}],
        dynamics=[],
        suites={"truthfulness": [{"task": "mc1.yaml"}]},
    )
    assert tree.planned()["train_adapter"] == len(MODELS)
    status, text = tree.snakemake("--set-threads", "ask=1", "train_adapter=1")
    assert status == 0, text
    for name in TABLES:
        found = pd.read_parquet(tree.results / f"tables/{name}.parquet").model
        assert set(found) == set(MODELS), name
    published = pd.read_parquet(tree.results / "tables/published.parquet")
    papers = dict(zip(published.model, published.paper_model, strict=True))
    assert papers == {"tiny": "Llama-3.1-8B-Instruct", "tiny-mistral": "Mistral-7B-Instruct-v0.3"}
    drawn = (tree.results / "figures/models_side_by_side.svg").read_text()
    assert all(f"<!-- {name}: TruthfulQA MC1 -->" in drawn for name in MODELS)  # each panel's title
    page = (tree.results / "report.html").read_text()
    assert "Shifts of a second model" in page
