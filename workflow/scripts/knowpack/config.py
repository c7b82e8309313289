"""The configuration, as one strict model: unknown keys, wrong types and impossible values are errors.

Imported while Snakemake builds its graph, so it needs pydantic and the standard library only.
`config/README.md` and `config/schema.json` are made from the descriptions below.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from knowpack.config_answer import Export, Generalization
from knowpack.config_capacity import Capacity
from knowpack.config_jobs import Jobs
from knowpack.config_sources import FactSource, Model, Paraphrases
from knowpack.config_training import Grid, Training
from knowpack.strict import EXPONENT, Natural, Pattern, Positive, Slug, Strict, explain

# What else stands in a study's folder.
RESERVED = {"tables", "figures", "logs", "benchmarks", "records", "facts.parquet", "runs.parquet"}
RESERVED |= {"shots.parquet", "suites", "dumps", "headline.txt", "report.html"}
RESERVED |= {"facts.html", "extra_facts.html", "kept", "export"}
RESERVED |= {"extra_facts.parquet", "extra_asked.parquet"}
# Asked of the facts, beside the benchmarks.
OWN_SUITES = {"facts", "dynamics", "extra_facts", "generalization"}


class Prompts(Strict):
    """How a fact is asked."""

    count: Positive = 10
    """Prompts a fact: each has its own few-shot examples. P_correct has this many steps."""
    shots: Natural = 4
    """Few-shot examples in each prompt."""
    pool: str = "resources/shots.jsonl"
    """Where the examples are drawn from: JSON lines with `question` and `answer`, or `extra_facts`."""
    system: str = "Answer the following question."
    """The system turn of chat models; plain text prompts have none."""
    seed: Natural = 42
    """Decides which examples each prompt shows."""


class Asking(Strict):
    """How answers are generated."""

    max_new_tokens: Positive = 32
    """Longest answer, in tokens."""
    samples: Natural = 0
    """Sampled answers a prompt, beside the greedy one; with some, WeaklyKnown is told from Unknown."""
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False), EXPONENT] = 0.5
    """Of the sampled answers."""
    adapter: Literal["auto", "lora", "merged"] = "auto"
    """How an adapter is served: by LoRA kernels, or merged into the weights. `auto`: merged on a CPU, as
    is one of DoRA everywhere."""
    seed: Natural = 42
    """Of the sampled answers."""


class Labels(Strict):
    """How answers are judged."""

    match: Literal["substring", "word"] = "substring"
    """An accepted answer counts wherever it stands (the paper), or as whole words only."""
    refusals: list[Pattern] = [
        r"\b(?:don['’]t|do not|cannot|can['’]t|could not|couldn['’]t|unable to|not able to)"
        r" (?:know|answer|verify|provide|find|confirm|determine|identify|have|recall)\b",
        r"\b(?:not|un)[ -]?(?:aware|sure|certain|familiar)\b",
        r"\bno (?:reliable |specific |available |such |public )?(?:information|record|knowledge)\b",
        r"\b(?:insufficient|lack of|lack|more) (?:information|context)\b",
        r"\b(?:is|are|remains?) (?:unknown|unclear|not known|not (?:publicly )?available)\b",
    ]
    """An answer that one of these regular expressions finds is a refusal (case is ignored). Made for
    instruct models in English; give your own for others."""


class Benchmark(Strict):
    """A task, or a group of tasks, of lm-evaluation-harness."""

    task: str
    """One of its names, such as `mmlu` or `arc_easy`, or the path of a task file (`.yaml`)."""
    shots: Natural | None = None
    """Few-shot examples in each prompt; what the task itself says if left out."""
    limit: Positive | None = None
    """Only the first questions of each task, this many; all of them if left out."""
    chat: bool = False
    """Ask through the model's chat template, the examples as turns (the paper does not)."""


class Engine(Strict):
    """The inference engine (vLLM)."""

    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """Number format of the weights: `auto` is bfloat16 where the machine computes in it, else float32."""
    max_model_len: Annotated[int, Field(ge=64)] = 1024
    """Longest prompt and answer together, in tokens."""
    kv_cache_gib: Positive = 2
    """On a CPU: memory for the key-value cache. Another value asks nothing again."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), EXPONENT] = 0.9
    """On a GPU: share of its memory that the engine may take. Another value asks nothing again."""


class Study(Strict):
    """A whole study: one file, one folder of results."""

    study: Slug
    """Name of the folder under `results/`: letters, digits, dot, dash and underscore."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What jobs compute on: `auto` looks for an NVIDIA driver; on a cluster say which, as the machine that
    submits has none."""
    models: Annotated[list[Model], Field(min_length=1)]
    """The models that are taught, each by itself."""
    facts: Annotated[FactSource, Field(discriminator="source")]
    """What they are asked and taught."""
    extra_facts: Annotated[FactSource, Field(discriminator="source")] | None = None
    """A pool of other facts, with the keys of `facts`: HighlyKnown extras come from it where `facts`
    has too few, and few-shot examples with `prompts.pool: extra_facts`. Tables count `facts` only."""
    prompts: Prompts = Prompts()
    """How a fact is asked."""
    asking: Asking = Asking()
    """How answers are generated."""
    labels: Labels = Labels()
    """How answers are judged."""
    training: Training = Training()
    """How adapters are trained."""
    grid: Annotated[list[Grid], Field(min_length=1)]
    """The conditions, each trained and measured."""
    paraphrases: Paraphrases = Paraphrases()
    """Where the paraphrases among a grid's extras come from."""
    dynamics: list[Positive] = []
    """Levels (numbers of Unknown facts) whose reliability is measured after every epoch, but for runs with
    `training.patience`, of which only the best epoch counts, or with another `training.strength`."""
    generalization: Generalization | None = None
    """Whether the taught facts are known in other wordings too, and back from the object; not asked if
    left out."""
    suites: dict[Slug, Annotated[list[Benchmark], Field(min_length=1)]] = {}
    """Benchmarks by suite: a name of your choice, and its tasks. A suite is asked in one go."""
    capacity: Capacity = Capacity()
    """When facts count as fitting into an adapter: reliability to reach, harm to keep within."""
    export: Export = Export()
    """The adapter to take home."""
    engine: Engine = Engine()
    """Settings of the inference engine."""
    jobs: Jobs = Jobs()
    """What jobs ask of the machine or the cluster."""

    @model_validator(mode="after")
    def _consistent(self) -> "Study":
        names = [model.name for model in self.models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"models: the name '{twice[0]}' stands twice; give each its own")
        reserved = RESERVED & set(names)
        if reserved:
            raise ValueError(f"models: the study itself has a '{min(reserved)}'; take another name")
        if self.prompts.pool == "extra_facts" and self.extra_facts is None:
            raise ValueError("prompts.pool: extra_facts needs the section 'extra_facts'")
        if self.capacity.generalization and not (
            self.generalization and self.generalization.wordings
        ):
            raise ValueError(
                "capacity.generalization: no held-out wordings are asked; add the section "
                "'generalization', or remove this key"
            )
        for suite in sorted(OWN_SUITES & set(self.suites)):
            raise ValueError(f"suites: '{suite}' has a meaning of its own; take another name")
        tasks = [benchmark.task for suite in self.suites.values() for benchmark in suite]
        twice = sorted({task for task in tasks if tasks.count(task) > 1})
        if twice:
            raise ValueError(f"suites: the task '{twice[0]}' stands twice; keep one of them")
        levels = {level for grid in self.grid for level in grid.unknown}
        for level in self.dynamics:
            if level not in levels:
                raise ValueError(
                    f"dynamics: no grid has {level} unknown facts; there are {sorted(levels)}"
                )
        return self

    @model_validator(mode="after")
    def _paraphraser(self) -> "Study":
        writer = self.paraphrases.model
        if writer is None:
            return self
        if writer.name in RESERVED:
            raise ValueError(
                f"paraphrases.model: the study itself has a '{writer.name}'; take another name"
            )
        if any(model.name == writer.name and model != writer for model in self.models):
            raise ValueError(
                f"paraphrases.model: another model is named '{writer.name}' under 'models'; "
                "take another name, or make all keys equal if it is the same"
            )
        longest, room = self.paraphrases.max_new_tokens, self.engine.max_model_len
        if longest >= room:
            raise ValueError(
                f"paraphrases.max_new_tokens: {longest} and a prompt do not fit into {room} tokens; "
                "raise engine.max_model_len, or lower this key and paraphrases.count"
            )
        return self

    @property
    def every_model(self) -> list[Model]:
        """The studied models, and the one that writes paraphrases where it is another."""
        writer = self.paraphrases.model
        return self.models if not writer or writer in self.models else [*self.models, writer]


def load(values: Mapping[str, Any]) -> Study:
    """Check a configuration.

    Raises:
        ConfigError: one line for each fault, with the key's path and the nearest known name.
    """
    try:
        return Study.model_validate(dict(values))
    except ValidationError as error:
        raise explain(error, Study) from None
