"""What a change runs again, and what it leaves alone: exact job counts of dry runs."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from study_tree import CONFIG, SAME_AS_ITS_QUESTION, Tree

from knowpack.tables import read_metadata, read_table

GRID = CONFIG["grid"][0]
LIBRARY = "workflow/scripts/knowpack"
REASONING = "resources/benchmarks/reasoning.yaml"
# Figures of facts, of benchmarks, and all of them; that of the frontier is of both.
KNOWN, QUIZZED, SHOWN = ({"draw_figure": n, "make_report": 1} for n in (4, 5, 8))
# Tables of all runs; that of categories is of the models themselves.
ALL_RUNS = ["reliability", "shifts", "answers", "shift_reasons", "capacity", "published"]
COMPARED = {f"table_{name}": 1 for name in ALL_RUNS} | KNOWN
SCORED = {"table_benchmarks": 1, "table_capacity": 1, "table_published": 1, **QUIZZED}
COUNTED = {"table_costs": 1, **COMPARED, **SCORED, **SHOWN}
A_SUITE = {"load_suite": 1, "ask": 5, "score_suite": 5, "table_costs": 1, **SCORED}


def configure(**sections: Any) -> Callable[[Tree], None]:
    return lambda tree: tree.configure(**sections)


def edit(path: str, old: str, new: str) -> Callable[[Tree], None]:
    return lambda tree: tree.edit(path, old, new)


def exported_from_another_page(tree: Tree) -> None:
    tree.configure(export={"run": "uk2-s1", "merged": True})
    script = tree.folder / "workflow/report/report.js"
    script.write_text(f"{script.read_text(encoding='utf-8')}// again\n", encoding="utf-8")


CHANGES: dict[str, tuple[Callable[[Tree], None], dict[str, int]]] = {
    "nothing": (lambda tree: None, {}),
    "a comment": (
        edit(f"{LIBRARY}/shifts.py", "\ndef shifts(", "\n# Why, not what.\ndef shifts("),
        {},
    ),
    "a comment in a script": (
        edit("workflow/scripts/train_adapter.py", "\nimport json\n", "\n# Why.\nimport json\n"),
        {},
    ),
    "a docstring": (
        edit(f"{LIBRARY}/seeds.py", '    """', '    """(Of the run or of the facts.) '),
        {},
    ),
    "how shifts are counted": (
        edit(f"{LIBRARY}/shifts.py", "\nSHIFTS = ", "\nADDED = 1\nSHIFTS = "),
        {"table_shifts": 1, "table_capacity": 1, "table_published": 1}
        | {"draw_figure": 2, "make_report": 1},
    ),
    "what shifts' script does": (
        edit("workflow/scripts/table_shifts.py", 'caption = "', 'caption = "Changed: '),
        {"table_shifts": 1, "table_published": 1, "draw_figure": 1, "make_report": 1},
    ),
    "one more seed": (
        configure(grid=[{**GRID, "seeds": [1, 2]}]),
        {"list_runs": 1, "select_rows": 4, "train_adapter": 4, "ask": 10, "label": 4}
        | {"label_epochs": 2, "score_suite": 4, **COUNTED},
    ),
    "one more level": (
        configure(grid=[{**GRID, "unknown": [2, 3, 4]}]),
        {"list_runs": 1, "select_rows": 2, "train_adapter": 2, "ask": 4, "label": 2}
        | {"score_suite": 2, **COUNTED},
    ),
    "one level less": (
        configure(grid=[{**GRID, "unknown": [4]}]),
        {"list_runs": 1, **COUNTED},
    ),
    "dynamics of one more level": (
        configure(dynamics=[2, 4]),
        # Runs of that level keep their epochs now; their answers are asked again of the new adapter.
        {"train_adapter": 2, "ask": 6, "label": 2, "label_epochs": 2, "score_suite": 2, **COUNTED},
    ),
    "the learning rate": (
        configure(training={**CONFIG["training"], "learning_rate": 0.01}),
        {"list_runs": 1, "train_adapter": 4, "ask": 10, "label": 4, "label_epochs": 2}
        | {"score_suite": 4, **COUNTED},
    ),
    "the match rule": (
        configure(labels={"match": "word"}),
        {"label": 5, "label_epochs": 2, "table_categories": 1, **COMPARED},
    ),
    "what is a refusal": (
        configure(labels={"refusals": ["no idea"]}),
        {"label": 5, "label_epochs": 2, "table_categories": 1, **COMPARED},
    ),
    "what facts must fit": (
        configure(capacity={"targets": [0.8]}),
        {"table_capacity": 1, "draw_figure": 1, "make_report": 1},
    ),
    "what is taken home, and the script of the report": (
        exported_from_another_page,
        {"make_report": 1},
    ),
    "what all pages have": (
        edit("workflow/report/parts.html.j2", "--line: #d5d5d5;", "--line: #d5d5d6;"),
        {"describe_facts": 1, "make_report": 1},
    ),
    "how long an answer may be": (
        configure(asking={"max_new_tokens": 16}),
        # The base model's answers decide what is taught, so new ones train anew; its own answers to
        # the benchmark stay.
        {"ask": 11, "pool_facts": 1, "select_rows": 4, "train_adapter": 4, "label": 5}
        | {"label_epochs": 2, "score_suite": 4, "table_categories": 1, **COUNTED},
    ),
    "one more suite": (
        configure(suites={**CONFIG["suites"], "own": [{"task": REASONING}]}),
        A_SUITE,
    ),
    "no suites": (
        configure(suites={}),
        {"table_costs": 1, **SCORED},
    ),
    "what a benchmark asks": (
        edit("quiz/quiz.jsonl", "Is lighthouse 3 lit?", "Is lighthouse 3 dark?"),
        A_SUITE,
    ),
    "how a benchmark asks it": (
        configure(suites={"small": [{"task": "quiz/quiz.yaml", "limit": 3}]}),
        A_SUITE,
    ),
    "how benchmarks are scored": (
        edit(f"{LIBRARY}/benchmarks.py", "\nBOOTSTRAPS = 1000", "\nBOOTSTRAPS = 2000"),
        {"score_suite": 5, **SCORED},
    ),
}


@pytest.mark.parametrize(("change", "planned"), CHANGES.values(), ids=CHANGES)
def test_a_change_reruns_what_it_changes(
    tree: Tree, change: Callable[[Tree], None], planned: dict[str, int]
) -> None:
    change(tree)
    assert tree.planned() == planned


@pytest.mark.parametrize(
    ("module", "line", "trained"),
    [("selection.py", "\ndef select", 0), ("training.py", "\ndef train(", 1)],
)
def test_a_step_that_makes_the_same_as_ever_stops_there(
    tree: Tree, module: str, line: str, trained: int
) -> None:
    run, labels = tree.results / "tiny/uk2-s1", "results/small/tiny/uk2-s1/labels.parquet"
    before = (run / "adapter/adapter_model.safetensors").read_bytes()
    tree.edit(f"{LIBRARY}/{module}", line, f"\nADDED = 1\n{line}")
    assert tree.planned(labels)["ask"] == 1
    status, text = tree.snakemake(labels)
    assert status == 0, text
    logs = tree.results / "logs"
    again = "as it was: made from the same before\n"
    assert ((logs / "train_adapter/tiny/uk2-s1.log").read_text() == again) == (not trained)
    assert (logs / "ask/tiny/uk2-s1/facts.log").read_text() == again
    assert (run / "adapter/adapter_model.safetensors").read_bytes() == before
    assert tree.planned(labels) == {}


@pytest.mark.parametrize("carried", [["results"], ["results", ".snakemake"]], ids=" ".join)
def test_a_clone_with_the_results_has_nothing_to_do(
    finished: Tree, tmp_path: Path, carried: list[str]
) -> None:
    origin = finished.copy(tmp_path / "origin")
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message=all"],
    ):
        subprocess.run(["git", *command], cwd=origin.folder, check=True)
    clone = Tree(tmp_path / "clone")
    subprocess.run(["git", "clone", "--quiet", origin.folder, clone.folder], check=True)
    assert not clone.results.exists()
    for name in carried:
        shutil.copytree(finished.folder / name, clone.folder / name, symlinks=True)
    assert clone.planned() == {}


def test_a_fact_whose_answer_stands_in_its_question_is_dropped_and_counted(finished: Tree) -> None:
    facts = finished.results / "facts.parquet"
    assert SAME_AS_ITS_QUESTION[0] not in set(read_table(facts, ["question"]).question)
    assert json.loads(read_metadata(facts)["dropped"]) == {
        "duplicate": 0,
        "ambiguous": 0,
        "answer_in_question": 1,
        "alias_in_question": 0,
        "not_drawn": 0,
    }
    log = (finished.results / "logs/build_facts.log").read_text()
    assert "60 facts of 61 rows; what became of the others: results/small/facts.html" in log
    assert '"answer_in_question": 1' in log
