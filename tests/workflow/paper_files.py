"""The files of the paper's study, by what they are made of; written out, not asked of Snakemake."""

from collections.abc import Iterable
from typing import NamedTuple

Files = set[str]

# The paper's conditions, written out: 6 levels x (none, and 2 extras x 1 or 10 a fact). Of its three seeds
# one: the others' jobs are the same once more, and planning takes time by the job.
LLAMA, MISTRAL, WRITER = "llama-3.1-8b", "mistral-7b-v0.3", "llama-3.1-70b"
LEVELS = [1, 10, 50, 100, 500, 3000]
EXTRAS = ["", "-hk1", "-hk10", "-pp1", "-pp10"]
SEEDS = [42]
WITH_EPOCHS = [500, 3000]
SUITES = ["knowledge", "truthfulness", "reasoning"]


class Run(NamedTuple):
    """A run, or a model itself, whose level is 0."""

    folder: str
    level: int = 0
    extra: str = ""


def runs(
    models: Iterable[str] = (LLAMA,), levels: Iterable[int] = LEVELS, seeds: Iterable[int] = SEEDS
) -> list[Run]:
    return [
        Run(f"{model}/uk{level}{extra}-s{seed}", level, extra)
        for model in models
        for level in levels
        for extra in EXTRAS
        for seed in seeds
    ]


def bases(*models: str) -> list[Run]:
    return [Run(f"{model}/base") for model in models]


def files(of: Iterable[Run], *names: str) -> Files:
    return {f"{run.folder}/{name}" for run in of for name in names}


def asked(of: Iterable[Run], suites: Iterable[str]) -> Files:
    return files(of, *(f"responses/{suite}.parquet" for suite in suites))


def scored(of: Iterable[Run], suites: Iterable[str] = SUITES) -> Files:
    kinds = ("questions", "scores")
    return files(of, *(f"{kind}/{suite}.parquet" for kind in kinds for suite in suites))


def benchmarked(of: Iterable[Run], suites: Iterable[str] = SUITES) -> Files:
    return asked(of, suites) | scored(of, suites)


def with_epochs(of: Iterable[Run]) -> list[Run]:
    return [run for run in of if run.level in WITH_EPOCHS]


def asked_facts(of: list[Run]) -> Files:
    return asked(of, ["facts"]) | asked(with_epochs(of), ["dynamics"])


def judged(of: list[Run]) -> Files:
    return files(of, "labels.parquet") | files(with_epochs(of), "dynamics.parquet")


def answered(of: list[Run]) -> Files:
    return asked_facts(of) | judged(of) | benchmarked(of)


def taught(of: list[Run]) -> Files:
    names = ["adapter_config.json", "adapter_model.safetensors", "SHA256SUMS", "run.json"]
    return files(of, *(f"adapter/{name}" for name in names)) | answered(of)


def selected(of: list[Run]) -> Files:
    return files(of, "rows.parquet") | taught(of)


def table(*names: str) -> Files:
    return {f"tables/{name}.{form}" for name in names for form in ("parquet", "md", "tex", "html")}


def figure(*names: str) -> Files:
    return {f"figures/{name}.{form}" for name in names for form in ("svg", "png", "pdf")}


REPORT = {"report.html", "headline.txt"}
PUBLISHED = table("published") | REPORT
CAPACITY = table("capacity", "frontier", "levers") | figure("frontier") | REPORT
SHIFTS = table("shifts") | figure("shifts_by_unknown") | PUBLISHED
RELIABILITY = table("reliability") | figure("reliability_by_epoch", "reliability_by_unknown")
REASONS = table("shift_reasons", "shift_examples")
LABELLED = RELIABILITY | SHIFTS | REASONS | table("answers") | PUBLISHED | CAPACITY
QUIZZED = ["mmlu_by_unknown", "truthfulqa_by_unknown", "models_side_by_side"]
SCORED = table("benchmarks") | figure(*QUIZZED, "benchmarks_by_unknown") | PUBLISHED | CAPACITY
COSTS = table("costs") | REPORT
OF_RUNS = LABELLED | SCORED | COSTS
OF_MODELS = table("categories", "published_categories")


def sorted_anew(models: Iterable[str], of: list[Run]) -> Files:
    """The models' facts are sorted by what is known of them, and all that follows."""
    names = ["pools", "extra_pools", "paraphrases"]
    return files(bases(*models), *(f"{n}.parquet" for n in names)) | selected(of) | OF_RUNS


def labelled_anew(models: Iterable[str], of: list[Run]) -> Files:
    names = ["labels.parquet", "extra_labels.parquet"]
    return files(bases(*models), *names) | sorted_anew(models, of) | OF_MODELS


def known_anew(models: Iterable[str], of: list[Run]) -> Files:
    """The models are asked what they know, and all that follows; they take no benchmark again."""
    return asked(bases(*models), ["facts", "extra_facts"]) | labelled_anew(models, of)


ALL = runs()
NEW_SEED, NEW_LEVEL = runs(seeds=[7]), runs(levels=[2000])
PARAPHRASED = [run for run in ALL if run.extra.startswith("-pp")]
KNOWN = known_anew([LLAMA], ALL)
SHOTS = {"shots.parquet", "extra_asked.parquet"} | KNOWN
EXTRA_FACTS = {"extra_facts.parquet", "extra_facts.html"} | SHOTS
FACTS = {"facts.parquet", "facts.html"} | EXTRA_FACTS
ENGINE = benchmarked(bases(LLAMA)) | KNOWN
MODEL = {f"{LLAMA}/model/model.json"} | ENGINE
PARAPHRASES = {f"{LLAMA}/base/paraphrases.parquet"} | selected(PARAPHRASED) | OF_RUNS
EVERY_SUITE = benchmarked(bases(LLAMA) + ALL) | SCORED | COSTS
LOADED = {f"suites/{suite}.json" for suite in SUITES}
EVERYTHING = FACTS | MODEL | LOADED | {"runs.parquet", f"{WRITER}/model/model.json"}


def one_suite(name: str) -> Files:
    """A suite's questions are loaded and asked of every run and of the model itself."""
    return {f"suites/{name}.json"} | benchmarked(bases(LLAMA) + ALL, [name]) | SCORED | COSTS
