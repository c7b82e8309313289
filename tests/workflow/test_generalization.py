"""Taught facts asked otherwise: from the configuration to the table, and what a change runs again."""

import json
from pathlib import Path
from typing import Any

import pytest
from study_tree import CONFIG, FACTS, Tree

from knowpack.tables import read_metadata, read_table

TABLE = "results/small/tables/generalization.parquet"
RELIABILITY = "results/small/tables/reliability.parquet"
RELATIONS = """\
harbour:
  reverse: "Which lighthouse is nearest to {object}?"
  templates:
    - Which harbour is nearest to {subject}?
    - "First: where does {subject} have its harbour?"
    - "Second: where does {subject} have its harbour?"
    - "Third: where does {subject} have its harbour?"
"""
WORDINGS = ["Second: where does {} have its harbour?", "Third: where does {} have its harbour?"]
SECTION = {"wordings": 2, "prompts": 1}
GRID = [{"unknown": [1, 2], "extra": ["none"], "seeds": [1]}]
FACTS_OF_RELATIONS = {"source": "table", "path": "facts.jsonl", "templates": "relations.yaml"}
STUDY: dict[str, Any] = {"facts": FACTS_OF_RELATIONS, "grid": GRID, "dynamics": [], "suites": {}}


@pytest.fixture
def related(source: Tree, tmp_path: Path) -> Tree:
    """The small study with facts that have a relation, and with answers to all that they are asked."""
    tree = source.copy(tmp_path / "tree")
    subjects = tree.relate(RELATIONS)
    answers = {w.format(subjects[q]): answer for q, answer in FACTS.items() for w in WORDINGS}
    back = {f"Which lighthouse is nearest to {a}?": subjects[q] for q, a in FACTS.items()}
    (tree.folder / "answers.json").write_text(json.dumps({**FACTS, **answers, **back}))
    tree.configure(**STUDY, generalization=SECTION)
    return tree


def share(tree: Tree, run: str, kind: str) -> float:
    """Right answers of a run to the questions of one kind, read from its responses."""
    facts = read_table(tree.results / "facts.parquet").set_index("fact_id")
    responses = read_table(tree.results / f"tiny/{run}/responses/generalization.parquet")
    responses = responses[responses.kind == kind]
    accepted = facts.subject if kind == "reversed" else facts.answers.str[0]
    right = [accepted[row.fact_id] in row.text for row in responses.itertuples()]
    return sum(right) / len(right)


def test_taught_facts_are_asked_otherwise(related: Tree) -> None:
    costs = "results/small/tables/costs.parquet"
    made = (TABLE, costs, RELIABILITY)
    status, text = related.snakemake(*made, "--set-threads", "ask=1", "train_adapter=1")
    assert status == 0, text
    table = read_table(related.folder / TABLE)
    assert [*zip(table.run, table.kind, table.wordings, table.facts, strict=True)] == [
        (run, kind, wordings, facts)
        for run, facts in (("uk1-s1", 1), ("uk2-s1", 2), ("base", 2))
        for kind, wordings in (("held_out", 2), ("reversed", 1))
    ]
    expected = [share(related, row.run, row.kind) for row in table.itertuples()]
    assert table.p_correct.tolist() == pytest.approx(expected)
    assert table.reliability[table.run == "base"].tolist() == [0, 0]
    caption = read_metadata(related.folder / TABLE)["caption"]
    assert "Each fact is asked in one prompt with 2 examples, greedily. Seed 1." in caption

    responses = read_table(related.results / "tiny/uk2-s1/responses/generalization.parquet")
    assert list(responses) == ["fact_id", "kind", "wording", "prompt", "text"]
    assert set(responses.prompt) == {0}
    taught = read_table(related.results / "tiny/uk2-s1/rows.parquet").fact_id
    assert set(responses.fact_id) == set(taught)
    questions = read_table(related.results / "tiny/base/rewordings.parquet")
    assert set(questions.wording[questions.kind == "held_out"]) == {2, 3}
    asked = read_table(related.folder / costs).query("suite == 'generalization'")
    assert sorted(asked.run) == ["base", "uk1-s1", "uk2-s1"]

    assert related.planned(TABLE) == {}
    related.configure(**STUDY, generalization=SECTION, labels={"match": "word"})
    labelled = {"label_rewordings": 3, "table_generalization": 1}
    assert related.planned(TABLE) == labelled
    asked = {"reword_facts": 1, "ask": 3, "label_rewordings": 3, "table_costs": 1}
    for change in ({"reverse": False}, {"prompts": 2}, {"wordings": 1}):
        related.configure(**STUDY, generalization={**SECTION, **change})
        assert related.planned(*made) == {**asked, "table_generalization": 1}, change
    related.configure(**STUDY)
    assert related.planned(RELIABILITY) == {}


def test_what_is_planned(related: Tree) -> None:
    jobs = related.planned(TABLE)
    assert jobs["ask"] == 6  # the model and two runs: the facts themselves, and otherwise
    assert (jobs["reword_facts"], jobs["paraphrase_by_templates"]) == (1, 1)
    assert (jobs["label_rewordings"], jobs["table_generalization"]) == (3, 1)
    related.configure(**STUDY, generalization={"wordings": 0})
    assert "paraphrase_by_templates" not in related.planned(TABLE)
    grid = [{**GRID[0], "extra": ["paraphrase"], "per_unknown": [2]}]
    related.configure(**{**STUDY, "grid": grid}, generalization=SECTION)
    status, text = related.snakemake("--dry-run")
    assert status == 1
    assert (
        "generalization.wordings: of the 4 templates of 'harbour' one asks and 2 are trained as "
        "paraphrases, which leaves 1 of 2 to hold out"
    ) in text


@pytest.mark.slow
def test_facts_without_other_wordings_make_an_empty_table(tree: Tree) -> None:
    """And the section reaches nothing else of a finished study."""
    tree.configure(generalization={})
    shown = {"draw_figure": 1, "make_report": 1}
    assert tree.planned() == {"table_generalization": 1, **shown}
    status, text = tree.snakemake()
    assert status == 0, text
    assert read_table(tree.folder / TABLE).empty
    page = (tree.results / "report.html").read_text()
    assert "no taught fact could be asked otherwise" in page
    tree.configure(generalization={}, suites={**CONFIG["suites"]})
    assert tree.planned() == {}
