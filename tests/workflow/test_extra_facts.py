"""A second source of facts: what is drawn from it, and what it makes run again."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from study_tree import CONFIG, FACTS, Tree
from test_rerun import COUNTED

from knowpack.tables import read_metadata, read_table

GRID = CONFIG["grid"][0]
EXTRA = {f"Which haven is nearest to buoy {n}?": f"Haven {n:03d}" for n in range(40)}
STUDIED = next(iter(FACTS.items()))
POOL = {"source": "table", "path": "extra.csv", "seed": 7}
RUN = "results/small/tiny/uk4-hk{}-s1/rows.parquet"


def with_pool(tree: Tree, **sections: Any) -> Tree:
    """Write a pool of 40 facts, and one that is studied, and let the study use it."""
    with (tree.folder / "extra.csv").open("w", encoding="utf-8", newline="") as file:
        asked_again = (STUDIED[0].upper(), STUDIED[1])
        csv.writer(file).writerows([("question", "answer"), asked_again, *EXTRA.items()])
    (tree.folder / "answers.json").write_text(json.dumps({**FACTS, **EXTRA}))
    tree.configure(extra_facts=POOL, **sections)
    return tree


def dropped(tree: Tree, name: str) -> dict[str, int]:
    return json.loads(read_metadata(tree.results / f"{name}.parquet")["dropped"])


def test_examples_and_highly_known_extras_come_from_the_pool(source: Tree, tmp_path: Path) -> None:
    tree = with_pool(
        source.copy(tmp_path / "tree"),
        prompts={"count": 2, "shots": 2, "pool": "extra_facts"},
        grid=[{"unknown": [4], "extra": ["highly_known"], "per_unknown": [1, 8, 20], "seeds": [1]}],
        dynamics=[],
    )
    runs = [RUN.format(count) for count in (1, 8, 20)]
    labels = "results/small/tiny/base/extra_labels.parquet"
    status, text = tree.snakemake(*runs, labels, "--keep-going", "--set-threads", "ask=1")

    extra = read_table(tree.results / "extra_facts.parquet")
    assert set(extra.question) == set(EXTRA)
    assert dropped(tree, "extra_facts")["studied"] == 1
    shots = read_table(tree.results / "shots.parquet")
    assert shots.question.map(EXTRA).tolist() == shots.answer.tolist()
    asked = read_table(tree.results / "extra_asked.parquet")
    assert set(asked.question) == set(EXTRA) - set(shots.question)
    assert dropped(tree, "extra_asked") == {"few_shot": shots.question.nunique()}
    base = tree.results / "tiny/base"
    for path in ("responses/extra_facts", "extra_labels", "extra_pools"):
        assert set(read_table(base / f"{path}.parquet").fact_id) == set(asked.fact_id), path

    own, others = (read_table(base / f"{name}.parquet") for name in ("pools", "extra_pools"))
    own, others = (set(table.fact_id[table.pool == "highly_known"]) for table in (own, others))
    few, many = (read_table(tree.folder / run) for run in runs[:2])
    few, many = (table[table.role == "highly_known"] for table in (few, many))
    assert len(own) < len(many) == 32 <= len(own) + len(others)
    assert few.fact_id.tolist() == many.fact_id[:4].tolist()
    assert set(many.fact_id[: len(own)]) == own
    drawn = many[len(own) :]
    assert set(drawn.fact_id) <= others
    assert drawn.question.map(EXTRA).tolist() == drawn.answer.tolist()

    assert status == 1
    message = (
        f"error: 80 HighlyKnown facts are needed, but there are {len(own) + len(others)} "
        f"({len(own)} of facts, {len(others)} of extra_facts); "
        "lower grid.unknown or grid.per_unknown, study more facts (facts.size, or more rows of a table) "
        "or more extra_facts"
    )
    assert message in text
    assert "Traceback" not in text


def test_a_pool_of_the_same_facts_is_refused(source: Tree, tmp_path: Path) -> None:
    tree = source.copy(tmp_path / "tree")
    tree.configure(extra_facts=CONFIG["facts"])
    status, text = tree.snakemake("results/small/extra_facts.parquet")
    assert status == 1
    assert "facts.csv: no fact is left of 61 rows (" in text
    assert "studied 60)" in text
    assert "Traceback" not in text


# Runs with HighlyKnown extras may draw from the pool: two of them, one with dynamics.
SELECTED = {"select_rows": 2, "train_adapter": 2, "label": 2, "label_epochs": 1, "score_suite": 2}
POOLED = {"build_extra_facts": 1, "describe_extra_facts": 1, "leave_out_shots": 1}
POOLED |= {"label_extra_facts": 1, "pool_extra_facts": 1}


@pytest.mark.slow
def test_a_pool_reruns_what_may_draw_from_it(tree: Tree) -> None:
    with_pool(tree, grid=[{**GRID, "extra": ["none"]}])
    without = tree.planned()
    assert without == {"list_runs": 1, **COUNTED}  # that of fewer runs; nothing draws from the pool
    with_pool(tree)
    assert tree.planned() == {**POOLED, **SELECTED, "ask": 6, **COUNTED}
    before = [read_table(tree.results / f"tiny/uk{level}-hk1-s1/rows.parquet") for level in (2, 4)]
    status, text = tree.snakemake("--set-threads", "ask=1", "train_adapter=1")
    assert status == 0, text
    for level, rows in zip((2, 4), before, strict=True):
        again = read_table(tree.results / f"tiny/uk{level}-hk1-s1/rows.parquet")
        assert again.equals(rows)  # the study's own facts do
    costs = read_table(tree.results / "tables/costs.parquet")
    assert [*costs.run[costs.suite == "extra_facts"]] == ["base"]
    assert "<dt>Extra facts</dt>" in (tree.results / "report.html").read_text()
    tree.configure()
    assert tree.planned() == {**SELECTED, "ask": 5, **COUNTED}
