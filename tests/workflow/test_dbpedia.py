"""A dump of DBpedia becomes the facts of a study: from a file, and from an address."""

import bz2
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from study_tree import Tree

from knowpack.tables import read_metadata, read_table

PLACE = "http://dbpedia.org"
LINE = f"<{PLACE}/resource/{{}}> <{PLACE}/ontology/{{}}> <{PLACE}/resource/{{}}> ."


def dump() -> bytes:
    """60 countries with their capitals, in three classes of popularity, and other lines."""
    lines = ["# started 2022-12-01T00:00:00Z", "no triple"]
    for number in range(60):
        # Each of the first 40 stands in one triple, the next 15 in 5, the last five in 40.
        others = (number >= 40) * 4 + (number >= 55) * 35
        lines.append(LINE.format(f"Land_{number}", "capital", f"Town_{number}"))
        lines += [
            LINE.format(f"Land_{number}", f"other{i}", f"x{number}_{i}") for i in range(others)
        ]
    return bz2.compress("".join(f"{line}\n" for line in lines).encode())


@pytest.fixture
def study(source: Tree, tmp_path: Path) -> Tree:
    tree = source.copy(tmp_path / "tree")
    (tree.folder / "served").mkdir()
    (tree.folder / "served/dump.ttl.bz2").write_bytes(dump())
    (tree.folder / "aliases.csv").write_text(
        "object,alias\nTown 59,Old Town|Town LIX\nElsewhere,E\n"
    )
    return tree


@pytest.fixture
def address(study: Tree) -> Iterator[str]:
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=study.folder / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/dump.ttl.bz2"
        server.shutdown()


def configure(tree: Tree, path: str, **keys: object) -> None:
    sha256 = hashlib.sha256(dump()).hexdigest()
    facts = {"source": "dbpedia", "path": path, "sha256": sha256, "max_malformed": 0.01, **keys}
    tree.configure(facts=facts, grid=[{"unknown": [2], "seeds": [1]}], dynamics=[])


def test_facts_from_a_dump_and_their_page(study: Tree) -> None:
    aliases = {"source": "table", "path": "aliases.csv"}
    configure(study, "served/dump.ttl.bz2", cap=40, aliases=aliases)
    assert study.planned("facts") == {"build_facts": 1, "describe_facts": 1, "facts": 1}
    status, text = study.snakemake("facts")
    assert status == 0, text
    facts = read_table(study.results / "facts.parquet")
    # Five countries stand in the head, so five of each are drawn.
    assert facts.popularity.value_counts().to_dict() == {"head": 5, "torso": 5, "tail": 5}
    assert set(facts.relation) == {"capital"}
    assert facts.question[0] == f"What is the capital of {facts.subject[0]}?"
    record = {
        key: json.loads(text)
        for key, text in read_metadata(study.results / "facts.parquet").items()
    }
    others = 15 * 4 + 5 * 39
    assert record["read"] == 2 + 60 + others
    assert record["dropped"]["malformed"] == 1
    assert record["dropped"]["no_template"] == others
    assert sum(record["unasked"].values()) == others
    page = (study.results / "facts.html").read_text()
    assert "capital" in page and "lines that hold no whole triple" in page


def test_a_dump_is_fetched_once(study: Tree, address: str) -> None:
    configure(study, address)
    planned = study.planned("facts")
    assert planned["fetch_dump"] == 1
    status, text = study.snakemake("facts")
    assert status == 0, text
    configure(study, address, cap=2)
    assert study.planned("facts") == {"build_facts": 1, "describe_facts": 1, "facts": 1}


def test_another_file_at_the_address_is_no_result(study: Tree, address: str) -> None:
    configure(study, address, sha256=hashlib.sha256(b"another").hexdigest())
    status, text = study.snakemake("facts", "--retries", "0")
    assert status != 0
    assert "as facts.sha256 says; fetch the file again" in text
    assert not (study.results / "facts.parquet").exists()


def test_what_is_wrong_with_the_settings_is_said_first(study: Tree) -> None:
    configure(study, "served/dmp.ttl")
    status, text = study.snakemake("--dry-run")
    assert status != 0
    assert "facts.path: there is no file served/dmp.ttl; write the path of one" in text
    configure(study, "served/dump.ttl.bz2", sha256="abc")
    status, text = study.snakemake("--dry-run")
    assert "facts.sha256: write 64 hexadecimal digits (found 'abc')" in text
