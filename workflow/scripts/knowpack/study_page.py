"""The page of a study: the answer, what it rests on, and the paper's tables and figures.

A caption is the one that the job wrote into its table's footer or its figure's description.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from knowpack import charts, page_tables, panels
from knowpack.answer import answers
from knowpack.contents import FIGURES, TABLES
from knowpack.errors import DataError
from knowpack.legend import legend
from knowpack.lever_charts import lever_charts
from knowpack.page_script import allowed, page_script
from knowpack.pages import Picture, fill
from knowpack.plots import Panel
from knowpack.published import differences_from_paper
from knowpack.report import headline
from knowpack.tables import read_metadata, read_table

TEMPLATE = Path(__file__).parents[2] / "report" / "report.html.j2"
_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
# The figures that move: the table they show, and whether it holds shares.
_MOVING = {
    "reliability_by_unknown": ("reliability", True),
    "generalization_by_unknown": ("generalization", True),
    "shifts_by_unknown": ("shifts", True),
    "benchmarks_by_unknown": ("benchmarks", False),
}


def compose(folder: Path, figures: Mapping[str, bytes], spec: Mapping[str, Any]) -> tuple[str, str]:
    """Return the page as HTML, and its first lines as text: each model's answer, and the headline.

    ``folder`` is the study's folder of results, ``figures`` its figures as SVG by name, ``spec`` what
    `knowpack.specs.report_spec` says of the configuration.

    Raises:
        DataError: a figure has no description.
    """
    table, caption = _tables(folder, spec)
    runs = read_table(folder / "runs.parquet")
    facts = read_table(folder / "facts.parquet", ["fact_id", "relation"])
    answered = list(answers(table["capacity"], table["frontier"], table["categories"]).values())
    said = headline(table["categories"], table["reliability"], table["shifts"], runs)
    script = page_script()
    page = fill(
        TEMPLATE,
        title=f"Knowpack study: {spec['study']}",
        answers=answered,
        headline=said,
        pictures={
            name: _picture(name, figures[name], table, runs) for name in FIGURES if name in figures
        },
        **page_tables.of_study(table, caption, runs),
        lever_charts=lever_charts(table["levers"], runs),
        studied=_studied(facts, runs, spec) | _extra_facts(folder, spec),
        fact_pages=["facts.html"] + ["extra_facts.html"] * ("extra_source" in spec),
        made={key: str(value) for key, value in spec["training"].items()},
        tables=page_tables.of_paper(table, caption, runs, spec["models"]),
        of_paper=[name for name, item in FIGURES.items() if item.paper],
        differences=differences_from_paper(spec),
        script=script,
        allowed=allowed(script),
    )
    return page, "\n".join([*answered, said])


def _tables(
    folder: Path, spec: Mapping[str, Any]
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """The study's tables and their captions, by name."""
    paths = {name: folder / "tables" / f"{name}.parquet" for name in TABLES}
    if "compared" not in spec:
        del paths["published_categories"]
    if "generalization" not in spec:
        del paths["generalization"]
    tables = {name: read_table(path) for name, path in paths.items()}
    return tables, {name: read_metadata(path)["caption"] for name, path in paths.items()}


def _picture(
    name: str, svg: bytes, table: Mapping[str, pd.DataFrame], runs: pd.DataFrame
) -> Picture:
    """The figure as it is printed, and its charts, which have the same panels."""
    title, paper = FIGURES[name]
    found = ElementTree.fromstring(svg).find(f".//{_DESCRIPTION}")
    if found is None or not found.text:
        raise DataError(f"figure '{name}' has no description; delete {name}.svg and run again")
    drawn, moving = _moving(name, table, runs)
    if not drawn:
        return Picture(title, paper, found.text, svg)
    base = any(pd.notna(panel.base) for panel in drawn)
    return Picture(title, paper, found.text, svg, moving, legend(drawn), base)


def _moving(
    name: str, table: Mapping[str, pd.DataFrame], runs: pd.DataFrame
) -> tuple[list[Panel], list[charts.Chart]]:
    """The panels of a figure that moves, and their charts; none of another."""
    if name == "frontier":
        drawn = panels.frontier(table[name], runs)
        return drawn, charts.frontier(drawn, panels.reach(table[name]))
    shown, share = _MOVING.get(name, ("", False))
    if shown not in table:
        return [], []
    drawn = getattr(panels, name)(table[shown], runs)
    return drawn, charts.by_unknown(drawn, share) if drawn else []


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
