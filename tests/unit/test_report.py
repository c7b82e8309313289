import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import study_frames as study

from knowpack.errors import DataError
from knowpack.report import Picture, Table, headline, render

TEMPLATE = Path(__file__).parents[2] / "workflow" / "report" / "report.html.j2"
EVIL = "<script>alert('x')</script> & \"q\""


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag, attrs):
        self.opened.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        self.closed.append(tag)


def page(costs: pd.DataFrame | None = None, differences: list[str] | None = None) -> str:
    frame = pd.DataFrame({EVIL: [EVIL], "n": ["1"]})
    table = Table(EVIL, EVIL, EVIL, frame)
    return render(
        TEMPLATE,
        title=EVIL,
        headline=EVIL,
        studied={"Facts": EVIL},
        fact_pages=["facts.html"],
        tables=[table],
        pictures=[Picture(EVIL, "", EVIL, b"<svg xmlns='http://www.w3.org/2000/svg'/>")],
        published=table,
        differences=[EVIL] if differences is None else differences,
        costs=Table("Costs", "", "Not measured in this study.", costs),
        made={"Commit": EVIL},
    )


def test_every_text_is_escaped_and_the_page_is_whole():
    tags = Tags()
    tags.feed(page(pd.DataFrame({"Rule": ["ask"]})))
    assert "script" not in tags.opened
    void = {"meta", "img"}
    assert sorted(tag for tag in tags.opened if tag not in void) == sorted(tags.closed)
    assert [tag for tag in tags.opened if tag in ("h1", "h2", "h3")] == (
        ["h1", "h2", "h2", "h3", "h2", "h3", "h2", "h2", "h2"]
    )
    assert ("alt", f"{EVIL}. {EVIL}") in tags.attributes
    assert tags.opened.count("caption") == 3
    assert tags.attributes.count(("class", "paper")) == 1


def test_it_needs_nothing_from_elsewhere():
    text = page()
    assert not re.search(r"(src|href)=\"(?!data:|#|facts\.html\")", text)
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text
    assert "<p>Not measured in this study.</p>" in text


def test_a_study_like_the_papers_is_said_to_be_so():
    said = "differs from the paper's in no setting that is compared."
    assert said in page(differences=[])
    assert said not in page()


def test_headline():
    runs = study.runs()
    table = study.reliability(runs, epochs=(1, 3))
    table.loc[table["extra"] == "paraphrase", "reliability"] = 0.9
    found = headline(study.categories(), table, study.shifts(runs), runs)
    assert found == (
        "m1 did not know 1,200 of 2,000 facts (60%). Taught 50 unknown facts (1 paraphrase), "
        "m1 gives 90% right answers about them, while of all facts 1.5% rose in category and "
        "50.0% fell."
    )


def test_headline_of_two_models_and_of_nothing():
    models = ("m1", "m2")
    runs = study.runs(models, levels=(1,))
    tables = study.categories(models), study.reliability(runs), study.shifts(runs)
    found = headline(*tables, runs)
    assert "facts (60%); m2 did not know 1,200 of 2,000 facts (60%). Taught one unknown" in found
    assert "fell; taught one unknown fact (no extras), m2 gives 45% right" in found
    with pytest.raises(DataError, match="headline: the tables of categories, reliability and"):
        headline(tables[0], tables[1].head(0), tables[2], runs)
