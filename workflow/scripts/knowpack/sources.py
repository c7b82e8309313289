"""From a source of facts, as the configuration names it, to the table of facts and how it came about."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from knowpack.aliases import read_aliases, with_aliases
from knowpack.facts import build_facts
from knowpack.files import locate, locate_all
from knowpack.templates import Relation, load_templates


def make_facts(
    spec: Mapping[str, Any], studied: pd.DataFrame | None, threads: int, bar: Any
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read the source that ``spec`` (`knowpack.specs.facts_spec`) names and make facts of it.

    ``studied`` (fact_id, question) are facts to leave out. ``bar`` is a tqdm that shows what is
    fetched.

    Returns:
        A frame of schema `knowpack.facts.FACTS`; and as JSON texts what stands in its footer:
        ``source``, ``read`` (rows or lines), ``dropped`` (how many by reason, in the order of the
        way), ``unasked`` (triples of each relation without a template), ``aliases`` (their source
        and the counts of `knowpack.aliases.with_aliases`).

    Raises:
        DataError: as the readers of sources and aliases, and `knowpack.facts.build_facts`.
    """
    relations = load_templates(locate_all(spec["templates"]))
    triples, record = read_source(spec, relations, threads)
    table = str(locate(spec["path"])) if spec["source"] == "table" else None
    facts, drops = build_facts(
        triples, relations, spec.get("size"), spec["seed"], table, spec.get("cap"), studied
    )
    facts, aliases = _with_aliases(facts, spec.get("aliases"), spec.get("language", "en"), bar)
    dropped = Counter(record.pop("dropped", {}))
    dropped.update(drops)
    record |= {"dropped": dropped, "aliases": aliases}
    return facts, {key: json.dumps(value) for key, value in record.items()}


def read_source(
    spec: Mapping[str, Any], relations: Mapping[str, Relation], threads: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return what the source holds, for `knowpack.facts.build_facts`, and how it was read."""
    record: dict[str, Any] = {"source": spec["source"]}
    if spec["source"] == "dbpedia":
        from knowpack.dbpedia import read_dbpedia_source

        triples, found = read_dbpedia_source(
            {**spec, "path": locate(spec["path"])}, relations, threads
        )
        return triples, record | found
    if spec["source"] == "world":
        from knowpack.world import world_triples

        triples = world_triples()
        if "relations" in spec:
            triples = triples[triples.relation.isin(spec["relations"])]
    elif spec["source"] == "hub":
        from knowpack.hub import read_hub_source

        triples, empty = read_hub_source(spec)
        record["dropped"] = {"empty_answer": empty}
    else:
        from knowpack.tabular import read_table_source

        triples = read_table_source(locate(spec["path"]), spec["columns"])
    return triples, record | {"read": len(triples)}


def _with_aliases(
    facts: pd.DataFrame, spec: Mapping[str, Any] | None, language: str, bar: Any
) -> tuple[pd.DataFrame, dict[str, Any]]:
    if spec is None:
        objects = int(facts["object"].nunique())
        return facts, {"source": "none", "objects": objects, "found": 0, "added": 0}
    if spec["source"] == "table":
        aliases = read_aliases(locate(spec["path"]))
    else:
        from knowpack.wikidata import fetch_aliases

        aliases = fetch_aliases(
            facts["object"].dropna().unique().tolist(),
            cache=Path(spec["cache"]),
            endpoint=spec["endpoint"],
            contact=spec["contact"],
            language=language,
            bar=bar,
        )
    facts, counts = with_aliases(facts, aliases)
    return facts, {"source": spec["source"], **counts}
