"""Facts from a dump, on dumps small enough to count by hand."""

import bz2
import hashlib
import json
from pathlib import Path

import pytest

from knowpack.dbpedia import read_dbpedia_source
from knowpack.errors import DataError
from knowpack.facts import build_facts
from knowpack.templates import Relation, load_templates

RELATIONS = {
    "capital": Relation("capital", "country", "city", ("What is the capital of {subject}?",)),
    "canton": Relation("canton", None, None, ("In which canton is {subject}?",)),
    "genre": Relation("genre", None, "genre", ("Of which genre is {subject}?",)),
    "http://xmlns.com/foaf/0.1/page": Relation("page", None, None, ("What is {subject}'s page?",)),
}
COMMENT = "# started 2022-12-01T00:00:00Z"


def triple(subject: str, relation: str, thing: str, language: str = "") -> str:
    place = f"http://{language}dbpedia.org"
    return (
        f"<{place}/resource/{subject}> <http://dbpedia.org/ontology/{relation}> "
        f"<{place}/resource/{thing}> ."
    )


def read(path: Path, lines: list[str] | bytes, **changes: object):
    content = lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(bz2.compress(content) if path.suffix == ".bz2" else content)
    return read_file(path, **changes)


def read_file(path: Path, relations: dict[str, Relation] = RELATIONS, **changes: object):
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    spec = {"path": str(path), "sha256": sha256, "language": "en", "cap": 30, "seed": 42}
    spec |= {"max_malformed": 0.5, **changes}
    return read_dbpedia_source(spec, relations)


def rows(frame) -> list[tuple[str, str, str]]:
    return sorted(zip(frame["subject"], frame["relation"], frame["object"], strict=True))


@pytest.mark.parametrize("name", ["dump.ttl", "dump.ttl.bz2"])
def test_triples_become_questions(tmp_path: Path, name: str) -> None:
    frame, record = read(tmp_path / name, [COMMENT, triple("C%C3%B4te_d'Ivoire", "capital", "A_B")])
    fact = frame.iloc[0]
    assert (fact.subject, fact.relation, fact.object) == ("Côte d'Ivoire", "capital", "A B")
    assert fact.question == "What is the capital of Côte d'Ivoire?"
    assert list(fact.answers) == ["A B"]
    assert record["read"] == 2
    assert {key: count for key, count in record["dropped"].items() if count} == {"comment": 1}


def test_only_single_objects_of_relations_with_a_template_are_asked(tmp_path: Path) -> None:
    lines = [
        triple("France", "capital", "Paris"),
        triple("Bolivia", "capital", "Sucre"),
        triple("Bolivia", "capital", "La_Paz"),
        triple("France", "twin", "Italy"),
        triple("Peru", "capital", "Lima"),
        triple("Peru", "capital", "Lima"),
        triple("Peru", "friend", "Chile"),
        triple("Chile", "friend", "Peru"),
    ]
    frame, record = read(tmp_path / "dump.ttl", lines)
    assert rows(frame) == [("France", "capital", "Paris"), ("Peru", "capital", "Lima")]
    dropped = record["dropped"]
    assert (dropped["several_objects"], dropped["duplicate"], dropped["no_template"]) == (2, 1, 3)
    assert record["unasked"] == {"friend": 2, "twin": 1}


def test_an_objects_parenthesis_is_no_part_of_the_answer(tmp_path: Path) -> None:
    frame, _ = read(tmp_path / "dump.ttl", [triple("Avatar_(film)", "genre", "Epic_(genre)")])
    fact = frame.iloc[0]
    assert (fact.object, list(fact.answers)) == ("Epic (genre)", ["Epic"])
    assert fact.question == "Of which genre is Avatar (film)?"


def test_what_cannot_be_asked_is_dropped_and_counted(tmp_path: Path) -> None:
    there = "<http://dbpedia.org/resource/France> <http://dbpedia.org/ontology/{}> {} ."
    lines = [
        triple("Mexico", "capital", "Mexico_City"),  # stays: the city's name is not in the question
        triple("Mexico_City_State", "capital", "Mexico_City"),
        triple("Ann__Career__1", "genre", "Jazz"),
        triple("Bob", "genre", "Bob__Genre__2"),
        triple("Zug", "canton", "Cantons_of_Switzerland"),
        triple("Eve", "genre", "List_of_jazz_genres"),
        triple("List_of_films", "genre", "Drama"),
        there.format("genre", "<http://www.wikidata.org/entity/Q1>"),
        there.format("capital", '"Paris is \\"it\\""@en'),
        there.format("capital", '"Paris"@en'),
        there.format("capital", ""),
        "this is no triple",
        "these are four words",
        "",
    ]
    frame, record = read(tmp_path / "dump.ttl", lines, max_malformed=0.5)
    assert rows(frame) == [("Mexico", "capital", "Mexico City")]
    assert {key: count for key, count in record["dropped"].items() if count} == {
        "malformed": 3,
        "literal": 2,
        "not_an_entity": 1,
        "generated_node": 2,
        "list_page": 2,
        "cleaning_rule": 1,
        "answer_in_question": 1,
    }


def test_popularity_is_the_third_of_all_mentions_that_an_entity_stands_in(tmp_path: Path) -> None:
    # Hub stands in 6 + 1 triples, A to F in 2 each, the genres in 1 each and Hub's capital in 1:
    # 7 + 12 + 6 + 1 = 26 mentions. From the least: the 7 entities with one hold 7, with the 6 that
    # have two 19, with Hub 26. A third (8.67) is reached among those with two, as are two thirds
    # (17.33), so the tail ends there, and only Hub is above.
    lines = [triple(name, "friend", "Hub") for name in "ABCDEF"]
    lines += [triple(name, "genre", f"Genre_{name.lower()}") for name in "ABCDEF"]
    lines += [triple("Hub", "capital", "Metropolis")]
    frame, _ = read(tmp_path / "dump.ttl", lines)
    found = dict(zip(frame["subject"], frame["popularity"], strict=True))
    assert found == {**dict.fromkeys("ABCDEF", "tail"), "Hub": "head"}
    assert dict(zip(frame["subject"], frame["score"], strict=True))["Hub"] == 7


def test_few_times_the_cap_go_on_and_the_draw_does_not_depend_on_order(tmp_path: Path) -> None:
    lines = [triple(f"S{number}", "genre", f"G{number}") for number in range(50)]
    frame, record = read(tmp_path / "dump.ttl", lines, cap=2)
    assert len(frame) == 4
    assert record["dropped"]["over_the_cap"] == 46
    again, _ = read(tmp_path / "dump.ttl.bz2", lines[::-1], cap=2)
    assert rows(again) == rows(frame)
    other, _ = read(tmp_path / "dump.ttl", lines, cap=2, seed=43)
    assert rows(other) != rows(frame)


def test_the_facts_are_balanced_over_popularities(tmp_path: Path) -> None:
    lines = [triple(f"Tail{n}", "genre", f"T{n}") for n in range(300)]
    for n in range(30):
        lines += [triple(f"Torso{n}", "genre", f"M{n}")]
        lines += [triple(f"Torso{n}", f"other{k}", f"x{n}_{k}") for k in range(20)]
    for n in range(5):
        lines += [triple(f"Head{n}", "genre", f"H{n}")]
        lines += [triple(f"Head{n}", f"other{k}", f"y{n}_{k}") for k in range(300)]
    frame, _ = read(tmp_path / "dump.ttl", lines, cap=4)
    facts, dropped = build_facts(frame, RELATIONS, None, 42, cap=4)
    assert facts["popularity"].value_counts().to_dict() == {"head": 4, "torso": 4, "tail": 4}
    assert set(facts["domain"]) == {"genre"}
    assert dropped["over_the_cap"] == len(frame) - 12


def test_a_published_templates_file_works_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "theirs.json"
    path.write_text(
        json.dumps(
            {
                "<http://dbpedia.org/ontology/capital>": "Which city governs _?",
                "<http://xmlns.com/foaf/0.1/page>": "What is the page of _?",
                "<http://dbpedia.org/ontology/nothing>": "",
            }
        )
    )
    relations = load_templates([path])
    assert relations.keys() == {"capital", "http://xmlns.com/foaf/0.1/page"}
    dump = tmp_path / "dump.ttl"
    dump.write_text(triple("France", "capital", "Paris") + "\n")
    frame, _ = read_file(dump, relations, max_malformed=0)
    assert list(frame["question"]) == ["Which city governs France?"]


def test_another_language_has_its_own_entities(tmp_path: Path) -> None:
    lines = [triple("Frankreich", "capital", "Paris", "de.")]
    frame, _ = read(tmp_path / "dump.ttl", lines, language="de")
    assert rows(frame) == [("Frankreich", "capital", "Paris")]
    with pytest.raises(DataError) as caught:
        read(tmp_path / "dump.ttl", lines)
    assert str(caught.value) == (
        f"{tmp_path}/dump.ttl: no subject begins with http://dbpedia.org/resource/, so it is not the "
        "dump of language 'en' (found http://de.dbpedia.org/resource/Frankreich and "
        "http://de.dbpedia.org/resource/Frankreich); give that dump, or write its facts.language"
    )


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"its SHA-256 is [0-9a-f]{64}, not 0{64} as facts\.sha256"):
        read(tmp_path / "dump.ttl", [triple("A", "genre", "B")], sha256="0" * 64)


def test_a_web_page_is_no_dump(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a web page, not a dump; follow its link to the file"):
        read(tmp_path / "dump.ttl", b"\n<!DOCTYPE html><html><body>Download</body></html>")


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    lines = [triple("France", "capital", "Paris") + "\r", triple("Peru", "capital", "Lima") + "\r"]
    frame, record = read(tmp_path / "dump.ttl", lines)
    assert len(frame) == record["read"] == 2


def test_a_binary_file_is_no_dump(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="malformed|is no dump of triples, one a line"):
        read(tmp_path / "dump.ttl", bytes(range(256)) * 400, max_malformed=0.1)


def test_a_dump_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    whole = bz2.compress("\n".join(triple(f"S{n}", "genre", f"G{n}") for n in range(5000)).encode())
    path = tmp_path / "dump.bz2"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="it is damaged or was cut short; fetch it again"):
        read_file(path, max_malformed=0)


@pytest.mark.parametrize("content", [b"", b"# only\n# comments\n"])
def test_a_file_without_triples_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="holds no"):
        read(tmp_path / "dump.ttl", content)


def test_too_many_malformed_lines_are_an_error_that_shows_some(tmp_path: Path) -> None:
    lines = ["dbr:France dbo:capital dbr:Paris .", "@prefix", triple("A", "genre", "B")]
    with pytest.raises(DataError) as caught:
        read(tmp_path / "dump.ttl", lines, max_malformed=0.5)
    assert str(caught.value) == (
        f"{tmp_path}/dump.ttl: 2 of 3 lines are malformed, more than facts.max_malformed (0.5) "
        "admits; a line holds one whole triple, <subject> <relation> <object> and a dot. Some of them: "
        "'@prefix'; 'dbr:France dbo:capital dbr:Paris .'"
    )


def test_templates_for_other_relations_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"asks about none of its 1 relations \(friend \.\.\.\)"):
        read(tmp_path / "dump.ttl", [triple("A", "friend", "B")])
