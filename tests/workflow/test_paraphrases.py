"""Paraphrases from templates and from a model: from the configuration to the rows of a run."""

from pathlib import Path
from typing import Any

import pytest
from study_tree import Tree

from knowpack.tables import read_table

RUN = "results/small/tiny/uk2-pp2-s1"
RELATIONS = """\
harbour:
  templates:
    - Which harbour is nearest to {subject}?
    - "First: where does {subject} have its harbour?"
    - "Second: where does {subject} have its harbour?"
    - "Third: where does {subject} have its harbour?"
"""
WRITER = {
    "source": "model",
    "model": {"name": "writer", "source": "folder", "path": "tiny-model"},
    "instruction": "Reword it {count} times.",
    "count": 3,
    "max_new_tokens": 100,
}
WORDINGS = {
    "templates": [
        "First: where does {} have its harbour?",
        "Second: where does {} have its harbour?",
    ],
    "model": [f"Once more ({n}): Which harbour is nearest to {{}}?" for n in (1, 2)],
}


@pytest.mark.parametrize("section", [{"source": "templates"}, WRITER], ids=lambda s: s["source"])
def test_a_runs_paraphrases(source: Tree, tmp_path: Path, section: dict[str, Any]) -> None:
    tree = source.copy(tmp_path / "tree")
    subjects = tree.relate(RELATIONS)
    tree.configure(
        facts={"source": "table", "path": "facts.jsonl", "templates": "relations.yaml"},
        grid=[{"unknown": [1, 2], "extra": ["paraphrase"], "per_unknown": [2], "seeds": [1]}],
        paraphrases=section,
        dynamics=[],
    )
    status, text = tree.snakemake(f"{RUN}/rows.parquet", "--set-threads", "ask=1")
    assert status == 0, text
    rows = read_table(tree.folder / RUN / "rows.parquet")
    assert rows.role.tolist() == ["unknown"] * 2 + ["paraphrase"] * 4
    taught = [subjects[question] for question in rows.question[:2]]
    wordings = WORDINGS[section["source"]]
    expected = [wording.format(subject) for subject in taught for wording in wordings]
    assert rows.question[2:].tolist() == expected
    assert rows.answer[2:].tolist() == [rows.answer[fact] for fact in (0, 0, 1, 1)]
    made = read_table(tree.results / "tiny/base/paraphrases.parquet")
    assert set(made.groupby("fact_id").number.agg(list).map(tuple)) == {(1, 2, 3)}
    assert (tree.results / "writer").exists() == (section is WRITER)
