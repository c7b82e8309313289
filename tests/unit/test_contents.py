"""Titles of tables and figures, and the captions that Snakemake's own report shows."""

import re
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pandas as pd
import pyarrow as pa
import pytest

from knowpack import figures, plots
from knowpack.contents import FIGURES, TABLES
from knowpack.publish import write_forms
from knowpack.tables import read_metadata

ROOT = Path(__file__).parents[2]
RST = ROOT / "workflow/report"
EVIL = "1 < 2 & *bold* `x` {{ 7 * 7 }} <b>P_correct_</b>"
SHOWN = "1 &lt; 2 &amp; *bold* `x` {{ 7 * 7 }} &lt;b&gt;P_correct_&lt;/b&gt;"


def rendered(name: str, files: list[SimpleNamespace], output: list[Path]) -> str:
    """A caption as Snakemake's report renders it: through Jinja, then reStructuredText."""
    core = pytest.importorskip("docutils.core", reason="docutils comes with Snakemake")
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    made = SimpleNamespace(output=[str(path) for path in output])
    text = environment.from_string((RST / name).read_text()).render(snakemake=made, files=files)
    return core.publish_parts(text, writer="html")["body"]


def test_every_figure_and_table_of_the_rules_has_a_title():
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    drawn = re.search(r"FIGURE_TABLES = \{(.*?)\}", rules, re.S)[1]
    tables = dict(re.findall(r'"(\w+)": "(\w+)"', drawn))
    assert tables.keys() == FIGURES.keys()
    assert set(tables.values()) < TABLES.keys()
    assert all(callable(getattr(figures, name)) for name in FIGURES)
    assert set(re.findall(r'\bforms\("(\w+)"\)', rules)) == TABLES.keys()


def test_the_caption_of_a_table_stands_in_its_files_and_in_the_report(tmp_path: Path):
    frame = pd.DataFrame({"a": ["x", "<y>"]})
    records = []
    for name in ("answers", "costs", "shifts"):
        path = tmp_path / f"{name}.parquet"
        write_forms(frame, pa.schema([("a", pa.string())]), frame, f"{name}: {EVIL}", path)
        labels = SimpleNamespace(title=TABLES[name].title)
        records.append(SimpleNamespace(path=path.with_suffix(".html"), labels=labels))
    assert read_metadata(path) == {"caption": f"shifts: {EVIL}"}
    assert "<td>&lt;y&gt;</td>" in records[0].path.read_text()
    outputs = [record.path for record in records[:2]]  # of one job
    assert rendered("caption.rst", records, outputs).split("\n\n") == [
        f"<p><strong>Refusals and repeated answers.</strong> answers: {SHOWN}</p>"
        f"<p><strong>Costs.</strong> costs: {SHOWN}</p>"
    ]


def test_the_caption_of_a_figure_stands_in_the_report(tmp_path: Path):
    paths = plots.save(plots.note("Nothing"), tmp_path / "figure", EVIL)
    record = SimpleNamespace(path=paths[1], labels=SimpleNamespace(title="Nothing"))
    expected = f"<p><strong>Nothing.</strong> {SHOWN}</p>"
    assert rendered("caption.rst", [record], paths) == expected


def test_the_page_of_the_facts_opens_with_its_headline(tmp_path: Path):
    page = tmp_path / "facts.html"
    page.write_text(f'<h1>Facts</h1>\n<p class="headline">{SHOWN}</p>\n<p>More.</p>\n')
    record = SimpleNamespace(path=page)
    body = rendered("facts.rst", [record], [page])
    assert body.startswith(f"<p>{SHOWN}</p>")
    assert "More." not in body


def test_the_report_opens_with_the_headline(tmp_path: Path):
    (tmp_path / "headline.txt").write_text(f"{EVIL}\n")
    record = SimpleNamespace(path=tmp_path / "report.html")
    page = rendered("page.rst", [record], [record.path])
    assert page.startswith(f"<p>{SHOWN}</p>")
