"""What a job made is put back for the same, and for nothing else."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from knowpack.kept import keep, key_of, put_back


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a result and a folder of results."""
    monkeypatch.chdir(tmp_path)
    Path("out/epochs/1").mkdir(parents=True)
    Path("out/table").write_text("the table")
    Path("out/epochs/1/adapter").write_text("an adapter")
    keep(["out/table", "out/epochs", "out/absent"], Path("kept/ask/run"), "key")
    return tmp_path


def test_what_was_deleted_is_put_back() -> None:
    Path("out/table").unlink()
    Path("out/epochs/1/adapter").unlink()
    before = Path("kept/ask/run/kept.json").stat().st_mtime
    assert put_back(Path("kept/ask/run"), "key")
    assert Path("out/table").read_text() == "the table"
    assert Path("out/epochs/1/adapter").read_text() == "an adapter"
    assert not Path("out/absent").exists()
    assert Path("out/table").stat().st_mtime >= before
    assert sorted(path.name for path in Path("out").iterdir()) == ["epochs", "table"]


def test_another_file_in_its_place_is_replaced() -> None:
    Path("out/table").unlink()
    Path("out/table").write_text("another")
    assert put_back(Path("kept/ask/run"), "key")
    assert Path("out/table").read_text() == "the table"


def test_nothing_is_put_back_for_another_key() -> None:
    Path("out/table").unlink()
    assert not put_back(Path("kept/ask/run"), "other")
    assert not Path("out/table").exists()


@pytest.mark.parametrize("fault", ["nothing", "manifest", "file", "content"])
def test_what_is_not_whole_is_not_put_back(fault: str) -> None:
    folder = Path("kept/ask/run")
    files = [path for path in folder.iterdir() if path.name != "kept.json"]
    assert len(files) == 2
    if fault == "nothing":
        folder = Path("kept/ask/other")
    elif fault == "manifest":
        (folder / "kept.json").write_text('{"key": "key"')
    elif fault == "file":
        files[0].unlink()
    else:
        Path("out/table").write_text("changed in its place, and so in what was kept")
    assert not put_back(folder, "key")


def test_only_the_last_is_kept() -> None:
    Path("out/table").unlink()
    Path("out/table").write_text("newer")
    keep(["out/table"], Path("kept/ask/run"), "new key")
    assert not put_back(Path("kept/ask/run"), "key")
    assert put_back(Path("kept/ask/run"), "new key")
    assert [path.name for path in Path("kept/ask").iterdir()] == ["run"]


def test_without_hard_links_files_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr("os.link", refuse)
    keep(["out/table"], Path("kept/ask/run"), "key")
    Path("out/table").write_text("changed, the copy is not")
    assert put_back(Path("kept/ask/run"), "key")
    assert Path("out/table").read_text() == "the table"


def test_a_key_is_of_parameters_and_contents_alone() -> None:
    def key(content: str, **params: object) -> str:
        Path("input").write_text(content)
        return key_of(SimpleNamespace(params=params, input=["input"]))

    first = key("facts", spec={"a": 1, "b": [2]}, code="x")
    assert first == key("facts", code="x", spec={"b": [2], "a": 1})
    others = [
        key("facts!", spec={"a": 1, "b": [2]}, code="x"),
        key("facts", spec={"a": 1, "b": [3]}, code="x"),
        key("facts", spec={"a": 1, "b": [2]}, code="y"),
    ]
    assert len({first, *others}) == 4
