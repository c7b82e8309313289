import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowpack.errors import DataError
from knowpack.tabular import read_table_source

MEND = "; write one or remove the row"
HIT = ", which would match every text; remove it"
SAVE = "; save the table as UTF-8"
NEEDED = "'question' and 'answer' (or 'answers'), or 'subject', 'relation' and 'object'"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def records(frame: pd.DataFrame, *names: str) -> list[list]:
    return [list(row) for row in frame[list(names)].itertuples(index=False)]


def test_csv_of_questions(tmp_path):
    text = '\ufeffquestion,answer,aliases\n"Who, then?", Ann|Anna ,A. B.\n\nWhy?,"a ""b""\nc",\n'
    frame = read_table_source(write(tmp_path, "q.csv", text))
    assert records(frame, "question", "answers", "row") == [
        ["Who, then?", ["Ann", "Anna", "A. B."], 2],
        ["Why?", ['a "b"\nc'], 4],
    ]
    assert (
        frame[["subject", "relation", "object", "popularity", "domain", "score"]]
        .isna()
        .all(axis=None)
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_of_a_csv_tells_what_separates_its_cells(tmp_path, delimiter):
    """Spreadsheets write semicolons in many languages."""
    rows = [["question", "answer", '"a,b,c; d"'], ['"Who; what, then?"', "Ann|Anna", ""]]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    frame = read_table_source(write(tmp_path, "q.csv", text))
    assert records(frame, "question", "answers") == [["Who; what, then?", ["Ann", "Anna"]]]


def test_tsv_of_triples(tmp_path):
    text = (
        "subject\trelation\tobject\taliases\tscore\tpopularity\tdomain\n"
        "France\tcapital\tParis|x\tLutetia|Paname\t68e6\thead\tcountry\n"
        "Chad\tcapital\tN'Djamena\t\t\t\t\n"
    )
    frame = read_table_source(write(tmp_path, "t.TSV", text))
    assert records(frame, "subject", "object", "answers") == [
        ["France", "Paris|x", ["Paris|x", "Lutetia", "Paname"]],
        ["Chad", "N'Djamena", ["N'Djamena"]],
    ]
    assert frame["score"].tolist()[0] == 68e6
    assert frame["popularity"].tolist() == ["head", None]
    assert frame["domain"].tolist() == ["country", None]
    assert frame.loc[1, ["score"]].isna().all()
    assert frame["question"].isna().all()


def test_jsonl_with_lists_and_texts(tmp_path):
    lines = [
        {"question": "Who?", "answer": "Ann", "answers": ["Ann", "Bo|b"], "aliases": ["C"]},
        {"question": "Why?", "answer": "x|y", "score": 3},
    ]
    text = "\n".join([json.dumps(lines[0]), "", json.dumps(lines[1]), ""])
    frame = read_table_source(write(tmp_path, "q.jsonl", text))
    assert records(frame, "answers", "row") == [[["Ann", "Bo|b", "C"], 1], [["x|y"], 3]]
    assert frame["score"].tolist()[1] == 3.0


def test_parquet_with_nulls_and_dictionaries(tmp_path):
    table = pa.table(
        {
            "subject": pa.array(["France", "Chad"]).dictionary_encode(),
            "relation": ["capital", "capital"],
            "object": pa.array(["Paris", "N'Djamena"], pa.large_string()),
            "aliases": [["Lutetia"], None],
            "score": [1.5, float("nan")],
            "extra": [1, 2],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    frame = read_table_source(tmp_path / "t.parquet")
    assert records(frame, "subject", "answers", "row") == [
        ["France", ["Paris", "Lutetia"], 1],
        ["Chad", ["N'Djamena"], 2],
    ]
    assert frame["score"].isna().tolist() == [False, True]


def test_columns_map_our_names_to_the_files(tmp_path):
    path = write(tmp_path, "q.csv", "prompt,label,answer\nWho?,Ann,ignored\n")
    frame = read_table_source(path, {"question": "prompt", "answer": "label"})
    assert records(frame, "question", "answers") == [["Who?", ["Ann"]]]
    path = write(tmp_path, "t.csv", "subject,relation,answer,question\na,b,c,Who?\n")
    frame = read_table_source(path, {"object": "answer"})
    assert records(frame, "object", "answers", "question") == [["c", ["c"], "Who?"]]


def test_a_question_table_keeps_its_relation(tmp_path):
    frame = read_table_source(write(tmp_path, "q.csv", "question,answer,relation\nWho?,Ann,r\n"))
    assert records(frame, "relation", "question") == [["r", "Who?"]]


def test_published_categories_are_read_where_they_are_mapped(tmp_path):
    names = ["Unknown", "mk", "Highly Known", "weakly-known", " hk ", "", "WeaklyKnown"]
    text = "\n".join(
        ["question,answer,label", *(f"Q{i}?,A,{name}" for i, name in enumerate(names))]
    )
    path = write(tmp_path, "q.csv", text)
    assert read_table_source(path, {"category": "label"})["published_category"].tolist() == [
        "Unknown", "MaybeKnown", "HighlyKnown", "WeaklyKnown", "HighlyKnown", None, "WeaklyKnown",
    ]  # fmt: skip
    assert read_table_source(path)["published_category"].isna().all()
    path = write(tmp_path, "c.csv", "question,answer,category\nWho?,Ann,sport\n")
    assert read_table_source(path)["published_category"].tolist() == [None]
    assert failing(path, {"category": "category"}) == (
        ", row 2: the category 'sport' is none of Unknown, MaybeKnown, HighlyKnown, WeaklyKnown"
    )


def test_published_categories_follow_from_right_answers(tmp_path):
    given = [[True, True], [True, False], [False, False], None]
    lines = [{"question": f"Q{i}?", "answer": "A", "right": right} for i, right in enumerate(given)]
    path = write(tmp_path, "q.jsonl", "\n".join(map(json.dumps, lines)))
    found = read_table_source(path, {"correct": "right"})["published_category"]
    assert found.tolist() == ["HighlyKnown", "MaybeKnown", "Unknown", None]
    for wrong in ([], ["yes"], True, [1, 0]):
        path = write(tmp_path, "w.jsonl", json.dumps({**lines[0], "right": wrong}))
        assert failing(path, {"correct": "right"}) == (
            f", row 1: 'correct' is {wrong!r}, not a list of true and false, one an answer"
        )


def failing(path: Path, columns: dict[str, str] | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read_table_source(path, columns)
    message = str(caught.value)
    assert message.startswith(str(path))
    return message[len(str(path)) :]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.xlsx", "x", ": unknown kind of table; give a .csv, .tsv, .jsonl, .parquet file"),
        ("q.csv", "", f": is empty; it needs the columns {NEEDED}"),
        ("q.csv", "question,answer\n", ": has no rows; write one fact a row"),
        ("q.csv", b"question,answer\nWho?,Ann\nWho?,\xe9", f", row 3: not UTF-8 at byte 30{SAVE}"),
        ("q.jsonl", b'{"question": "\xff"}', f", row 1: not UTF-8 at byte 14{SAVE}"),
        (
            "q.csv",
            "id,question,anwser\n1,a,b\n",
            f": lacks columns: it needs {NEEDED}, and has 'id', 'question', 'anwser' (did you mean "
            "'answer'?); rename them there, or map our names to yours under 'columns'",
        ),
        (
            "q.csv",
            "question,answer,answer\na,b,c\n",
            ": the column 'answer' stands twice; keep one",
        ),
        ("q.csv", "question,answer\nWho?,Ann\n ,Bo\n", f", row 3: the question is empty{MEND}"),
        ("q.csv", "question,answer\nWho?,Ann\n,\n", f", row 3: the question is empty{MEND}"),
        ("q.csv", "question,answer\nWho?, \n", f", row 2: the answer is empty{MEND}"),
        ("q.jsonl", '{"question": "Who?", "answers": []}', f", row 1: the answer is empty{MEND}"),
        ("t.csv", "subject,relation,object\na,b,\n", f", row 2: the object is empty{MEND}"),
        (
            "t.csv",
            "subject,relation,object,question\na,b,c,\n",
            f", row 2: the question is empty{MEND}",
        ),
        (
            "q.csv",
            "question,answer,aliases\nWho?,Ann,A||B\n",
            f", row 2: 'aliases' holds an empty alias{HIT}",
        ),
        (
            "q.csv",
            "question,answers\nWho?,Ann|\n",
            f", row 2: 'answers' holds an empty answer{HIT}",
        ),
        (
            "q.jsonl",
            '{"question": "Who?", "answer": "Ann", "aliases": [" "]}',
            f", row 1: 'aliases' holds an empty alias{HIT}",
        ),
        (
            "q.jsonl",
            '{"question": "When?", "answer": 1969}',
            ", row 1: the answer 1969 is not text; put it in quotes",
        ),
        (
            "q.jsonl",
            '\n{"question": }',
            ", row 2: not JSON: Expecting value: line 1 column 14 (char 13)",
        ),
        ("q.jsonl", "[1]", ", row 1: not a JSON object; write one a line"),
        (
            "q.csv",
            "question,answer\nWho, then?,Ann\n",
            ", row 2: has 3 cells, the header 2; put a cell that holds ',' in double quotes",
        ),
        (
            "q.csv",
            'question,answer\n"Who?,Ann\n',
            ", line 2: unexpected end of data; close every double quote, "
            "and write one inside a cell as two",
        ),
        *(
            (
                "q.csv",
                f"question,answer,score\nWho?,Ann,{score}\n",
                f", row 2: the score '{score}' is not a number of 0 or more; "
                "write one or leave it empty",
            )
            for score in ("many", "-1", "inf", "nan")
        ),
        (
            "q.csv",
            "question,answer,popularity\nWho?,Ann,heads\n",
            ", row 2: the popularity 'heads' is none of head, torso, tail (did you mean 'head'?)",
        ),
    ],
)
def test_errors_in_files(tmp_path, name, content, message):
    assert failing(write(tmp_path, name, content)) == message


def test_missing_file_folder_and_unreadable_parquet(tmp_path):
    assert failing(tmp_path / "q.csv") == ": no such file; give the path of a table of facts"
    (tmp_path / "d.csv").mkdir()
    assert failing(tmp_path / "d.csv") == ": is a folder; give the path of one table in it"
    message = failing(write(tmp_path, "q.parquet", "question,answer\nWho?,Ann\n"))
    assert message.startswith(": not a readable Parquet file (")
    assert message.endswith("); write it again")


def test_parquet_text_that_is_not_utf8(tmp_path):
    broken = pa.array([b"\xff"]).cast(pa.binary()).view(pa.string())
    pq.write_table(pa.table({"question": broken, "answer": ["a"]}), tmp_path / "q.parquet")
    message = failing(tmp_path / "q.parquet")
    assert message == ": holds text that is not UTF-8; write it as UTF-8"


def test_parquet_columns_that_are_not_used_are_not_read(tmp_path):
    broken = pa.array([b"\xff"]).cast(pa.binary()).view(pa.string())
    table = pa.table({"question": ["Who?"], "answer": ["Ann"], "note": broken})
    pq.write_table(table, tmp_path / "q.parquet")
    frame = read_table_source(tmp_path / "q.parquet")
    assert records(frame, "question", "answers") == [["Who?", ["Ann"]]]


def test_errors_in_the_mapping(tmp_path):
    path = write(tmp_path, "q.csv", "prompt,answer\nWho?,Ann\n")
    assert failing(path, {"questoin": "prompt"}) == (
        ": columns maps the unknown name 'questoin' (did you mean 'question'?); the names are "
        "subject, relation, object, question, answer, answers, aliases, score, popularity, domain, "
        "category, correct"
    )
    assert failing(path, {"question": "promt"}) == (
        ": columns maps question to 'promt', which the table lacks (did you mean 'prompt'?); "
        "it has 'prompt', 'answer'"
    )


def test_a_column_of_categories_that_is_empty_is_an_error(tmp_path):
    path = write(tmp_path, "facts.csv", "question,answer,label\nWhere?,Here,\nWhen?,Now,\n")
    assert failing(path, {"category": "label"}) == (
        ": columns maps category, but no row has a category; write some there, or take it out of "
        "'columns'"
    )
