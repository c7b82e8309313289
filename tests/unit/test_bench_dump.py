"""The synthetic dump of the benchmark, its bz2, the plain loop, and the table of ratios."""

import bz2
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "bench"))

import bz2_stream
import dump
import line_loop
import ratios

from knowpack.tables import read_table

TRIPLE = re.compile(
    r"<http://dbpedia\.org/resource/([^ <>]+)> <http://dbpedia\.org/ontology/(\w+)> "
    r"<http://(?:dbpedia\.org/resource|www\.wikidata\.org/entity)/([^ <>]+)> \.\n"
)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tmp_path_factory.mktemp("dump") / "dump.ttl"
    count = dump.write_dump(path, 20_000, ["capital", "ownRelation"], malformed=0, form="plain")
    text = path.read_text()
    assert text.count("\n") == count
    return text.splitlines(keepends=True)


@pytest.fixture(scope="module")
def triples(lines: list[str]) -> list[tuple[str, str, str]]:
    return [TRIPLE.fullmatch(line).groups() for line in lines[1:-1]]


def test_dump_has_the_real_ones_form(lines: list[str], triples: list[tuple[str, str, str]]) -> None:
    assert lines[0] == "# started 2022-12-01T00:00:00Z\n"
    assert lines[-1] == "# completed 2022-12-01T01:00:00Z\n"
    assert len(triples) == pytest.approx(20_000, rel=0.01)
    assert len(set(triples)) == len(triples)
    keys = [(f"{subject}>".encode(), f"{relation}>".encode()) for subject, relation, _ in triples]
    assert keys == sorted(keys)
    assert sum(map(len, lines)) / len(lines) == pytest.approx(140, abs=8)
    assert any("__CareerStation__1" in subject for subject, *_ in triples)
    assert any("%" in subject for subject, *_ in triples)
    assert any(not subject.isascii() for subject, *_ in triples)
    assert any("/entity/Q" in line for line in lines)


def test_dump_has_the_real_ones_skew(triples: list[tuple[str, str, str]]) -> None:
    entities = Counter(name for subject, _, target in triples for name in (subject, target))
    assert len(entities) / len(triples) == pytest.approx(0.35, abs=0.03)
    assert entities.most_common(1)[0][1] > 0.015 * len(triples)
    assert sum(count <= 3 for count in entities.values()) > len(entities) / 2
    objects = Counter((subject, relation) for subject, relation, _ in triples)
    assert 0.2 < sum(count > 1 for count in objects.values()) / len(objects) < 0.3
    relations = Counter(relation for _, relation, _ in triples)
    assert 500 < len(relations) <= 601
    assert {"team", "birthPlace", "country", "capital", "ownRelation"} <= relations.keys()
    assert relations.most_common(1)[0][0] == "team"


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    for path, seed in ((one, 1), (same, 1), (other, 2)):
        dump.write_dump(path, 2000, seed=seed)
    assert one.read_bytes() == same.read_bytes() != other.read_bytes()


def test_malformed_lines_are_as_many_as_asked(tmp_path: Path) -> None:
    dump.write_dump(tmp_path / "dump", 20_000, malformed=0.05, form="plain")
    found = (tmp_path / "dump").read_text().splitlines(keepends=True)[1:-1]
    broken = sum(TRIPLE.fullmatch(line) is None for line in found)
    assert broken / len(found) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("form", ["stream", "streams"])
@pytest.mark.parametrize("size", [0, 1, 5000, 3 * bz2_stream.PIECE + 11])
def test_bz2_holds_what_was_written(tmp_path: Path, form: str, size: int) -> None:
    text = b"".join(b"<a%d> aaaa\n" % number for number in range(size // 8))[:size]
    with bz2_stream.FORMS[form](tmp_path / "file") as write:
        write(text[:3000])
        write(memoryview(text)[3000:])
    packed = (tmp_path / "file").read_bytes()
    assert bz2.decompress(packed) == text
    if form == "stream":
        reader = bz2.BZ2Decompressor()
        assert (reader.decompress(packed), reader.eof, reader.unused_data) == (text, True, b"")


def test_thirds_by_hand() -> None:
    # Mass 12: six entities of one triple hold up to 6 (over 4), those of 2 up to 8, and 4 the rest.
    assert line_loop.thirds({**dict.fromkeys("abcdef", 1), "g": 2, "h": 4}) == (1, 2)
    assert line_loop.thirds({"a": 1, "b": 1, "c": 10}) == (10, 10)


def test_loop_on_a_dump_by_hand(tmp_path: Path) -> None:
    rows = [(name, "capital", f"Object_{name}") for name in ("T", "M", "N", "H")]
    rows += [("M", "other", "Y"), ("N", "other", "Y")]  # without a template
    rows += [("H", "country", "A"), ("H", "country", "B")]  # two objects
    rows += [("H", "isPartOf", "A"), ("H", "spouse", "A_H")]  # never asked; in the question
    form = f"{line_loop.RESOURCE}%s> {line_loop.ONTOLOGY}%s> {line_loop.RESOURCE}%s> ."
    path = tmp_path / "dump.ttl"
    path.write_text("\n".join(["# started", *(form % row for row in rows), "<http://cut"]))
    names = ("capital", "country", "isPartOf", "spouse")
    templates = {f"{line_loop.ONTOLOGY}{name}>": "Which a H has _?" for name in names}
    # Of a mass of 20, seven entities of one triple hold 7 and four of two triples 8: T is tail, M
    # and N are torso, H with five is head. So one capital is drawn of each class.
    found = line_loop.build(path, templates, cap=5)
    assert found == {"entities": 12, "relations": 5, "facts": 3, "asked": 1}


def test_mend_takes_out_what_is_said_twice() -> None:
    assert line_loop.mend("Who wrote the the song Ada (song)?") == "Who wrote the song Ada?"
    assert line_loop.mend("Who made Ada (film)?") == "Who made Ada (film)?"


def test_record_replaces_its_own_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ratios.parquet"
    ratios.record("facts", "triples/s", 10.0, 5.0, 20, "small", "cpu", path)
    ratios.record("asking", "prompts/s", 30.0, 2.0, 15, "small", "cpu", path)
    ratios.record("facts", "triples/s", 0.5, 0.02, 20, "large", "cpu", path)
    table = read_table(path)
    assert table["what"].tolist() == ["asking", "facts"]
    assert table["ratio"].tolist() == [15.0, 25.0]
    assert table["size"].tolist() == ["small", "large"]
    shown = capsys.readouterr().out
    assert "25.0" in shown
    assert " 0.0200 " in shown


SIDES = """
import sys
sys.path.insert(0, {bench!r})
from ratios import serve

def side(first):
    def prepare(by):
        rates = iter(range(first, 100, int(by)))
        def work():
            print("noise")
            return {{"rate": 10 // next(rates) if first > 5 else next(rates)}}
        return work
    return prepare

serve({{"ours": side(1), "baseline": side(10)}})
"""


@pytest.mark.slow
def test_sides_work_in_turn_and_start_anew_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "sides.py"
    script.write_text(SIDES.format(bench=str(Path(ratios.__file__).parent)))
    ratios.compare("kept", "1/s", str(script), [2], 2, 1, "small")
    ratios.compare("anew", "1/s", str(script), [2], 2, 1, "small", anew=True)
    table = read_table(ratios.TABLE).set_index("what")
    assert table.loc["kept", ["ours", "baseline"]].tolist() == [2, 0.5]  # of 1 and 3; of 1 and 0
    assert table.loc["anew", ["ours", "baseline"]].tolist() == [1, 1]
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("kept, round")]
    assert [line.split(", ")[2].split(":")[0] for line in told] == ["ours", "baseline"] * 2
    with pytest.raises(SystemExit, match="ZeroDivisionError|StopIteration"):
        ratios.compare("broken", "1/s", str(script), [99], 3, 1, "small")
