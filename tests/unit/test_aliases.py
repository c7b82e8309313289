import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowpack.aliases import read_aliases, with_aliases
from knowpack.errors import DataError
from knowpack.facts import build_facts

PAIRS = [
    ["Paris", "Lutetia"],
    ["Paris", "City of Light"],
    ["Rome", "Roma, IT"],
    ["Paris", "Paname"],
]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def frame(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["object", "alias"], dtype="str")


def facts(*rows: tuple[str | None, str, list[str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["object", "question", "answers"])


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_aliases(path)
    return str(caught.value).removeprefix(str(path))


def test_every_form_gives_the_same_pairs(tmp_path):
    rows = [
        ("Paris", ["Lutetia", " City of Light"]),
        (" Rome", ["Roma, IT"]),
        ("Paris", ["Paname"]),
    ]
    csv = 'alias,n,object\nLutetia| City of Light,1,Paris\n"Roma, IT",2, Rome\nPaname,3,Paris\n'
    tsv = "object\talias\nParis\tLutetia|City of Light\nRome\tRoma, IT\n\nParis\tPaname\n"
    records = [{"object": name, "alias": aliases} for name, aliases in rows]
    records[2]["alias"] = "Paname"
    paths = [
        write(tmp_path, "a.csv", csv),
        write(tmp_path, "a.TSV", tsv),
        write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, records))),
        tmp_path / "a.parquet",
    ]
    table = pa.table({"object": [row[0] for row in rows], "alias": [row[1] for row in rows]})
    pq.write_table(table, paths[3])
    for path in paths:
        found = read_aliases(path)
        assert list(found.columns) == ["object", "alias"]
        assert found.to_numpy().tolist() == PAIRS, path


def test_outside_csv_a_bar_is_part_of_the_alias(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"object": "or", "alias": "a|b"}\n')
    assert read_aliases(path)["alias"].tolist() == ["a|b"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.xlsx", "", ": unknown kind of table; give a .csv, .tsv, .jsonl, .parquet file"),
        (
            "a.csv",
            "object,aliases\nParis,Lutetia\n",
            ": lacks the column 'alias' (did you mean 'aliases'?); it needs 'object' and 'alias', "
            "and has 'object', 'aliases'",
        ),
        ("a.csv", "", ": lacks the column 'object'; it needs 'object' and 'alias', and has none"),
        ("a.csv", "object,alias\n", ": has no rows; write an object and its aliases in each"),
        (
            "a.csv",
            "object,alias\nParis,Lutetia\n ,Roma\n",
            ", row 3: the object is empty; write one or remove the row",
        ),
        (
            "a.csv",
            "object,alias\nParis,\n",
            ", row 2: the alias is empty; it would match every text; write one, or remove it",
        ),
        (
            "a.csv",
            "object,alias\nParis,Lutetia||Paname\n",
            ", row 2: the alias is empty; it would match every text; write one, or remove it",
        ),
        (
            "a.jsonl",
            '{"object": "Paris", "alias": []}\n',
            ", row 1: the alias is empty; it would match every text; write one, or remove it",
        ),
        (
            "a.jsonl",
            '{"object": "Paris", "alias": ["Lutetia", null]}\n',
            ", row 1: the alias is empty; it would match every text; write one, or remove it",
        ),
        (
            "a.jsonl",
            '{"object": "Paris", "alias": "Lutetia"}\n{"object": 7, "alias": ["seven"]}\n',
            ", row 2: the object 7 is not text; put it in quotes",
        ),
    ],
)
def test_bad_tables(tmp_path, name, text, message):
    assert refused(write(tmp_path, name, text)) == message


def test_no_table(tmp_path):
    assert refused(tmp_path / "a.csv") == ": no such file; give the path of a table of aliases"


def test_aliases_follow_the_label_once_and_never_when_the_question_gives_them():
    rows = facts(
        ("Paris", "Where is the Eiffel Tower?", ["Paris", "Paname"]),
        ("PARIS ", "What was Lutetia called later?", ["PARIS "]),
        ("Oslo", "Where is Munch's Scream?", ["Oslo"]),
        (None, "Who painted it?", ["Munch"]),
    )
    table = frame(
        ("paris", "Lutetia"),
        ("Paris", "PANAME"),
        ("Paris", "lutetia"),
        ("Paris", "Paris"),
        ("Pａris", "City of Light"),
        ("Rome", "Roma"),
        ("Rome", "Urbs"),
        ("Wien", "Vienna"),
    )
    found, counts = with_aliases(rows, table)
    assert found["answers"].tolist() == [
        ["Paris", "Paname", "Lutetia", "City of Light"],
        ["PARIS ", "PANAME", "City of Light"],
        ["Oslo"],
        ["Munch"],
    ]
    assert counts == {
        "objects": 2, "found": 1, "added": 4, "unknown": ["Rome", "Wien"], "unknown_count": 2,
    }  # fmt: skip
    assert rows["answers"].tolist()[0] == ["Paris", "Paname"]
    assert list(found.columns) == list(rows.columns)


def test_an_object_whose_aliases_are_all_known_got_none():
    rows = facts(("Paris", "Where?", ["Paris", "Lutetia"]))
    counts = with_aliases(rows, frame(("Paris", "LUTETIA")))[1]
    assert (counts["found"], counts["added"]) == (0, 0)


def test_twenty_unknown_objects_are_listed_and_all_are_counted():
    names = [f"town {number}" for number in range(30)]
    table = frame(("Paris", "Lutetia"), *((name, "x") for name in names), ("Town  3", "y"))
    counts = with_aliases(facts(("Paris", "Where?", ["Paris"])), table)[1]
    assert counts["unknown"] == names[:20]
    assert counts["unknown_count"] == 30


def test_nothing_found_anywhere_is_no_error():
    rows = facts(("Paris", "Where?", ["Paris"]))
    found, counts = with_aliases(rows, frame())
    assert found["answers"].tolist() == [["Paris"]]
    assert counts == {
        "objects": 1, "found": 0, "added": 0, "unknown": [], "unknown_count": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [(None, "Who?", ["Ann"])],
            "aliases: no fact has an object, so none can get an alias; give the facts as subject, "
            "relation and object, or take 'aliases' out of the configuration",
        ),
        (
            [("Oslo", "Where?", ["Oslo"]), ("Parma", "Whence?", ["Parma"])],
            "aliases: none of the 1 objects of the aliases is one of a fact: they have 'Palma' "
            "(did you mean 'Parma'?), the facts have 'Oslo'; write the objects as the facts do",
        ),
    ],
)
def test_aliases_that_fit_no_fact(rows: list[Any], message: str):
    with pytest.raises(DataError) as caught:
        with_aliases(facts(*rows), frame(("Palma", "Palma de Mallorca"), ("palma", "Ciutat")))
    assert str(caught.value) == message


def test_facts_as_they_are_built_and_read_again(tmp_path):
    triples = pd.DataFrame(
        {
            "subject": ["France", "Italy"],
            "relation": ["capital", "capital"],
            "object": ["Paris", "Rome"],
            "question": ["What is the capital of France?", "Which city leads Italy, not Urbs?"],
        }
    )
    built, _ = build_facts(triples, {}, None, 1)
    built.to_parquet(tmp_path / "facts.parquet")  # reads lists as arrays
    table = frame(("Rome", "Urbs"), ("Rome", "Roma"))
    for given in (built, pd.read_parquet(tmp_path / "facts.parquet")):
        found, counts = with_aliases(given, table)
        assert dict(zip(found["object"], found["answers"], strict=True)) == {
            "Paris": ["Paris"], "Rome": ["Rome", "Roma"],
        }  # fmt: skip
        assert (counts["found"], counts["added"]) == (1, 1)
