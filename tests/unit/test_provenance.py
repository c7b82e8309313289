"""A changed statement changes what it reaches; nothing else does."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from knowpack import provenance
from knowpack.provenance import READERS, SCRIPTS, code_digest, pins, reached, unread

# Which library modules each job is made with. A module that is added here reruns that job in every
# study whenever it changes: keep those out that only the other jobs need.
PRINTED = {"conditions", "layout", "markup", "publish", "tables"}
CAPTIONED = {"benchmark_names", "captions", *PRINTED}
LABELLED = {"answers", "knowledge", "tables"}
PARAPHRASED = {"paraphrases", "tables"}
WORLD = {"world", "worldlanguages", "worldnames", "worldplaces", "worldtables"}
ENGINE = {"adapters", "continuations", "engine", "precision"}
ASKED = {"asking", "files", "prompts", "sums", "tables", *ENGINE}
EXPORTED = {"adapters", "card", "conditions", "export", "files", "markup", "plain_text", "prompts"}
EXPORTED |= {"sums", "tables"}
TASKS = {"files", "tables", "task_files", "task_sandbox", "tasks"}
REACHED = {
    "ask_benchmarks.py": {"harness", "scoring", "suites", "sums", *ENGINE, *TASKS},
    "ask_epochs.py": ASKED,
    "ask_facts.py": ASKED,
    "ask_generalization.py": {"asking_rewordings", *ASKED},
    "build_facts.py": {
        "aliases",
        "cells",
        "dbpedia",
        "draws",
        "dbpedia_queries",
        "dumps",
        "facts",
        "files",
        "hub",
    }
    | {"sources", "tables", "tabular", "templates", "wikidata", "wikidata_api", *WORLD},
    "describe_facts.py": {"draws", "fact_set", "facts_page", "pages", "plots", "tables"},
    "draw_figure.py": {"benchmark_names", "captions", "conditions", "figure_captions", "figures"}
    | {"panels", "plots", "tables"},
    "draw_shots.py": {"files", "prompts", "tables"},
    **dict.fromkeys(["export_adapter.py", "export_merged.py"], EXPORTED),
    "fetch_dump.py": {"dumps"},
    "label.py": LABELLED,
    "label_epochs.py": {"dynamics", *LABELLED},
    "label_rewordings.py": {"reworded_labels", "rewordings", "templates", *LABELLED},
    "leave_out_shots.py": {"draws", "facts", "tables", "templates"},
    "list_runs.py": {"runtable", "tables"},
    "load_suite.py": TASKS,
    "make_report.py": {
        "answer",
        "answer_layout",
        "benchmark_names",
        "captions",
        "charts",
        "conditions",
        "contents",
        "layout",
    }
    | {"legend", "lever_charts", "page_script", "page_tables", "pages", "panels", "plots"}
    | {"published", "report", "study_page", "tables"},
    "materialise_model.py": {"files", "models", "tables"},
    "paraphrase_by_model.py": {"order", "paraphrases_by_model", "prompts", "seeds"}
    | {*ENGINE, *PARAPHRASED},
    "paraphrase_by_templates.py": {"files", "paraphrases_by_templates", "templates", *PARAPHRASED},
    "pool_facts.py": {"pools", *LABELLED},
    "reword_facts.py": {"answers", "files", "rewordings", "tables", "templates"},
    "recommend.py": {"answer", "conditions", "recommended", "tables"},
    "scale_adapter.py": {"files", "scaling", "sums", "tables"},
    "score_suite.py": {"benchmarks", *TASKS},
    "select_rows.py": {"extras", "order", "seeds", "selection", "tables"},
    "table_answers.py": {"answer_stats", *CAPTIONED},
    "table_benchmarks.py": {"benchmark_table", "runtable", *CAPTIONED},
    "table_capacity.py": {"answer_layout", "bootstrap", "capacity", "frontier", "levers"}
    | {"measured_study", "measures", "runtable", "seeds", "shifts", *CAPTIONED},
    "table_categories.py": {"categories", *CAPTIONED},
    "table_costs.py": {"costs", *PRINTED},
    "table_generalization.py": {"generalization", "runtable", *CAPTIONED},
    "table_published_categories.py": {"categories", "published_categories", *CAPTIONED},
    "table_published.py": {"benchmark_names", "files", "published", *PRINTED},
    "table_reliability.py": {"reliability", "runtable", *CAPTIONED},
    "table_shift_reasons.py": {"answers", "shift_reasons", *CAPTIONED},
    "table_shifts.py": {"runtable", "shifts", *CAPTIONED},
    "train_adapter.py": {"losses", "batches", "epochs", "files", "methods", "precision"}
    | {"processes", "prompts", "schedule", "seeds", "sums", "tables", "training"},
}
SCRIPT = (
    "from knowpack.job import job\n\nwith job('log'):\n    from knowpack.a import f\n\n    f()\n"
)
MODULES = {
    "job": "def job(log):\n    return 1\n",
    "a": '''
"""A module."""

import os
from knowpack import b

LIMIT = 3


def f(x: int = 1, *, y=None) -> str:
    """Say it."""
    # a remark
    return f"{x:>{LIMIT}}{os.sep}{b.g(x, y)}"
''',
    "b": "def g(*x):\n    import knowpack.c\n    return knowpack.c.ONE\n",
    "c": "ONE = 1\n",
    "d": "TWO = 2\n",
}
Digest = Callable[..., str]


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Digest:
    """The digest of a small project in which ``old`` is ``new`` in one module."""
    places = iter(range(99))

    def made(module: str = "a", old: str = "", new: str = "", script: str = SCRIPT) -> str:
        folder = tmp_path / str(next(places))
        (folder / "knowpack").mkdir(parents=True)
        (folder / "script.py").write_text(script)
        for name, text in MODULES.items():
            assert name != module or old in text
            text = text.replace(old, new) if name == module and old else text
            (folder / "knowpack" / f"{name}.py").write_text(text)
        monkeypatch.setattr(provenance, "SCRIPTS", folder)
        return code_digest("script.py")

    return made


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("a", "# a remark", "# another"),
        ("a", "    # a remark\n", "\n\n\n"),
        ("a", "Say it.", "Say it well."),
        ("a", '    """Say it."""\n', ""),
        ("a", '"""A module."""', ""),
        ("a", "x: int = 1, *, y=None", "x: int=1,\n  *,\n  y=None,\n"),
        ("a", "LIMIT = 3", "LIMIT = (3)"),
        ("a", 'f"{x:>{LIMIT}}', "f'{x:>{LIMIT}}' f\""),
        ("d", "2", "3"),  # out of reach
        ("job", "1", "2"),  # speaks, makes nothing
    ],
)
def test_what_leaves_a_digest_alone(digest: Digest, module, old, new):
    assert digest(module, old, new) == digest()


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("a", "LIMIT = 3", "LIMIT = 4"),
        ("a", "LIMIT = 3", "LIMIT = 3.0"),
        ("a", "LIMIT = 3", "LIMIT = '3'"),
        ("a", "LIMIT = 3", "LIMIT = -3"),
        ("a", "x: int = 1", "x: int = 2"),
        ("a", "x: int = 1", "x: int"),
        ("a", "y=None", "y=()"),
        ("a", "*, y", "y"),
        ("a", "b.g(x, y)", "b.g(y, x)"),
        ("a", "b.g(x, y)", "b.g(x, *y)"),
        ("a", ":>{LIMIT}", ":<{LIMIT}"),
        ("a", "-> str", "-> int"),
        ("a", "    # a remark\n", "    x += 1\n"),
        ("a", "import os\n", "import posix as os\n"),
        ("b", "*x", "**x"),
        ("c", "1", "2"),  # reached by an import inside a function
    ],
)
def test_what_changes_a_digest(digest: Digest, module, old, new):
    assert digest(module, old, new) != digest()


def test_what_another_package_is_told_to_import_counts(digest: Digest):
    loading = SCRIPT.replace("f()", "f('knowpack.d:TWO')")
    assert digest("d", "2", "3", loading) != digest(script=loading)
    speaking = SCRIPT.replace("f()", "f('of knowpack.d:TWO')")
    assert digest("d", "2", "3", speaking) == digest(script=speaking)


def test_the_script_itself_counts(digest: Digest):
    assert digest(script=SCRIPT.replace("f()", "f(2)")) != digest()
    assert digest(script=SCRIPT.replace("'log'", '"log"')) == digest()


def test_a_digest_is_the_same_everywhere(digest: Digest):
    """Pinned: the syntax tree is written out by Knowpack itself, as Python's own form changes."""
    assert digest() == "d2a416d885f35b69"


def test_a_format_is_the_same_in_every_python():
    tree = ast.parse("f'{x:>{y}}'")
    before = provenance._serialise(tree)
    tree.body[0].value.values[0].format_spec.values.append(ast.Constant(""))  # as in 3.12.1
    assert provenance._serialise(tree) == before


def test_empty_and_absent_are_told_apart():
    def written(text: str) -> str:
        return provenance._serialise(ast.parse(text))

    texts = ["f()", "f([])", "f(None)", "f(x=None)", "f(**None)", "f", "f(())", "f({})", "f('')"]
    texts += ["x[:]", "x[None]", "x[::]", "x[1:]", "x[:1]", "return_", "def f(*, a, b=1): 0"]
    texts += ["def f(*, a=1, b): 0", "lambda: 0", "lambda: None", "b''", "0", "False", "0.0", "0j"]
    forms = [written(text) for text in texts]
    assert written("x[:]") == written("x[::]")
    assert len(set(forms)) == len(forms) - 1


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.py")))
def test_each_script_reaches_just_the_modules_that_make_its_results(script):
    modules = reached(script).keys() - {script}
    assert {name.removeprefix("knowpack.") for name in modules} == REACHED[script], (
        "a changed import: is the module needed for this job's results? then list it in REACHED"
    )


@pytest.mark.parametrize(
    "module", sorted((SCRIPTS / "knowpack").glob("*.py")), ids=lambda p: p.stem
)
def test_a_changed_module_reruns_the_scripts_that_reach_it_and_no_other(
    module: Path, monkeypatch: pytest.MonkeyPatch
):
    def digests(changed: Path | None) -> dict[str, str]:
        # That a changed statement changes these is tested above.
        monkeypatch.setattr(provenance, "_statements", lambda path: f"{path == changed}")
        return {script: code_digest(script) for script in REACHED}

    before, after = digests(None), digests(module)
    rerun = {script for script in REACHED if before[script] != after[script]}
    assert rerun == {script for script, modules in REACHED.items() if module.stem in modules}


@pytest.mark.parametrize(
    ("spec", "read"),
    [
        ({"source": "table", "aliases": {"source": "table"}}, set()),
        ({"source": "hub"}, {"hub"}),
        ({"source": "dbpedia", "aliases": {"source": "wikidata"}}, {"dbpedia", "wikidata"}),
        ({"source": "world", "aliases": None}, {"world"}),
    ],
)
def test_facts_are_made_with_the_modules_that_read_their_sources(spec, read):
    modules = {name.removeprefix("knowpack.") for name in reached("build_facts.py", unread(spec))}
    assert modules & READERS == read
    assert {"sources", "facts", "tabular"} <= modules
    assert ("worldnames" in modules) == ("world" in read)
    same = code_digest("build_facts.py") == code_digest("build_facts.py", unread(spec))
    assert not same


def test_every_import_is_one_that_is_found():
    """No relative import and no bare `import knowpack`, which the digest would not follow."""
    for path in SCRIPTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, path
            if isinstance(node, ast.Import):
                assert "knowpack" not in [alias.name for alias in node.names], path


@pytest.mark.parametrize("kind", ["engine", "train", "analysis", "benchmark"])
def test_pins_are_sorted_and_free_of_the_device(kind):
    found = pins(kind)
    assert found == sorted(found)
    assert all("==" in pin and "+" not in pin and "-cpu==" not in pin for pin in found)


def test_the_stack_of_a_cpu_is_that_of_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(provenance, "ENVIRONMENTS", tmp_path)
    text = "dependencies: [python=3.11, pip, {pip: [--extra-index-url x, b-cpu==1+cpu, a==2, tqdm==4]}]"
    (tmp_path / "stack-of-a-test.cpu.yaml").write_text(text)
    assert pins("stack-of-a-test") == ["a==2", "b==1"]
