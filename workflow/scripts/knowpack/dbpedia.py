"""Facts from DBpedia's mapping-based objects, the Head-to-Tail way (paper, section Facts).

The way of Sun et al. 2024 (https://arxiv.org/abs/2308.10168): an entity's popularity is the number of
triples it stands in, its class one third of all of these; a question asks for the only object of a
(subject, relation). DuckDB does the work, on disk where it must, so that memory stays bounded.
"""

import glob
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from knowpack import dbpedia_queries as queries
from knowpack.dumps import check_dump, read_parts
from knowpack.errors import DataError
from knowpack.templates import SLOT, Relation, address, local_name

MEMORY = "2500MB"  # of DuckDB, which goes on on disk where it is not enough
EXAMINED = 6  # times the cap: triples of each relation and popularity that are looked at
SPARE = 2  # times the cap go on to the common cleaning of facts, which drops few of them
SHOWN = 3  # malformed lines in the message that there are too many


def read_dbpedia_source(
    spec: Mapping[str, Any], relations: Mapping[str, Relation], threads: int = 2
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the dump at ``spec["path"]`` and draw what may be asked, twice ``spec["cap"]``.

    ``spec`` has what `knowpack.config_sources.DBpediaFacts` says, ``path`` being a file by now.
    A question's answer is the object's name without what stands in parentheses at its end.
    Of each relation and popularity, `EXAMINED` times the cap are looked at; DuckDB's hash of subject,
    relation and seed says which.

    Returns:
        The columns subject, relation, object, question, answers, score (triples the subject stands
        in) and popularity, for `knowpack.facts.build_facts`; and a record: ``read`` (lines),
        ``dropped`` (lines or triples by reason, in the order of the way; over_the_cap are those that
        were not looked at or not needed), ``unasked`` (triples of each relation without a template,
        most first).

    Raises:
        DataError: the dump is another file, damaged, of another language, or mostly malformed; or
            no template asks about any of its relations.
    """
    path = Path(spec["path"])
    check_dump(path, spec["sha256"])
    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, Any] = {"memory_limit": MEMORY, "threads": threads}
        with duckdb.connect(config=settings | {"temp_directory": folder}) as base:
            base.execute("SET enable_progress_bar = false")
            base.execute("SET preserve_insertion_order = false")
            _name_templates(base, relations)
            _load(base, path, read_parts(path, Path(folder), threads))
            triples = _number(base, "count(*) FROM lines WHERE whole")
            others = _count_others(base, path, triples, spec["max_malformed"])
            unasked = _count_unasked(base, path)
            start = _check_language(base, path, spec["language"])
            judged = _judge(base, start, spec)
            most = SPARE * spec["cap"]
            drawn = base.execute(queries.DRAWN, {"most": most}).df()
    dropped = {"no_template": sum(unasked.values()), **judged}
    dropped["over_the_cap"] = triples - sum(dropped.values()) - len(drawn)
    read = triples + sum(others.values())
    return drawn, {"read": read, "dropped": others | dropped, "unasked": unasked}


def _name_templates(base: duckdb.DuckDBPyConnection, relations: Mapping[str, Relation]) -> None:
    """Make the table `templates`, a row a relation."""
    named = pd.DataFrame(
        [
            (
                number,
                f"<{address(name)}>",
                name,
                relation.templates[0],
                f"^{name}: " in queries.DULL,
            )
            for number, (name, relation) in enumerate(relations.items())
        ],
        columns=["number", "relation", "name", "template", "dull"],
    )
    base.register("named", named)
    base.execute(
        "CREATE TABLE templates AS SELECT * REPLACE (number::SMALLINT AS number) FROM named"
    )
    base.unregister("named")
    base.execute(queries.ASKED)


def _load(base: duckdb.DuckDBPyConnection, path: Path, parts: Iterator[Path]) -> None:
    """Make the tables `lines` and `rejects`."""
    base.execute(queries.LINES)
    for part in parts:
        with part.open("rb") as file:
            new_line = "\\r\\n" if b"\r\n" in file.read(2**16) else "\\n"
        try:
            base.execute(queries.LOAD, {"path": glob.escape(str(part)), "new_line": new_line})
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
            raise DataError(f"{path}: is no dump of triples, one a line ({reason})") from error


def _count_others(
    base: duckdb.DuckDBPyConnection, path: Path, triples: int, most_malformed: float
) -> dict[str, int]:
    """Count the lines that are no triples of entities, and check that there are few."""
    others = base.execute(queries.OTHERS, {"shown": SHOWN}).fetchall()
    counts = {kind: count for kind, count, _ in others}
    malformed = counts.get("malformed", 0)
    if malformed > most_malformed * (triples + malformed):
        texts = [text for kind, _, texts in others if kind == "malformed" for text in texts]
        raise DataError(
            f"{path}: {malformed:,} of {triples + malformed:,} lines are malformed, more than "
            f"facts.max_malformed ({most_malformed:g}) admits; a line holds one whole triple, "
            "<subject> <relation> <object> and a dot. Some of them: "
            f"{'; '.join(repr(text[:120]) for text in texts)}"
        )
    if not triples:
        raise DataError(f"{path}: holds no triples; give a dump of mapping-based objects")
    return {kind: counts.get(kind, 0) for kind in ("comment", "malformed", "literal")}


def _count_unasked(base: duckdb.DuckDBPyConnection, path: Path) -> dict[str, int]:
    """Count the triples of each relation without a template, and check that others have one."""
    found = base.execute(
        "SELECT relation, count(*) FROM lines WHERE whole AND number IS NULL "
        "GROUP BY relation ORDER BY 2 DESC, 1"
    ).fetchall()
    unasked = {local_name(term): count for term, count in found}
    if _number(base, "count(number) FROM lines") == 0:
        listed = ", ".join(list(unasked)[:5])
        raise DataError(
            f"{path}: facts.templates asks about none of its {len(unasked)} relations ({listed} ...); "
            "name them as they are named here"
        )
    return unasked


def _check_language(base: duckdb.DuckDBPyConnection, path: Path, language: str) -> str:
    """Return what the terms of the language's entities begin with."""
    host = "dbpedia.org" if language == "en" else f"{language}.dbpedia.org"
    start = f"<http://{host}/resource/"
    asked = "lines WHERE number IS NOT NULL"
    if _number(base, f"count(*) FROM {asked} AND starts_with(subject, '{start}')") == 0:
        ends = base.execute(f"SELECT min(subject), max(subject) FROM {asked}").fetchall()[0]
        first, last = (term[1:-1] for term in ends)
        raise DataError(
            f"{path}: no subject begins with {start[1:]}, so it is not the dump of language "
            f"'{language}' (found {first} and {last}); give that dump, or write its facts.language"
        )
    return start


def _judge(base: duckdb.DuckDBPyConnection, start: str, spec: Mapping[str, Any]) -> dict[str, int]:
    """Make the table `judged` of questions with what is wrong with each; return what is dropped."""
    base.execute(queries.POPULARITY)
    settings = {"examined": EXAMINED * spec["cap"], "seed": f"{spec['seed']} "}
    base.execute(queries.STRATA, settings)
    base.execute(queries.PAIRS)
    base.execute(queries.JUDGED, {"start": len(start) + 1, "entities": start, "slot": SLOT})
    faults = "SELECT fault, count(*) FROM judged WHERE fault IS NOT NULL GROUP BY fault"
    counts = dict(base.execute(faults).fetchall())
    several = _number(base, "coalesce(sum(triples), 0) FROM pairs WHERE several")
    repeated = _number(base, "coalesce(sum(triples - 1), 0) FROM pairs WHERE NOT several")
    found = {fault: counts.get(fault, 0) for fault in queries.FAULTS}
    return {"several_objects": several, "duplicate": repeated, **found}


def _number(base: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(base.execute(f"SELECT {query}").fetchall()[0][0])
