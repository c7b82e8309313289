"""The sections of the configuration that say where things come from: models, facts, paraphrases.

Imported while Snakemake builds its graph, so it needs pydantic and the standard library only.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from knowpack.strict import (
    EXPONENT,
    LANGUAGE,
    SHA256,
    Files,
    Identifier,
    Natural,
    Positive,
    Slug,
    Strict,
)

ADDRESS = r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/\S*)?"


def _with_count(text: str) -> str:
    if "{count}" not in text:
        raise ValueError("lacks {count}, where the number of wordings goes; write it there")
    return text


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


class Aliases(Strict):
    """Where other accepted answers for the facts' objects come from."""

    source: Literal["table", "wikidata"]
    """`table`: a file of yours; `wikidata`: labels and aliases of the item behind each object."""
    path: str | None = None
    """With `source: table`: CSV, TSV, JSONL or Parquet with the columns `object` and `alias`."""
    cache: str = "results/wikidata"
    """With `source: wikidata`: the folder that keeps what was fetched, for all studies."""
    endpoint: str = "https://www.wikidata.org/w/api.php"
    """With `source: wikidata`: the address of its API."""
    contact: str | None = None
    """With `source: wikidata`: an address or a page where its operators reach you, as they ask for."""

    @model_validator(mode="after")
    def _place(self) -> "Aliases":
        if self.source == "table" and not self.path:
            raise ValueError("source 'table' needs the key 'path'")
        if self.source == "wikidata" and self.path:
            raise ValueError("key 'path' does not go with source 'wikidata'")
        if not re.fullmatch(ADDRESS, self.endpoint):  # its host names a folder of the cache
            raise ValueError("'endpoint' is a web address; write one that begins with `https://`")
        if self.source == "wikidata" and not self.contact:
            raise ValueError(
                "source 'wikidata' needs the key 'contact': an e-mail address or a page, which its "
                "operators ask of every program"
            )
        return self


class _Facts(Strict):
    """What all sources of facts have in common."""

    templates: Files = []
    """Question templates of the relations; of several files, a later one replaces relations."""
    size: Positive | None = None
    """How many facts to draw; all of them if left out."""
    seed: Natural = 42
    """Decides which facts are drawn, and the order in which Unknown ones enter the levels."""
    aliases: Aliases | None = None
    """Where other accepted answers come from; none but the source's own if left out."""


class WorldFacts(_Facts):
    """Facts about the world, from data packages."""

    source: Literal["world"]
    """Which of the sources this is."""
    size: Annotated[int, Field(ge=50, le=40_000)]
    """How many facts; drawn evenly over relations and, within one, over popularity."""
    relations: list[str] | None = None
    """Only these relations of the templates file; all of them if left out."""
    templates: Files = ["resources/relations.yaml"]
    """Question templates of the relations."""


class TableFacts(_Facts):
    """Facts from a file of the user's."""

    source: Literal["table"]
    """Which of the sources this is."""
    path: str
    """CSV, TSV, JSONL or Parquet with `question` and `answer`, or `subject`, `relation`, `object`."""
    columns: dict[str, str] = {}
    """Our column names to the file's, where they differ, such as `question: prompt`. `category` maps one
    with the category that others found, which is set beside the measured one."""


class HubFacts(_Facts):
    """Facts from a dataset of the Hugging Face hub, or from a folder laid out as one."""

    source: Literal["hub"]
    """Which of the sources this is."""
    dataset: str
    """Its id, such as `s-nlp/Llama-3.1-8B-Instruct-DBpedia-HighlyKnown`, or a folder's path. Those in
    `resources/datasets.yaml` need no other key."""
    revision: str | None = None
    """The commit, 40 hexadecimal digits, so that a study can be repeated; a folder has none."""
    subset: str | None = None
    """Which of its subsets (configurations), where it has several."""
    split: str = "train"
    """Which of its splits."""
    columns: dict[str, str] = {}
    """Our column names to its own, where they differ; a dot leads inside, as in `answer.aliases`.
    `category` maps one with the category that others found, which is set beside the measured one;
    `correct` a list of true and false for each answer, from which it follows."""

    @model_validator(mode="after")
    def _commit(self) -> "HubFacts":
        if self.revision is not None and not re.fullmatch(r"[0-9a-f]{40}", self.revision):
            raise ValueError("'revision' is a commit: write its 40 hexadecimal digits")
        return self


class DBpediaFacts(_Facts):
    """Facts from DBpedia's mapping-based objects, built the Head-to-Tail way (paper, section Facts)."""

    source: Literal["dbpedia"]
    """Which of the sources this is."""
    path: str
    """The dump, N-Triples or Turtle, plain or bz2: a file, or an address that begins with `https://`."""
    sha256: Annotated[str, Field(pattern=SHA256)]
    """Its SHA-256, so that a study can be repeated; DBpedia's databus lists it, `sha256sum` prints it."""
    language: Annotated[str, Field(pattern=LANGUAGE)] = "en"
    """The dump's language; entities of another are an error."""
    templates: Files = ["resources/dbpedia.yaml"]
    """Question templates of the relations (YAML, or JSON as published with Head-to-Tail); relations
    without one are counted and left out. Of several files, a later one replaces relations."""
    cap: Positive = 30
    """Of each relation, at most this many facts of each popularity; as many of each as all have."""
    max_malformed: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), EXPONENT] = 0.001
    """The largest share of the dump's lines that may be malformed; they are counted and left out."""


FactSource = WorldFacts | TableFacts | HubFacts | DBpediaFacts


class Paraphrases(Strict):
    """Where paraphrases of the taught questions come from."""

    source: Literal["templates", "model"] = "templates"
    """`templates`: the relation's question templates after the first; `model`: an instruct model."""
    model: Model | None = None
    """With `source: model`: the model that writes them, with the keys of `models`; may be one of those."""
    count: Positive = 200
    """How many the model is told to write of each question; those of use are kept."""
    instruction: Annotated[str, AfterValidator(_with_count)] = (
        "The user gives a question. Write {count} different wordings of it, one a line. Each must "
        "ask for the same thing, keep every name as it is, and not give the answer. Write nothing "
        "else."
    )
    """What the model is told, before the question; `{count}` stands for the number."""
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False), EXPONENT] = 0.7
    """Of the sampled wordings."""
    max_new_tokens: Positive = 4096
    """Longest list of wordings, in tokens; must fit into `engine.max_model_len` with its prompt."""
    seed: Natural = 42
    """Of the sampled wordings."""

    @model_validator(mode="after")
    def _writer(self) -> "Paraphrases":
        if self.source == "model" and self.model is None:
            raise ValueError("source 'model' needs the key 'model'")
        if self.source == "templates" and self.model is not None:
            raise ValueError("key 'model' does not go with source 'templates'")
        return self
