"""Facts, answers and names that try to be code, and tokens in the environment: a whole study of them."""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from markdown_it import MarkdownIt
from study_tree import CONFIG, ROOT, TASK, Tree

from knowpack.page_script import page_script
from knowpack.tables import read_metadata, read_table

PLANTED = "PLANTEDxSECRETx0123456789"
TOKENS = {
    "HF_TOKEN": f"hf_{PLANTED}",
    "HUGGING_FACE_HUB_TOKEN": f"hf_{PLANTED}",
    "WANDB_API_KEY": PLANTED,
    "AWS_SECRET_ACCESS_KEY": PLANTED,
    "HTTPS_PROXY": f"http://someone:{PLANTED}@127.0.0.1:9",
}
LATEX = r"\input{/etc/passwd} \write18{touch pwned} $x_1^2$ % & # ~ {} \end{table} ^^5cinput"
HTML = (
    "<script>fetch('//pwned')</script> \"><img src=x onerror=alert(1)> </style> javascript:alert(1) "
    "<!-- --> ]]> &lt;b&gt; </caption> <dc:description>"
)
MARKDOWN = "| a | `b` **c** ![d](http://pwned) [e](javascript:f) www.pwned.example @pwned"
SHELL = "$(touch pwned) `touch pwned` ; touch pwned | touch pwned && touch pwned > pwned"
BRACES = "{wildcards} {config[study]} {0.__class__} %(name)s ${HOME} {{7*7}} {% raw %} <results>"
SQL = "'; DROP TABLE facts; -- =cmd|' /C calc'!A0 @SUM(1) +1-1"
MARKS = "\x00\x1b[31m\x07\u202eevil\u202c\ufeff\u2028.. raw:: html\n\n   <script>pwned</script>\n"
SHA256 = hashlib.sha256(b"").hexdigest()
EVERYTHING = " ".join([HTML, LATEX, MARKDOWN, SHELL, BRACES, SQL, MARKS])
RELATION = f"rel {HTML} {LATEX}"
TASK_NAME = f"quiz {HTML} {LATEX} {BRACES}"
DESCRIPTION = ".//{http://purl.org/dc/elements/1.1/}description"
MODEL_FOLDER = "a {wildcards.x} {input} $(touch pwned) <results> 'm"
FACTS_FILE = "a {wildcards.x} $(touch pwned); <results> 'f [*].jsonl"


def fact(number: int) -> dict[str, object]:
    return {
        "subject": f"S{number} {EVERYTHING}",
        "relation": RELATION,
        "object": f"Port {number} {EVERYTHING}",
        "aliases": [f"Alias {number} {EVERYTHING}", f"{number} " + "long " * 20_000],
    }


def write_study(tree: Tree) -> None:
    folder = tree.folder
    facts = [fact(number) for number in range(45)]
    (folder / FACTS_FILE).write_text("".join(json.dumps(row) + "\n" for row in facts))
    topic = f"class {HTML}"
    relation = {"domain": topic, "templates": ["Port of {subject}?", "Port? {subject}"]}
    (folder / "relations.yaml").write_text(yaml.safe_dump({RELATION: relation}))
    # The fake engine knows a question by its text up to the first angle bracket.
    answers = {f"Port of S{number} ": row["object"] for number, row in enumerate(facts)}
    (folder / "answers.json").write_text(json.dumps(answers))
    (folder / "tiny-model").rename(folder / MODEL_FOLDER)
    task = yaml.safe_load(TASK) | {"task": TASK_NAME}
    (folder / "quiz/{x}.yaml").write_text(yaml.safe_dump(task))
    tree.configure(
        models=[{**CONFIG["models"][0], "path": MODEL_FOLDER}],
        facts={"source": "table", "path": FACTS_FILE, "templates": "relations.yaml"},
        prompts={**CONFIG["prompts"], "system": EVERYTHING.replace("\x00", "")},
        engine={"max_model_len": 8192},
        grid=[{"unknown": [4], "extra": ["none", "paraphrase"], "seeds": [1]}],
        training={"epochs": 1},
        dynamics=[],
        suites={"small": [{"task": "quiz/{x}.yaml"}]},
    )


class Hostile(Tree):
    """A study with tokens planted around it; ``online`` lets it try the hub, through no proxy."""

    online = False

    @property
    def environment(self) -> dict[str, str]:
        offline = {} if self.online else {"HF_HUB_OFFLINE": "1"}
        return {**super().environment, "HF_HUB_OFFLINE": "0", **offline, **TOKENS}


@pytest.fixture(scope="module")
def hostile(source: Tree, tmp_path_factory: pytest.TempPathFactory) -> tuple[Hostile, str]:
    """The study, whole, with Snakemake's own report; and all that was said."""
    tree = Hostile(source.copy(tmp_path_factory.mktemp("hostile") / "tree").folder)
    write_study(tree)
    status, text = tree.snakemake("--set-threads", "ask=1", "train_adapter=1")
    assert status == 0, text
    status, more = tree.snakemake("--report", "snakemake-report.html")
    assert status == 0, more
    return tree, text + more


def texts(path: Path) -> Iterator[str]:
    """All that a file says, and its name; a table's cells and footer as they were before compression."""
    yield path.name
    if path.suffix == ".parquet":
        yield read_table(path).to_json(force_ascii=False)
        yield json.dumps(read_metadata(path), ensure_ascii=False)
    yield path.read_bytes().decode("utf-8", errors="replace")


def test_nothing_ran(hostile: tuple[Hostile, str]) -> None:
    tree, said = hostile
    assert list(tree.folder.rglob("pwned*")) == []
    assert not Path("/tmp/pwned").exists()
    written = {path.name for path in tree.folder.iterdir()} - {path.name for path in ROOT.iterdir()}
    study = {MODEL_FOLDER, FACTS_FILE, "relations.yaml", "answers.json", "quiz", "study.yaml"}
    ours = {"results", ".snakemake", "snakemake-report.html", "facts.csv"}
    assert written <= study | ours | {"results"}
    assert [path.name for path in (tree.folder / "results").iterdir()] == ["small"]


def test_no_token_is_written_anywhere(hostile: tuple[Hostile, str]) -> None:
    tree, said = hostile
    assert PLANTED not in said
    places = [tree.results, tree.folder / ".snakemake", tree.folder / "snakemake-report.html"]
    files = [file for place in places for file in [place, *place.rglob("*")] if file.is_file()]
    assert len(files) > 100
    for file in files:
        for text in texts(file):
            assert PLANTED not in text, file


@pytest.mark.parametrize(
    "sections",
    [
        {"models": [{"name": "x", "source": "hub", "repo": "a/b", "revision": "0" * 40}]},
        {"facts": {"source": "dbpedia", "path": "https://pwned.invalid/x.nt", "sha256": SHA256}},
    ],
    ids=["model", "dump"],
)
def test_nor_where_a_hub_is_out_of_reach(
    source: Tree, tmp_path: Path, sections: dict[str, Any]
) -> None:
    tree = Hostile(source.copy(tmp_path / "tree").folder)
    tree.online = True
    tree.configure(suites={}, dynamics=[], **sections)
    wanted = "facts" if "facts" in sections else "results/small/x/model/model.json"
    status, said = tree.snakemake(wanted, "--retries", "0")
    assert status == 1
    assert "cannot be fetched" in said
    places = [tree.results, tree.folder / ".snakemake"]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    assert PLANTED not in said + "".join(text for file in files for text in texts(file))


@pytest.mark.parametrize(
    ("line", "due"),
    [
        (
            "__use_yte__: true\n",
            "study.yaml: `__use_yte__` makes Snakemake run Python that stands in it",
        ),
        (
            "x: !!python/object/apply:os.system ['touch pwned']\n",
            "Config file is not valid JSON or YAML",
        ),
    ],
)
def test_a_configuration_is_data(source: Tree, tmp_path: Path, line: str, due: str) -> None:
    tree = source.copy(tmp_path / "tree")
    file = tree.folder / "study.yaml"
    file.write_text(line + file.read_text())
    status, said = tree.snakemake("--dry-run")
    assert status == 1
    assert due in said
    assert not (tree.folder / "pwned").exists() and not tree.results.exists()


class Page(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attributes]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p",
    "nav", "ul", "li", "a", "main", "section", "span", "div", "table", "caption", "thead",
    "tbody", "tr", "th", "td", "figure", "img", "figcaption", "dl", "dt", "dd",
    "script", "form", "button", "fieldset", "legend", "label", "input", "output", "svg", "path",
}  # fmt: skip
ATTRIBUTES = {
    "alt": r"[^\x00]*", "aria-hidden": "true", "aria-label": r"[^\x00]*", "autocomplete": "off",
    "charset": "utf-8", "checked": "", "class": r"[a-z ]+", "content": r"[\w ',;:=.+/-]+",
    "d": r"[\w.,-]+", "data-table": r"[a-z-]+", "fill": r"none|var\(--recipe-\d\)", "for": r"[a-z-]+",
    "hidden": "", "href": r"#[a-z-]+|facts.html", "http-equiv": "Content-Security-Policy",
    "id": r"[a-z-]+", "lang": "en", "name": "viewport|color-scheme|words|shown", "role": "region|img",
    "scope": "col|row", "src": r"data:image/svg\+xml;base64,[\w+/=]+",
    "stroke": r"var\(--[a-z0-9-]+\)", "stroke-dasharray": r"[\d ]+", "stroke-width": r"[\d.]+",
    "tabindex": "0", "transform": r"scale\(4.5\)", "type": "application/json|button|checkbox|search",
    "value": r"[^\x00]*", "viewbox": r"[\d -]+",
}  # fmt: skip


def test_pages_show_what_is_untrusted_as_text(hostile: tuple[Hostile, str]) -> None:
    results = hostile[0].results
    pages = sorted(results.rglob("*.html"))
    assert len(pages) > 10
    for path in pages:
        text = path.read_text(encoding="utf-8").replace(f"<script>{page_script()}</script>", "")
        assert "<script>" not in text  # what is left is JSON
        page = Page(text)
        assert page.elements <= ELEMENTS, path
        for name, value in page.attributes:
            assert re.fullmatch(ATTRIBUTES[name], value), (path, name, value)
        assert not [mark for mark in text if not (mark.isprintable() or mark == "\n")], path
    for name in ("facts.html", "report.html", "tables/shift_examples.html"):
        assert HTML.split(" ]]>")[0] in Page((results / name).read_text("utf-8")).text
    report = (hostile[0].folder / "snakemake-report.html").read_text(encoding="utf-8")
    assert HTML[:30] not in report and "onerror=alert(1)>" not in report


def test_latex_holds_no_command_but_ours(hostile: tuple[Hostile, str]) -> None:
    tables = hostile[0].results / "tables"
    ours = (
        r"\\(?:(?:begin|end)\{(?:table|tabular)\}|caption|label\{tab:\w+\}|toprule|midrule|bottomrule|cline|multirow"
        r"|text(?:backslash|asciitilde|asciicircum|less|greater|bar)\{\}|[&%$#_{}\\])|\$\\pm\$"
    )
    for path in sorted(tables.glob("*.tex")):
        for line in path.read_text(encoding="utf-8").splitlines():
            rest = re.sub(ours, "", line)
            assert not set(rest) & set("\\$%#_^~"), (path, rest)
            assert rest.count("{") == rest.count("}"), (path, rest)
    assert r"\textbackslash{}input\{/etc/passwd\}" in (tables / "shift_examples.tex").read_text()
    compiler = shutil.which("pdflatex")
    if compiler:
        inputs = "\n".join(rf"\input{{{path.stem}}}" for path in sorted(tables.glob("*.tex")))
        document = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{inputs}"
        done = subprocess.run(
            [compiler, "-interaction=nonstopmode", "-halt-on-error", document + r"\end{document}"],
            cwd=tables,
        )
        assert done.returncode == 0


def test_markdown_holds_tables_and_texts_only(hostile: tuple[Hostile, str]) -> None:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    known = {"paragraph", "table", "thead", "tbody", "tr", "th", "td", "inline"}
    for path in sorted((hostile[0].results / "tables").glob("*.md")):
        tokens = parser.parse(path.read_text(encoding="utf-8"))
        assert {re.sub("_(open|close)$", "", token.type) for token in tokens} <= known, path
        children = [child for token in tokens for child in token.children or []]
        assert {child.type for child in children} <= {"text"}, path
        rows = path.read_text(encoding="utf-8").split("\n\n", 1)[1].strip().splitlines()
        assert len({len(re.split(r"(?<!\\)\|", row)) for row in rows}) == 1, path


def test_figures_are_plain_drawings(hostile: tuple[Hostile, str]) -> None:
    figures = sorted((hostile[0].results / "figures").glob("*.svg"))
    assert len(figures) == 8
    for path in figures:
        for node in ElementTree.fromstring(path.read_bytes()).iter():
            tag = str(node.tag).rpartition("}")[2]
            assert tag not in ("script", "foreignObject", "image", "a"), path
            assert not [name for name in node.attrib if name.startswith("on")], path
    assert HTML in (ElementTree.fromstring(figures[0].read_bytes()).findtext(DESCRIPTION) or "")


def test_messages_leave_what_stands_in_braces(hostile: tuple[Hostile, str]) -> None:
    said = hostile[1]
    assert MODEL_FOLDER in said.replace("\\\\", "")
    assert FACTS_FILE in said
    assert "\x1b[31m" not in said and "\u202e" not in said and "\x00" not in said
