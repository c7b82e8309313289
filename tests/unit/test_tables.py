from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowpack.errors import DataError
from knowpack.tables import read_metadata, read_table, write_table, write_text

SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("facts", pa.int64(), nullable=False),
        pa.field("share", pa.float64()),
        pa.field("answers", pa.list_(pa.string()), nullable=False),
    ]
)
FRAME = pd.DataFrame(
    {"answers": [["a", "b"], []], "share": [0.5, None], "name": ["x", "y"], "facts": [1, 2]},
    index=[7, 7],
)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "folder" / "table.parquet"


def test_a_table_comes_back_in_the_order_of_its_columns(path: Path):
    write_table(FRAME, path, SCHEMA, {"seed": "42"})
    assert pq.read_schema(path).equals(SCHEMA)
    back = read_table(path)
    assert back.columns.tolist() == SCHEMA.names
    assert back.index.tolist() == [0, 1]
    assert back.name.tolist() == ["x", "y"]
    assert back.share.isna().tolist() == [False, True]
    assert [list(answers) for answers in back.answers] == [["a", "b"], []]
    assert read_metadata(path) == {"seed": "42"}
    assert names(path.parent) == ["table.parquet"]


def test_some_columns_can_be_read_alone(path: Path):
    write_table(FRAME, path, SCHEMA)
    assert read_table(path, ["facts", "name"]).columns.tolist() == ["facts", "name"]
    assert read_metadata(path) == {}


def test_equal_tables_are_equal_files(path: Path, tmp_path: Path):
    write_table(FRAME, path, SCHEMA)
    write_table(FRAME.reset_index(drop=True), tmp_path / "other.parquet", SCHEMA)
    assert path.read_bytes() == (tmp_path / "other.parquet").read_bytes()


def test_a_table_without_rows(path: Path):
    write_table(pd.DataFrame([], columns=SCHEMA.names), path, SCHEMA)
    assert read_table(path).columns.tolist() == SCHEMA.names


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (FRAME.drop(columns="share"), "columns missing: ['share'], unknown: []"),
        (FRAME.assign(more=1), "columns missing: [], unknown: ['more']"),
        (FRAME.assign(name=["x", None]), "column 'name' is null in 1 rows"),
        (FRAME.assign(facts=[1, None]), "column 'facts' is null in 1 rows"),
        (FRAME.assign(answers=[None, None]), "column 'answers' is null in 2 rows"),
    ],
)
def test_a_frame_that_is_not_the_table(path: Path, frame, message):
    with pytest.raises(DataError) as caught:
        write_table(frame, path, SCHEMA)
    assert str(caught.value) == f"{path}: {message}"
    assert not path.parent.exists()


@pytest.mark.parametrize("column", [{"facts": ["1", "x"]}, {"facts": [1.5, 2.0]}, {"name": [1, 2]}])
def test_a_column_of_another_type_is_named(path: Path, column):
    with pytest.raises(DataError) as caught:
        write_table(FRAME.assign(**column), path, SCHEMA)
    assert str(caught.value).startswith(f"{path}: ")
    assert f"column {next(iter(column))} " in str(caught.value)
    assert not path.exists()


def test_a_write_that_fails_leaves_the_table_that_was_there(path: Path, monkeypatch):
    write_table(FRAME, path, SCHEMA)
    before = path.read_bytes()

    def fail(table, where, **_):
        Path(where).write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="no space"):
        write_table(FRAME.assign(facts=3), path, SCHEMA)
    assert path.read_bytes() == before
    assert names(path.parent) == ["table.parquet"]


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and not more", b"a,b\n1,2\n"])
def test_a_file_that_is_no_table(path: Path, content):
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: not a readable parquet table (")
    assert str(caught.value).endswith("); delete it and run again")
    with pytest.raises(DataError, match="not a readable parquet table"):
        read_metadata(path)


def test_a_column_that_a_table_does_not_have(path: Path):
    write_table(FRAME, path, SCHEMA)
    with pytest.raises(DataError) as caught:
        read_table(path, ["name", "nam"])
    assert "nam" in str(caught.value)
    assert str(path) in str(caught.value)


def test_text_is_written_whole(tmp_path: Path):
    path = tmp_path / "a" / "b.txt"
    write_text("Où\n", path)
    write_text("là\r\n", path)
    assert path.read_bytes() == "là\r\n".encode()
    assert names(path.parent) == ["b.txt"]


TEXTS = st.text(st.characters(blacklist_categories=("Cs",)))
ROW = st.tuples(TEXTS, st.integers(-(2**63), 2**63 - 1), st.none() | st.floats(allow_nan=False))


@given(rows=st.lists(st.tuples(ROW, st.lists(TEXTS, max_size=3)), min_size=1, max_size=5))
def test_whatever_fits_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "table.parquet"
    written = [(*row, answers) for row, answers in rows]
    write_table(pd.DataFrame(written, columns=SCHEMA.names), path, SCHEMA)
    back = pq.read_table(path).to_pylist()
    assert [tuple(row.values()) for row in back] == written
