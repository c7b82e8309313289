from pathlib import Path

import pytest

from knowpack.errors import DataError
from knowpack.templates import Relation, load_templates

GOOD = """
capital:
  domain: country
  range: city
  templates: ["What is the capital of {subject}?", "Which city is the capital of {subject}?"]
symbol: {templates: ["What is the symbol of {subject}?"]}
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "relations.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def write_json(folder: Path, text: str) -> Path:
    path = folder / "theirs.json"
    path.write_text(text)
    return path


def test_a_later_file_replaces_relations_and_json_keeps_their_classes(tmp_path):
    theirs = write_json(
        tmp_path,
        """{"<http://dbpedia.org/ontology/capital>": "Which city governs _?",
        "<http://xmlns.com/foaf/0.1/page>": "What is the page of _?",
        "<http://dbpedia.org/ontology/symbol>": ""}""",
    )
    relations = load_templates([write(tmp_path, GOOD), theirs])
    assert list(relations) == ["capital", "symbol", "http://xmlns.com/foaf/0.1/page"]
    assert relations["capital"] == Relation(
        "capital", "country", "city", ("Which city governs {subject}?",)
    )
    assert relations["symbol"].templates == ("What is the symbol of {subject}?",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "{path}, line 1: not JSON (Expecting property name enclosed in double quotes)"),
        ("[]", "{path}: not a mapping of relations; write lines such as {example}"),
        (
            '{"r": ["What is _?"]}',
            "{path}, relation 'r': ['What is _?'] is not text; write it as {example}",
        ),
        (
            '{"r": "What is it?"}',
            "{path}, relation 'r': 'What is it?' holds the subject's place, an underscore, 0 times; "
            "write it exactly once, as in {example}",
        ),
        (
            '{"r": "Is _ or _ it?"}',
            "{path}, relation 'r': 'Is _ or _ it?' holds the subject's place, an underscore, 2 "
            "times; write it exactly once, as in {example}",
        ),
    ],
)
def test_errors_of_published_templates(tmp_path, text, message):
    path = write_json(tmp_path, text)
    with pytest.raises(DataError) as caught:
        load_templates([path])
    example = """'"<http://dbpedia.org/ontology/capital>": "What is the capital of _?"'"""
    expected = message.replace("{path}", str(path)).replace("{example}", example)
    assert str(caught.value) == expected


def test_our_own_templates_of_dbpedia():
    """At least 120 relations, each with a domain or a range, and a dozen different questions."""
    root = Path(__file__).parents[2]
    relations = load_templates([root / "resources" / "dbpedia.yaml"])
    assert len(relations) >= 120
    for relation in relations.values():
        assert relation.domain and relation.range and relation.topic
        assert len(relation.templates) == 12


def test_reads_relations(tmp_path):
    relations = load_templates([write(tmp_path, GOOD)])
    assert list(relations) == ["capital", "symbol"]
    assert relations["capital"].domain == "country"
    assert relations["capital"].range == "city"
    assert relations["symbol"] == Relation(
        "symbol", None, None, ("What is the symbol of {subject}?",)
    )


def test_a_relation_may_be_asked_back(tmp_path):
    back = "Of which country is {object} the capital?"
    text = GOOD.replace("  range: city", f'  range: city\n  reverse: "{back}"')
    theirs = write_json(tmp_path, '{"<http://dbpedia.org/ontology/capital>": "What governs _?"}')
    relations = load_templates([write(tmp_path, text)])
    assert (relations["capital"].reverse, relations["symbol"].reverse) == (back, None)
    relations = load_templates([write(tmp_path, text), theirs])
    assert relations["capital"].templates == ("What governs {subject}?",)
    assert relations["capital"].reverse == back


def test_byte_order_mark_is_fine(tmp_path):
    path = write(tmp_path, b"\xef\xbb\xbf" + GOOD.encode())
    assert "capital" in load_templates([path])


def test_question_puts_the_subject_in(tmp_path):
    capital = load_templates([write(tmp_path, GOOD)])["capital"]
    assert capital.question("France") == "What is the capital of France?"
    assert capital.question("France", 1) == "Which city is the capital of France?"


def test_a_subject_with_braces_is_left_as_it_is():
    relation = Relation("x", None, None, ("Who made {subject}?",))
    assert relation.question("{subject} {0}") == "Who made {subject} {0}?"


EXAMPLE = (
    "'capital: {domain: country, range: city, "
    """templates: ["What is the capital of {subject}?"]}'"""
)
R = "{path}, relation 'r': "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"r: \xff", "{path}: not UTF-8 at byte 3; save it as UTF-8"),
        ("", "{path}: not a mapping of relations; write lines such as " + EXAMPLE),
        ("- a", "{path}: not a mapping of relations; write lines such as " + EXAMPLE),
        (
            "no: {templates: ['Who is {subject}?']}",
            "{path}: the relation name False is not text; put it in quotes",
        ),
        (
            "r: {templates: ['Who is {subject}?']}\nr: {templates: ['Who was {subject}?']}",
            "{path}, line 2: relation 'r' stands twice; keep one",
        ),
        ("r: [1]", R + "not a mapping; write it as " + EXAMPLE),
        (
            "r: {template: ['Who is {subject}?']}",
            R + "unknown key 'template' (did you mean 'templates'?)",
        ),
        (
            "r: {domain: 3, templates: ['Who is {subject}?']}",
            R + "domain 3 is not a name; write a word or leave it out",
        ),
        (
            "r: {range: '', templates: ['Who is {subject}?']}",
            R + "range '' is not a name; write a word or leave it out",
        ),
        *(
            (
                f"r: {{{body}}}",
                R + "templates is not a list of questions; write at least one, such as "
                '["What is the capital of {subject}?"]',
            )
            for body in ("templates: []", "domain: a", "templates: 'Who is {subject}?'")
        ),
        (
            "r: {templates: ['Who is {subject}?', 7]}",
            "{path}, relation 'r', template 2: 7 is not text; put the question in quotes",
        ),
        (
            "r: {templates: ['Who is she?']}",
            "{path}, relation 'r', template 1: 'Who is she?' holds {subject} 0 times; "
            "write it exactly once",
        ),
        (
            "r: {templates: ['Is {subject} {subject}?']}",
            "{path}, relation 'r', template 1: 'Is {subject} {subject}?' holds {subject} 2 times; "
            "write it exactly once",
        ),
        *(
            (
                f"r: {{templates: ['{template}']}}",
                f"{{path}}, relation 'r', template 1: '{template}' holds another brace; "
                "{subject} is the only one allowed",
            )
            for template in ("Is {subject} {o}?", "Is {subject}}?", "{{subject}}", "{ {subject}")
        ),
        (
            "r: {templates: ['Who is {subject}?'], reverse: 'Who is {subject}?'}",
            "{path}, relation 'r', reverse: 'Who is {subject}?' holds {object} 0 times; "
            "write it exactly once",
        ),
        (
            "r: {templates: ['Who is {subject}?'], reverse: ['Who is {object}?']}",
            "{path}, relation 'r', reverse: ['Who is {object}?'] is not text; put the question in quotes",
        ),
        (
            "r: {templates: ['Who is {subject}?', 'Who is {subject}?']}",
            "{path}, relation 'r', template 2: 'Who is {subject}?' stands twice; keep one",
        ),
    ],
)
def test_errors(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        load_templates([path])
    assert str(caught.value) == message.replace("{path}", str(path))


def test_broken_yaml(tmp_path):
    path = write(tmp_path, "r: {templates: [")
    with pytest.raises(DataError, match=r"(?s)relations\.yaml: not YAML: .*line"):
        load_templates([path])


def test_tags_that_run_code_are_refused(tmp_path):
    path = write(tmp_path, "r: !!python/object/apply:os.getcwd []")
    with pytest.raises(DataError, match=r"relations\.yaml: not YAML"):
        load_templates([path])


def test_missing_file_and_folder(tmp_path):
    path = tmp_path / "none.yaml"
    with pytest.raises(DataError) as caught:
        load_templates([path])
    assert str(caught.value) == f"{path}: no such file; give a file of relations"
    with pytest.raises(DataError) as caught:
        load_templates([tmp_path])
    assert str(caught.value) == f"{tmp_path}: cannot be read (Is a directory)"
