"""What stands on a study's page: the paper's tables and figures, and the settings, in words.

A caption is the one that the job wrote into its table's footer or its figure's description.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from knowpack import answer_layout, captions, layout
from knowpack.benchmark_names import TABLE_7, TABLE_8, in_print, task_name
from knowpack.contents import FIGURES, TABLES
from knowpack.errors import DataError
from knowpack.pages import Picture, Table
from knowpack.published import LLAMA, MISTRAL, beside, differences_from_paper, paper_model
from knowpack.report import headline, render
from knowpack.tables import read_metadata, read_table

TEMPLATE = Path(__file__).parents[2] / "report" / "report.html.j2"
NOT_ASKED = "Not asked in this study"
_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"


def compose(folder: Path, figures: Mapping[str, bytes], spec: Mapping[str, Any]) -> tuple[str, str]:
    """Return the page as HTML, and its headline as text.

    ``folder`` is the study's folder of results, ``figures`` its figures as SVG by name, ``spec`` what
    `knowpack.specs.report_spec` says of the configuration.

    Raises:
        DataError: a figure has no description.
    """
    paths = {name: folder / "tables" / f"{name}.parquet" for name in TABLES}
    if "compared" not in spec:
        del paths["published_categories"]
    if "generalization" not in spec:
        del paths["generalization"]
    table = {name: read_table(path) for name, path in paths.items()}
    caption = {name: read_metadata(path)["caption"] for name, path in paths.items()}
    runs = read_table(folder / "runs.parquet")
    facts = read_table(folder / "facts.parquet", ["fact_id", "relation"])
    said = headline(table["categories"], table["reliability"], table["shifts"], runs)
    published, costs = table["published"], table["costs"]
    page = render(
        TEMPLATE,
        title=f"Knowpack study: {spec['study']}",
        headline=said,
        studied=_studied(facts, runs, spec) | _extra_facts(folder, spec),
        fact_pages=["facts.html"] + ["extra_facts.html"] * ("extra_source" in spec),
        tables=_tables(table, caption, runs, spec["models"]),
        pictures=[_picture(name, figures[name]) for name in FIGURES if name in figures],
        published=Table(
            TABLES["published"].title,
            "",
            beside(published),
            None if published.empty else layout.published(published),
        ),
        differences=differences_from_paper(spec),
        costs=Table(TABLES["costs"].title, "", caption["costs"], layout.plain(costs)),
        made={key: str(value) for key, value in spec["training"].items()},
    )
    return page, said


def _tables(
    table: Mapping[str, pd.DataFrame],
    caption: Mapping[str, str],
    runs: pd.DataFrame,
    models: Mapping[str, str],
) -> list[Table]:
    """Every table of the paper in its order, and the study's own benchmarks and examples."""

    def printed(name: str, frame: pd.DataFrame | None) -> Table:
        return Table(*TABLES[name], caption[name], frame)

    benchmarks = table["benchmarks"]
    own = [task for task in benchmarks["task"].unique() if task not in TABLE_7 + TABLE_8]
    tables = [
        printed("categories", layout.categories(table["categories"])),
        printed("reliability", layout.reliability(table["reliability"], runs)),
        _shifts(table["shifts"], caption["shifts"], runs, models, LLAMA),
        printed("answers", layout.answers(table["answers"], runs)),
        printed("shift_reasons", layout.shift_reasons(table["shift_reasons"], runs)),
        _shifts(table["shifts"], caption["shifts"], runs, models, MISTRAL),
        _benchmarks("MMLU and TruthfulQA", "Table 7", benchmarks, runs, TABLE_7),
        _benchmarks("ARC and LogiQA", "Table 8", benchmarks, runs, TABLE_8),
        _benchmarks("Other benchmarks", "", benchmarks, runs, own),
        _examples(table["shift_examples"], caption["shift_examples"], runs),
        printed("capacity", answer_layout.capacity(table["capacity"], runs)),
        printed("frontier", answer_layout.frontier(table["frontier"], runs)),
        printed("levers", answer_layout.levers(table["levers"], runs)),
    ]
    if "generalization" in table:
        found = layout.generalization(table["generalization"], runs)
        tables.insert(2, printed("generalization", None if found.empty else found))
    if "published_categories" in table:
        found = layout.published_categories(table["published_categories"])
        tables.append(printed("published_categories", found))
    return tables


def _shifts(
    table: pd.DataFrame, caption: str, runs: pd.DataFrame, models: Mapping[str, str], paper: str
) -> Table:
    """The shifts of the models that stand beside one of the paper's two: its Table 3 or 6."""
    of_paper = [name for name, place in models.items() if paper_model(name, place) == paper]
    rows = table[table["model"].isin(of_paper)]
    title, number = {
        LLAMA: ("Shifts", "Table 3"),
        MISTRAL: ("Shifts of a second model", "Table 6"),
    }[paper]
    if rows.empty:
        return Table(title, number, f"{NOT_ASKED}: no model of it stands beside {paper}.", None)
    return Table(title, number, caption, layout.shifts(rows, runs))


def _benchmarks(
    title: str, number: str, table: pd.DataFrame, runs: pd.DataFrame, tasks: list[str]
) -> Table:
    """The benchmarks of some tasks; the caption names those that were not asked."""
    rows = in_print(table[table["task"].isin(tasks)])
    left_out = [task_name(task) for task in tasks if task not in set(rows["task"])]
    never = f"{NOT_ASKED}: {captions.listed(left_out)}." if left_out else f"{NOT_ASKED}."
    if rows.empty:
        return Table(title, number, never, None)
    said = captions.of_benchmarks(rows, runs) + (f" {never}" if left_out else "")
    return Table(title, number, said, layout.benchmarks(rows, runs))


def _examples(table: pd.DataFrame, caption: str, runs: pd.DataFrame) -> Table:
    if table.empty:
        none = "No fact of this study shifted between Unknown and HighlyKnown."
        return Table(*TABLES["shift_examples"], none, None)
    return Table(*TABLES["shift_examples"], caption, layout.shift_examples(table, runs))


def _picture(name: str, svg: bytes) -> Picture:
    title, paper = FIGURES[name]
    found = ElementTree.fromstring(svg).find(f".//{_DESCRIPTION}")
    if found is None or not found.text:
        raise DataError(f"figure '{name}' has no description; delete {name}.svg and run again")
    return Picture(title, paper, found.text, svg)


def _extra_facts(folder: Path, spec: Mapping[str, Any]) -> dict[str, str]:
    """From what HighlyKnown extras are drawn beside the facts, where the study has such a pool."""
    if "extra_source" not in spec:
        return {}
    known = {
        model: read_table(folder / model / "base/extra_labels.parquet", ["category"])["category"]
        for model in spec["models"]
    }
    counts = [
        f"{(labels == 'HighlyKnown').sum():,} HighlyKnown to {model} of {len(labels):,}"
        for model, labels in known.items()
    ]
    return {"Extra facts": f"{'; '.join(counts)}, source '{spec['extra_source']}'"}


def _studied(facts: pd.DataFrame, runs: pd.DataFrame, spec: Mapping[str, Any]) -> dict[str, str]:
    """What was studied, term to text."""
    relations = facts.relation.nunique()
    of = f" of {relations} relations" if relations else ""
    prompts, match = spec["prompts"], spec["labels"]["match"]
    return {
        "Facts": f"{len(facts):,}{of}, source '{spec['source']}'",
        "Models": "; ".join(f"{name} ({place})" for name, place in spec["models"].items()),
        "Prompts": f"{prompts['count']} a fact, {prompts['shots']} examples each, greedy answers",
        "Right": f"an accepted answer in the response ({match})",
        "Adapters": f"{len(runs)} with seeds {', '.join(map(str, sorted(set(runs.seed))))}",
    }
