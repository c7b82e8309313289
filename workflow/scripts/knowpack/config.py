"""The configuration, as one strict model: unknown keys, wrong types and impossible values are errors.

Imported while Snakemake builds its graph, so it needs pydantic and the standard library only.
`config/README.md` and `config/schema.json` are made from the descriptions below.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from knowpack.strict import EXPONENT, Identifier, Natural, Pattern, Positive, Slug, Strict, explain

# What else stands in a study's folder.
RESERVED = {"tables", "figures", "logs", "benchmarks", "facts.parquet", "runs.parquet"}
RESERVED |= {"shots.parquet", "headline.txt", "report.html"}


class Model(Strict):
    """A language model, wherever it comes from; it ends up as one local Hugging Face folder."""

    name: Slug
    """Its folder in the results and its name in tables."""
    source: Literal["package", "folder", "hub"]
    """`package`: a Python package with a GGUF file; `folder`: a Hugging Face folder; `hub`: a hub id."""
    package: Identifier | None = None
    """With `source: package`: the module whose `assemble()` writes the GGUF file."""
    path: str | None = None
    """With `source: folder`: the folder."""
    repo: str | None = None
    """With `source: hub`: the id, such as `meta-llama/Llama-3.1-8B-Instruct`."""
    revision: str | None = None
    """With `source: hub`: the commit, 40 hexadecimal digits, so that a study can be repeated."""
    prompt: Literal["auto", "chat", "text"] = "auto"
    """`chat`: the model's chat template; `text`: plain lines; `auto`: chat where it has a template."""

    @model_validator(mode="after")
    def _place(self) -> "Model":
        key = {"package": "package", "folder": "path", "hub": "repo"}[self.source]
        if not getattr(self, key):
            raise ValueError(f"source '{self.source}' needs the key '{key}'")
        for other in {"package", "path", "repo"} - {key}:
            if getattr(self, other) is not None:
                raise ValueError(f"key '{other}' does not go with source '{self.source}'")
        if self.source == "hub" and not re.fullmatch(r"[0-9a-f]{40}", self.revision or ""):
            raise ValueError("a hub model needs 'revision': the commit's 40 hexadecimal digits")
        if self.source != "hub" and self.revision is not None:
            raise ValueError(f"key 'revision' does not go with source '{self.source}'")
        return self


class WorldFacts(Strict):
    """Facts about the world, from data packages."""

    source: Literal["world"]
    """Which of the two this is."""
    size: Annotated[int, Field(ge=50, le=40_000)]
    """How many facts; drawn evenly over relations and, within one, over popularity."""
    relations: list[str] | None = None
    """Only these relations of the templates file; all of them if left out."""
    templates: str = "resources/relations.yaml"
    """Question templates of the relations."""
    seed: Natural = 42
    """Decides which facts are drawn, and the order in which Unknown ones enter the levels."""


class TableFacts(Strict):
    """Facts from a file of the user's."""

    source: Literal["table"]
    """Which of the two this is."""
    path: str
    """CSV, TSV, JSONL or Parquet with `question` and `answer`, or `subject`, `relation`, `object`."""
    columns: dict[str, str] = {}
    """Our column names to the file's, where they differ, such as `question: prompt`."""
    templates: str | None = None
    """Question templates of the relations, where the file has no `question`."""
    size: Positive | None = None
    """How many facts to draw; all of them if left out."""
    seed: Natural = 42
    """Decides which facts are drawn, and the order in which Unknown ones enter the levels."""


class Prompts(Strict):
    """How a fact is asked."""

    count: Positive = 10
    """Prompts a fact: each has its own few-shot examples. P_correct has this many steps."""
    shots: Natural = 4
    """Few-shot examples in each prompt."""
    pool: str = "resources/shots.jsonl"
    """Where the examples are drawn from: JSON lines with `question` and `answer`."""
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
    """How an adapter is served: by LoRA kernels, or merged into the weights. `auto`: merged on a CPU."""
    seed: Natural = 42
    """Of the sampled answers."""


class Labels(Strict):
    """How answers are judged."""

    match: Literal["substring", "word"] = "substring"
    """An accepted answer counts wherever it stands (the paper), or as whole words only."""
    refusals: list[Pattern] = [r"\b(?:don't|do not|cannot|can't) (?:know|answer|verify|provide)\b"]
    """An answer that one of these regular expressions finds is a refusal (case is ignored)."""


class Training(Strict):
    """LoRA and training; the defaults are the paper's. Any key may be a list in a grid."""

    loss: Literal["row", "answer"] = "row"
    """`row`: on every token of the row (the published code); `answer`: on the answer's tokens only."""
    epochs: Positive = 10
    """How often every row is seen."""
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False), EXPONENT] = 1e-3
    """At the start; it falls to 0 in a straight line."""
    batch_size: Positive = 16
    """Rows a step."""
    rank: Positive = 1
    """Of each adapter matrix."""
    alpha: Annotated[float, Field(gt=0, allow_inf_nan=False), EXPONENT] = 2.0
    """The adapter's output is scaled by alpha / rank."""
    dropout: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), EXPONENT] = 0.1
    """Share of an adapter's inputs that are left out while training."""
    rslora: bool = False
    """Scale by alpha / sqrt(rank) rather than alpha / rank."""
    target_modules: Annotated[list[Identifier], Field(min_length=1)] = [
        "down_proj",
        "gate_proj",
        "up_proj",
    ]
    """Which of the model's modules get an adapter."""


class Grid(Strict):
    """Conditions: every combination of the lists."""

    unknown: Annotated[list[Positive], Field(min_length=1)]
    """How many Unknown facts are taught."""
    extra: Annotated[list[Literal["none", "highly_known", "paraphrase"]], Field(min_length=1)] = [
        "none"
    ]
    """What is mixed in: nothing, HighlyKnown facts, or paraphrases of the taught questions."""
    per_unknown: Annotated[list[Positive], Field(min_length=1)] = [1]
    """Extra rows for each Unknown fact (of no effect with `none`)."""
    seeds: Annotated[list[Natural], Field(min_length=1)]
    """Of the drawn HighlyKnown facts, the adapter's first weights and the order of the rows."""
    training: dict[str, Any] = {}
    """Keys of `training` that differ here; a list of values is one more axis."""


class Engine(Strict):
    """The inference engine (vLLM)."""

    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    """Number format of the weights."""
    max_model_len: Annotated[int, Field(ge=64)] = 1024
    """Longest prompt and answer together, in tokens."""
    kv_cache_gib: Positive = 2
    """On a CPU: memory for the key-value cache."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), EXPONENT] = 0.9
    """On a GPU: share of its memory that the engine may take."""


class Study(Strict):
    """A whole study: one file, one folder of results."""

    study: Slug
    """Name of the folder under `results/`: letters, digits, dot, dash and underscore."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Which environments to use with `--use-conda`; `auto` looks for an NVIDIA driver."""
    models: Annotated[list[Model], Field(min_length=1)]
    """The models that are taught, each by itself."""
    facts: Annotated[WorldFacts | TableFacts, Field(discriminator="source")]
    """What they are asked and taught."""
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
    dynamics: list[Positive] = []
    """Levels (numbers of Unknown facts) whose reliability is measured after every epoch."""
    engine: Engine = Engine()
    """Settings of the inference engine."""

    @model_validator(mode="after")
    def _consistent(self) -> "Study":
        names = [model.name for model in self.models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"models: the name '{twice[0]}' stands twice; give each its own")
        reserved = RESERVED & set(names)
        if reserved:
            raise ValueError(f"models: the study itself has a '{min(reserved)}'; take another name")
        levels = {level for grid in self.grid for level in grid.unknown}
        for level in self.dynamics:
            if level not in levels:
                raise ValueError(
                    f"dynamics: no grid has {level} unknown facts; there are {sorted(levels)}"
                )
        return self


def load(values: Mapping[str, Any]) -> Study:
    """Check a configuration.

    Raises:
        ConfigError: one line for each fault, with the key's path and the nearest known name.
    """
    try:
        return Study.model_validate(dict(values))
    except ValidationError as error:
        raise explain(error, Study) from None


def check_training(overrides: Mapping[str, Any], base: Training, where: str) -> Training:
    """Return ``base`` with ``overrides``, checked as the section itself is.

    Raises:
        ConfigError: as `load`, the keys named below ``where``.
    """
    try:
        return Training.model_validate({**base.model_dump(), **overrides})
    except ValidationError as error:
        raise explain(error, Training, where) from None
