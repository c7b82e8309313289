"""The page of a fact set, from a table on disk."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from test_fact_set import FACTS as FEW

from knowpack import facts_page
from knowpack.errors import DataError
from knowpack.facts import FACTS
from knowpack.facts_page import aliases_in_words, compose, headline, read_record
from knowpack.tables import read_metadata, read_table, write_table

EVIL = "<script>alert('x')</script>"
NONE = {"source": "none", "objects": 0, "found": 0, "added": 0, "unknown": [], "unknown_count": 0}
RECORD: dict[str, Any] = {"read": 61, "dropped": {"duplicate": 2}, "unasked": {}, "aliases": NONE}
SPEC = {"title": "Facts of study s", "source": "table", "place": "my facts.csv", "seed": 42}
ALONE = {"relation": None, "domain": None, "popularity": None}


def on_disk(folder: Path, record: dict[str, Any] = RECORD, **columns: Any) -> pd.DataFrame:
    """The facts as the job reads them."""
    others = dict.fromkeys(set(FACTS.names) - set(FEW))
    facts = FEW.assign(**others, **columns)
    texts = {name: json.dumps(value) for name, value in record.items()}
    write_table(facts, folder / "facts.parquet", FACTS, texts)
    return read_table(folder / "facts.parquet")


def page(folder: Path, record: dict[str, Any] = RECORD, **columns: Any) -> str:
    return compose(on_disk(folder, record, **columns), record, SPEC)


def under(text: str, section: str) -> str:
    found = re.search(rf'<section id="{section}">.*?</section>', text, re.S)
    assert found, section
    return html.unescape(found[0])


def body(section: str) -> list[list[str]]:
    """The cells of the section's table, without its head."""
    body = section.partition("<tbody>")[2]
    lines = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in lines]


def head(section: str) -> list[str]:
    return re.findall(r'<th scope="col">(.*?)</th>', section)


def test_the_page_says_what_the_facts_are(tmp_path: Path):
    text = page(tmp_path)
    assert "<h1>Facts of study s</h1>" in text
    said = "6 facts of 3 relations, out of 61 rows read from my facts.csv (source 'table')."
    assert said in html.unescape(text)
    relations = under(text, "relations")
    columns = ["Relation", "Domain", "Head", "Torso", "Tail", "No popularity", "Facts"]
    assert head(relations) == columns
    assert body(relations) == [
        ["capital", "country", "1", "0", "1", "1", "3"],
        ["birthplace", "person", "0", "1", "0", "0", "1"],
        ["currency", "country", "0", "0", "1", "0", "1"],
        ["–", "–", "0", "0", "0", "1", "1"],
    ]
    answers = under(text, "answers")
    assert body(answers) == [["Rome", "2", "33.3%"], ["euro", "2", "33.3%"]]
    assert "one that always said “Rome” would be right about 33.3% of the facts." in answers
    assert body(under(text, "lengths")) == [
        ["Question, characters", "4", "4.5", "11.2", "13"],
        ["Label, characters", "3", "4", "4", "4"],
        ["Answers of a fact", "1", "1", "2.8", "3"],
    ]
    assert under(text, "lengths").count("data:image/svg+xml;base64,") == 1
    words = "repeats of a fact, or of a question with its answer"
    assert body(under(text, "left-out")) == [[words, "2"]]
    sample = under(text, "sample")
    assert head(sample) == ["Question", "Answers", "Popularity", "Domain", "Relation"]
    assert sorted(body(sample))[2] == ["Cy's?", "euro; EUR; €", "tail", "country", "currency"]
    assert "All facts." in sample


def test_what_is_not_known_is_said_in_a_line(tmp_path: Path):
    text = page(tmp_path, **ALONE)
    said = "Not known of these facts: relation, domain, popularity."
    assert f"<p>{said}</p>" in under(text, "relations")
    assert "<table>" not in under(text, "relations")
    assert head(under(text, "sample")) == ["Question", "Answers"]
    assert "6 facts, out of 61 rows read" in text
    some = under(page(tmp_path, popularity=None), "relations")
    assert head(some) == ["Relation", "Domain", "Facts"]
    assert "<caption>Not known of these facts: popularity.</caption>" in some
    every = under(page(tmp_path, popularity="tail"), "relations")
    assert "No popularity" not in every


def test_what_there_is_none_of_is_said_in_a_line(tmp_path: Path):
    labels = [[f"Answer {number}"] for number in range(6)]
    text = page(tmp_path, {**RECORD, "dropped": {"duplicate": 0}}, answers=labels)
    for section, said in {
        "answers": "No two facts have the same answer.",
        "left-out": "Nothing was left out.",
        "unasked": "None was left out for want of a question template.",
        "aliases": "There are no aliases: an answer is judged by the facts' labels alone.",
    }.items():
        assert f"<p>{said}</p>" in under(text, section)
        assert "<table>" not in under(text, section)


def test_relations_without_a_template_are_counted_and_the_largest_listed(tmp_path: Path):
    unasked = {f"relation {number:02d}": number for number in range(1, 41)}
    section = under(page(tmp_path, {**RECORD, "unasked": unasked}), "unasked")
    assert "40 relations with 820 triples in all could not be asked about" in section
    assert "Here are the 30 with the most triples." in section
    assert len(body(section)) == 30
    assert body(section)[0] == ["relation 40", "40"]
    one = under(page(tmp_path, {**RECORD, "unasked": {"r": 1}}), "unasked")
    assert "1 relation with 1 triple in all could not be asked about; add templates" in one
    assert "Here are" not in one


def test_many_relations_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(facts_page, "_RELATIONS", 2)
    section = under(page(tmp_path), "relations")
    assert "The 2 with the most facts, of 4." in section
    assert [row[0] for row in body(section)] == ["capital", "birthplace"]


def test_aliases_in_words():
    found = {**NONE, "source": "wikidata", "objects": 5, "found": 2, "added": 3}
    assert aliases_in_words(found, FEW) == (
        "2 of 5 objects got an alias from Wikidata, 3 aliases in all; "
        "2 facts of 6 have more than one accepted answer."
    )
    one = {**found, "source": "table", "objects": 1, "found": 1, "added": 1}
    assert aliases_in_words(one, FEW[1:2]) == (
        "1 of 1 object got an alias from a table, 1 alias in all; "
        "1 fact of 1 has more than one accepted answer."
    )
    assert aliases_in_words(NONE, FEW) == (
        "No aliases were looked up; 2 facts of 6 have more than one answer in the source itself."
    )


def test_unknown_objects_of_the_alias_table(tmp_path: Path):
    aliases = {**NONE, "source": "table", "unknown": ["A", EVIL], "unknown_count": 30}
    text = page(tmp_path, {**RECORD, "aliases": aliases})
    said = f"30 objects of the table of aliases are in no fact: A, {EVIL}, and 28 more."
    assert said in under(text, "aliases")
    assert EVIL not in text


def test_headlines():
    spec = {**SPEC, "source": "dbpedia", "place": "a\nb.ttl"}
    assert headline(FEW[:1], 1, spec) == (
        "1 fact of 1 relation, out of 1 line read from a b.ttl (source 'dbpedia')."
    )
    world = {**SPEC, "source": "world", "place": None}
    assert headline(FEW, 219008, world) == (
        "6 facts of 3 relations, out of 219,008 triples read from data packages (source 'world')."
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.closed: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.opened.append(tag)

    def handle_endtag(self, tag):
        self.closed.append(tag)


def test_every_text_is_only_text_and_the_page_is_whole(tmp_path: Path):
    texts = dict.fromkeys(("question", "relation", "domain"), EVIL)
    record = {**RECORD, "dropped": {EVIL: 1}, "unasked": {EVIL: 1}}
    facts = on_disk(tmp_path, record, answers=[[EVIL, EVIL]] * 6, **texts)
    text = compose(facts, record, {**SPEC, "title": EVIL, "place": EVIL})
    assert text.count("&lt;script&gt;") > 12
    tags = Tags()
    tags.feed(text)
    assert "script" not in tags.opened
    assert sorted(set(tags.opened) - {"meta", "img"}) == sorted(set(tags.closed))
    assert [tags.opened.count(tag) for tag in ("tr", "td", "th", "section")] == [
        tags.closed.count(tag) for tag in ("tr", "td", "th", "section")
    ]
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text


def test_long_texts_and_many_answers_are_cut(tmp_path: Path):
    answers = [[f"a{number}" for number in range(10)]] * 6
    sample = under(page(tmp_path, question="q" * 1000, answers=answers), "sample")
    assert body(sample)[0][:2] == ["q" * 299 + "…", "a0; a1; a2; a3; a4; a5; a6; a7; and 2 more"]


def test_the_page_is_the_same_each_time_and_in_any_order(tmp_path: Path):
    facts = on_disk(tmp_path)
    assert compose(facts, RECORD, SPEC) == compose(facts[::-1], RECORD, SPEC)


def test_the_record_of_a_table(tmp_path: Path):
    on_disk(tmp_path, {name: RECORD[name] for name in ("read", "dropped", "aliases")})
    path = str(tmp_path / "facts.parquet")
    assert read_record(read_metadata(path), path) == RECORD
    with pytest.raises(DataError, match=r"facts.parquet: its footer lacks \['read', 'aliases'\]"):
        read_record({"dropped": "{}"}, "facts.parquet")
