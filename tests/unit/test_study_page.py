"""The page of a made-up study, from its tables on disk."""

import base64
import hashlib
import html
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import study_frames as study
from page_study import EVIL, SPEC, SVG, lay_out, lay_out_hostile, published

from knowpack import page_tables
from knowpack.benchmark_names import TRUTHFULQA
from knowpack.contents import FIGURES, TABLES
from knowpack.errors import DataError
from knowpack.page_script import page_script
from knowpack.study_page import compose
from knowpack.tables import write_table

BOTH = {"m1": "some_package", "mi": "Mistral-7B-Instruct-v0.3"}
ALL = [("mmlu", "acc"), *TRUTHFULQA, *((task, "acc") for task in ("arc_easy", "arc_challenge"))]
SPECS = re.compile(r'<script type="application/json">(.*?)</script>', re.S)
OF_PAPER = re.compile(r"<h3>([^<]*)(?: <span class=\"paper\">([^<]*) of the paper</span>)?</h3>")


def page(folder: Path, spec: dict[str, Any] = SPEC) -> str:
    return compose(folder, dict.fromkeys(FIGURES, SVG), spec)[0]


def under(text: str, title: str) -> str:
    """What stands between a heading and the next, its marks as characters."""
    found = re.search(rf"<h[23]>{re.escape(title)}(?: <|</h).*?(?=<h[23]>|</main>)", text, re.S)
    assert found, title
    return html.unescape(found[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path, ["capital"] * 1500 + ["currency"] * 500)


def test_the_page_holds_the_study(folder: Path):
    text, said = compose(folder, {"shifts_by_unknown": SVG}, SPEC)
    answer, headline = said.split("\n")
    assert answer.startswith("m1 takes about 40 facts with at least 90% right answers and at most")
    assert headline.startswith("m1 did not know 1,200 of 2,000 facts (60%). Taught 50 unknown")
    first = f'<p class="headline">{html.escape(answer)}</p>\n  <p>{html.escape(headline)}</p>'
    assert first in text
    for words in (
        "Knowpack study: made-up",
        "2,000 of 2 relations, source &#39;table&#39;",
        "m1 (some_package)",
        "5 a fact, 4 examples each, greedy answers",
        "an accepted answer in the response (word)",
        "12 with seeds 1, 2",
        "m1 did not know 1,200 of 2,000 facts (60%)",
        "&#39;up_proj&#39;]",
        "&lt;Paris&gt;",
    ):
        assert words in text, words
    assert "<Paris>" not in text
    assert '<a href="facts.html">facts.html</a>' in under(text, "How it was made")


def test_the_answer_comes_first_and_the_paper_last(folder: Path):
    text = page(folder)
    assert re.findall("<h2>(.*?)</h2>", text.split("<script>")[0]) == [
        "How many facts fit",
        "Facts that rose and fell",
        "Benchmarks",
        "Which recipe helps",
        "Facts learned and lost",
        "Costs",
        "How it was made",
        "The paper's tables and figures",
        "Published beside measured",
    ]
    sections = re.findall('<section id="(.*?)">', text)
    assert sections == re.findall('<li><a href="#(.*?)">', text)


def test_levers_stand_there_where_there_are_several_recipes(tmp_path: Path):
    none = study.levers(study.runs())[:0]
    assert "Which recipe helps" not in page(lay_out(tmp_path, levers=none))


def test_every_table_and_figure_of_the_paper_is_there_in_order(folder: Path):
    found = [number for _, number in OF_PAPER.findall(page(folder)) if number]
    assert found == [
        "Appendix D",
        *(f"Table {number}" for number in range(1, 9)),
        "Figure 1",
        "Figure 2",
        "Figures 3 and 4",
        "Figure 5",
    ]


def test_capacity_frontier_and_levers_stand_there(folder: Path):
    text = page(folder)
    found = under(text, "Capacity: how many facts fit")
    assert "The caption of capacity." in found
    assert ">40 (none–50+)</td>" in found
    assert "0.950 (0.950–0.950)" in under(text, "Frontier of reliability against harm")
    assert "+0.100 (+0.050 to +0.150) better" in under(text, "Levers: differences between recipes")


def test_published_categories_stand_there_where_the_facts_have_some(tmp_path: Path):
    assert "Published and measured categories" not in page(lay_out(tmp_path / "without"))
    row = {"model": "m1", "published": "Unknown", "measured": "Unknown", "facts": 1234}
    folder = lay_out(tmp_path / "with", published_categories=pd.DataFrame([row]))
    section = under(page(folder, SPEC | {"compared": True}), "Published and measured categories")
    assert "1,234" in section and "The caption of published_categories." in section


def test_captions_are_those_of_the_files(folder: Path):
    text = page(folder)
    for name in ("categories", "reliability", "answers", "shift_reasons", "capacity", "costs"):
        assert f"The caption of {name}." in under(text, TABLES[name].title)
    for name, item in FIGURES.items():
        if name != "generalization_by_unknown":  # not asked
            assert "Drawn & described." in under(text, item.title)


def test_what_was_not_asked_is_said(folder: Path):
    text = page(folder)
    for title, words in {
        "Shifts of a second model": "no model of it stands beside Mistral-7B-Instruct-v0.3.",
        "MMLU and TruthfulQA": "MMLU, TruthfulQA generation, TruthfulQA MC1 and TruthfulQA MC2.",
        "ARC and LogiQA": "ARC-Easy, ARC-Challenge and LogiQA.",
    }.items():
        assert f"<p>Not asked in this study: {words}</p>" in under(text, title)
        assert "<table>" not in under(text, title)
    assert "<p>Not asked in this study.</p>" in under(text, "Other benchmarks")


def test_benchmarks_stand_in_the_papers_tables_and_the_studys_own_apart(tmp_path: Path):
    text = page(lay_out(tmp_path, tasks=[*ALL, ("reasoning", "acc")]))
    first = under(text, "MMLU and TruthfulQA")
    assert '<th scope="col">truthfulqa_gen bleu_max</th>' in first
    assert "MMLU: accuracy; 9 questions; 5-shot." in first
    assert "Not asked" not in first
    second = under(text, "ARC and LogiQA")
    assert "arc_easy acc" in second
    assert "Not asked in this study: LogiQA.</caption>" in second
    own = under(text, "Other benchmarks")
    assert "reasoning acc" in own
    assert "mmlu" not in own


def test_a_mistral_beside_another_model_is_the_papers_second(tmp_path: Path):
    text = page(lay_out(tmp_path, models=("m1", "mi")), {**SPEC, "models": BOTH})
    assert "The caption of shifts." in under(text, "Shifts")
    assert "The caption of shifts." in under(text, "Shifts of a second model")
    assert ">Model</th>" not in under(text, "Shifts")
    assert ">Model</th>" in under(text, "Reliability")


def test_a_mistral_alone_leaves_the_papers_first_table_out(tmp_path: Path):
    text = page(lay_out(tmp_path, models=("mi",)), {**SPEC, "models": {"mi": BOTH["mi"]}})
    assert "no model of it stands beside Llama-3.1-8B-Instruct." in under(text, "Shifts")
    assert "The caption of shifts." in under(text, "Shifts of a second model")


def test_published_figures_stand_under_the_differences_from_the_paper(folder: Path):
    section = under(page(folder), "Published beside measured")
    differences, table = section.split("</ul>")
    assert re.findall(r"<li>(.*)</li>", differences) == [
        "m1 (some_package) is not the paper's Llama-3.1-8B-Instruct, with which it is compared.",
        "Asked are all facts of facts.csv; the paper's are 21,036 from DBpedia.",
        "prompts.count is 5; the paper's is 10.",
        "labels.match is word; the paper's is substring.",
        "training.rank is 4; the paper's is 1.",
    ]
    assert "The paper's figures (arXiv 2502.14502v3) beside the measured ones" in table
    assert "-0.100" in table


def test_a_study_without_shifts_and_without_the_papers_conditions(tmp_path: Path):
    none = study.shift_examples(study.runs())[:0]
    text = page(lay_out(tmp_path, shift_examples=none, published=published()[:0]))
    assert "<p>No fact of this study shifted between" in under(text, "Examples of shifts")
    section = under(text, "Published beside measured")
    assert "<p>The study has no condition in common with the paper.</p>" in section


def test_other_wordings_stand_there_where_they_were_asked(tmp_path: Path):
    table = study.generalization(study.runs())
    folder = lay_out(tmp_path, generalization=table)
    text, _ = compose(folder, {}, {**SPEC, "generalization": True})
    assert (
        text.index('id="benchmarks"') < text.index('id="generalization"') < text.index('"levers"')
    )
    assert "The caption of generalization." in text
    assert "held-out wordings" in text
    none = lay_out(tmp_path / "none", generalization=table[:0])
    text, _ = compose(none, {}, {**SPEC, "generalization": True})
    assert "The caption of generalization." in text
    assert "held-out wordings" not in text


def test_figures_stand_in_their_order_and_those_that_are_missing_do_not(folder: Path):
    figures = {"shifts_by_unknown": SVG, "reliability_by_unknown": SVG, "other": SVG}
    text, _ = compose(folder, figures, SPEC)
    assert text.count("data:image/svg+xml;base64,") == 2
    names = ["mmlu_by_unknown", "frontier", "reliability_by_unknown", "shifts_by_unknown"]
    shown = [text.find(f">{FIGURES[name].title}<") for name in names]
    assert shown[0] == shown[1] == -1
    assert 0 < shown[2] < shown[3]


def test_a_figure_without_its_caption_is_refused(folder: Path):
    bare = {"mmlu_by_unknown": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}
    with pytest.raises(DataError, match="figure 'mmlu_by_unknown' has no description; delete"):
        compose(folder, bare, SPEC)


def test_facts_without_relations(tmp_path: Path):
    text, _ = compose(lay_out(tmp_path, [None] * 3), {}, SPEC)
    assert "3, source &#39;table&#39;" in text
    assert "relations" not in text


def test_the_pool_of_extra_facts(folder: Path):
    assert "Extra facts" not in page(folder)
    labels = pd.DataFrame({"category": ["HighlyKnown"] * 1200 + ["Unknown"] * 100})
    schema = pa.schema([("category", pa.string())])
    write_table(labels, folder / "m1/base/extra_labels.parquet", schema)
    text = html.unescape(page(folder, {**SPEC, "extra_source": "hub"}))
    assert "1,200 HighlyKnown to m1 of 1,300, source 'hub'" in text


def test_the_page_is_the_same_each_time(folder: Path):
    assert page(folder) == page(folder)


def test_figures_move_where_they_have_something_to_show(folder: Path):
    text = page(folder)
    moving = re.findall(r'<figure class="moves">\s*<h3>(.*?)</h3>', text)
    names = ["frontier", "reliability_by_unknown", "shifts_by_unknown"]
    assert moving == [FIGURES[name].title for name in names]
    charts = [json.loads(text) for text in SPECS.findall(text)]
    assert len(charts) == 5  # two of shifts, one of levers
    assert text.count("data:image/svg+xml;base64,") == len(FIGURES) - 1  # and all are printed
    assert text.count('type="checkbox" value="10 HK" checked') == 3


def test_examples_are_rows_to_search_as_many_as_fit(tmp_path: Path, monkeypatch):
    text = under(page(lay_out(tmp_path)), "Examples of shifts")
    assert "All 12 such shifts" in text
    assert text.count(">learned</td>") == 12
    assert 'data-table="examples-table" hidden' in text and '<table id="examples-table">' in text
    one = study.shift_examples(study.runs())
    many = pd.concat([one.assign(fact_id=f"f{number}") for number in range(9)])
    monkeypatch.setattr(page_tables, "ROWS", 50)
    text = under(page(lay_out(tmp_path / "many", shift_examples=many)), "Examples of shifts")
    assert "48 of 108 such shifts" in text
    assert text.count(">learned</td>") == 48


class Tags(HTMLParser):
    """Elements of a page, and the scripts that it would run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.kinds: list[str | None] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.opened.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag == "script":
            self.kinds.append(dict(attrs).get("type"))

    def handle_endtag(self, tag):
        self.closed.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    return page(tmp_path, lay_out_hostile(tmp_path))


def test_nothing_of_a_study_is_more_than_text(hostile: str):
    tags = Tags(hostile)
    assert set(tags.kinds) == {"application/json", None}
    assert tags.kinds.count(None) == 1
    void = {"meta", "img", "input"}
    paired = [tag for tag in tags.opened if tag not in void and tag != "path"]
    assert sorted(paired) == sorted(tag for tag in tags.closed if tag != "path")
    assert tags.opened.count("img") == len(FIGURES) - 1
    for spec in SPECS.findall(hostile):
        assert not set("<>&'") & set(spec)
        assert EVIL in json.dumps(json.loads(spec), ensure_ascii=False).replace('\\"', '"')


def test_only_the_pages_own_script_may_run_and_nothing_is_fetched(hostile: str):
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)">', hostile)
    script = re.findall(r"<script>(.*?)</script>", hostile, re.S)
    assert script == [page_script()]
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert policy == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    ]
    around = hostile.replace(script[0], "")
    assert not re.search(r"(src|href)=\"(?!data:|#|facts\.html\")", around)
    assert "url(" not in around and "prefers-color-scheme: dark" in around


def test_headings_go_down_by_one(folder: Path):
    levels = [int(level) for level in re.findall(r"<h(\d)", page(folder).split("<script>")[0])]
    assert levels[0] == 1 and levels.count(1) == 1
    assert max(below - above for above, below in itertools.pairwise(levels)) == 1
