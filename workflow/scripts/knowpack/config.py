"""The configuration, as one strict model: unknown keys, wrong types and impossible values are errors.

Imported while Snakemake builds its graph, so it needs pydantic and the standard library only.
`config/README.md` and `config/schema.json` are made from the descriptions below.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from knowpack.errors import ConfigError, suggest

SLUG = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"
Positive = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]


class Strict(BaseModel):
    """Base of every section: no unknown keys, no change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Model(Strict):
    """A language model, wherever it comes from; it ends up as one local Hugging Face folder."""

    name: Annotated[str, Field(pattern=SLUG)]
    """Its folder in the results and its name in tables."""
    source: Literal["package", "folder", "hub"]
    """`package`: a Python package with a GGUF file; `folder`: a Hugging Face folder; `hub`: a hub id."""
    package: str | None = None
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
    size: Annotated[int, Field(ge=50, le=40_000)]
    """How many facts; drawn evenly over relations and, within one, over popularity."""
    relations: list[str] | None = None
    """Only these relations of the templates file; all of them if left out."""
    templates: str = "resources/relations.yaml"
    """Question templates of the relations."""
    seed: int = 42
    """Decides which facts are drawn, and the order in which Unknown ones enter the levels."""


class TableFacts(Strict):
    """Facts from a file of the user's."""

    source: Literal["table"]
    path: str
    """CSV, TSV, JSONL or Parquet with `question` and `answer`, or `subject`, `relation`, `object`."""
    columns: dict[str, str] = {}
    """Our column names to the file's, where they differ, such as `question: prompt`."""
    templates: str | None = None
    """Question templates of the relations, where the file has no `question`."""
    size: Positive | None = None
    """How many facts to draw; all of them if left out."""
    seed: int = 42
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
    seed: int = 42
    """Decides which examples each prompt shows."""


class Asking(Strict):
    """How answers are generated."""

    max_new_tokens: Positive = 32
    samples: Natural = 0
    """Sampled answers a prompt, beside the greedy one; with some, WeaklyKnown is told from Unknown."""
    temperature: Annotated[float, Field(gt=0)] = 0.5
    """Of the sampled answers."""
    adapter: Literal["auto", "lora", "merged"] = "auto"
    """How an adapter is served: by LoRA kernels, or merged into the weights. `auto`: merged on a CPU."""
    seed: int = 42
    """Of the sampled answers."""


class Labels(Strict):
    """How answers are judged."""

    match: Literal["substring", "word"] = "substring"
    """An accepted answer counts wherever it stands (the paper), or as whole words only."""
    refusals: list[str] = [r"\b(?:don't|do not|cannot|can't) (?:know|answer|verify|provide)\b"]
    """An answer that one of these regular expressions finds is a refusal (case is ignored)."""

    @model_validator(mode="after")
    def _compile(self) -> "Labels":
        for pattern in self.refusals:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"refusals: '{pattern}' is no regular expression: {error}") from error
        return self


class Training(Strict):
    """LoRA and training; the defaults are the paper's. Any key may be a list in a grid."""

    loss: Literal["row", "answer"] = "row"
    """`row`: on every token of the row (the published code); `answer`: on the answer's tokens only."""
    epochs: Positive = 10
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    batch_size: Positive = 16
    rank: Positive = 1
    alpha: Annotated[float, Field(gt=0)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    rslora: bool = False
    """Scale by alpha / sqrt(rank) rather than alpha / rank."""
    target_modules: Annotated[list[str], Field(min_length=1)] = ["down_proj", "gate_proj", "up_proj"]


class Grid(Strict):
    """Conditions: every combination of the lists."""

    unknown: Annotated[list[Positive], Field(min_length=1)]
    """How many Unknown facts are taught."""
    extra: Annotated[
        list[Literal["none", "highly_known", "paraphrase"]], Field(min_length=1)
    ] = ["none"]
    """What is mixed in: nothing, HighlyKnown facts, or paraphrases of the taught questions."""
    per_unknown: Annotated[list[Positive], Field(min_length=1)] = [1]
    """Extra rows for each Unknown fact (of no effect with `none`)."""
    seeds: Annotated[list[int], Field(min_length=1)]
    training: dict[str, Any] = {}
    """Keys of `training` that differ here; a list is one more axis."""


class Engine(Strict):
    """The inference engine (vLLM)."""

    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    max_model_len: Annotated[int, Field(ge=64)] = 1024
    """Longest prompt and answer together, in tokens."""
    kv_cache_gib: Positive = 2
    """On a CPU: memory for the key-value cache."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] = 0.9
    """On a GPU: share of its memory that the engine may take."""


class Study(Strict):
    """A whole study: one file, one folder of results."""

    study: Annotated[str, Field(pattern=SLUG)]
    """Name of the folder under `results/`: letters, digits, dot, dash and underscore."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Which environments to use with `--use-conda`; `auto` looks for an NVIDIA driver."""
    models: Annotated[list[Model], Field(min_length=1)]
    facts: Annotated[WorldFacts | TableFacts, Field(discriminator="source")]
    prompts: Prompts = Prompts()
    asking: Asking = Asking()
    labels: Labels = Labels()
    training: Training = Training()
    grid: Annotated[list[Grid], Field(min_length=1)]
    dynamics: list[Positive] = []
    """Levels (numbers of Unknown facts) whose reliability is measured after every epoch."""
    engine: Engine = Engine()

    @model_validator(mode="after")
    def _consistent(self) -> "Study":
        names = [model.name for model in self.models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"models: the name '{twice[0]}' stands twice; give each its own")
        reserved = {"tables", "figures", "logs", "benchmarks"} & set(names)
        if reserved:
            raise ValueError(f"models: the name '{min(reserved)}' is a folder of the study; take another")
        levels = {level for grid in self.grid for level in grid.unknown}
        for level in self.dynamics:
            if level not in levels:
                raise ValueError(f"dynamics: no grid has {level} unknown facts; there are {sorted(levels)}")
        return self


def load(values: Mapping[str, Any]) -> Study:
    """Check a configuration.

    Raises:
        ConfigError: one line for each fault, with the key's path and the nearest known name.
    """
    try:
        return Study.model_validate(dict(values))
    except ValidationError as error:
        lines = [_explain(dict(fault), values) for fault in error.errors()]
        raise ConfigError("the configuration cannot be used:\n  " + "\n  ".join(lines)) from None


def check_training(overrides: Mapping[str, Any], base: Training, where: str) -> Training:
    """Return ``base`` with ``overrides``, checked as the section itself is.

    Raises:
        ConfigError: as `load`, the keys named below ``where``.
    """
    try:
        return Training.model_validate({**base.model_dump(), **overrides})
    except ValidationError as error:
        lines = [_explain(dict(fault), overrides, f"{where}.") for fault in error.errors()]
        raise ConfigError("the configuration cannot be used:\n  " + "\n  ".join(lines)) from None


def _explain(fault: Mapping[str, Any], values: Any, prefix: str = "") -> str:
    """One fault of pydantic's, as the key's path and what to write."""
    tags = {"world", "table"}
    path = [part for part in fault["loc"] if part not in tags]
    key = prefix + ".".join(str(part) for part in path) if path else "the file"
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key{suggest(str(path[-1]), _known(path))}"
    if fault["type"] == "missing":
        return f"{key}: this key is needed"
    if fault["type"] == "string_pattern_mismatch":
        return (
            f"{key}: {fault['input']!r} is not a safe folder name; "
            "use letters, digits, dot, dash and underscore (at most 64, no dot or dash first or last)"
        )
    message = str(fault["msg"]).removeprefix("Value error, ")
    written = "" if isinstance(fault.get("input"), dict | Study) else f" (found {fault.get('input')!r})"
    return f"{key}: {message[:1].lower()}{message[1:]}{written}"


def _known(path: list[Any]) -> list[str]:
    """Known keys of the section in which the last part of ``path`` stands."""
    sections: dict[str, list[type[Strict]]] = {
        "models": [Model],
        "facts": [WorldFacts, TableFacts],
        "prompts": [Prompts],
        "asking": [Asking],
        "labels": [Labels],
        "training": [Training],
        "grid": [Grid],
        "engine": [Engine],
    }
    models = sections.get(str(path[0]), [Training]) if len(path) > 1 else [Study, Training]
    return sorted({name for model in models for name in model.model_fields})
