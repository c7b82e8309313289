"""What stands on a study's page: its tables, figures and settings, in words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from knowpack import layout
from knowpack.report import Picture, Table, headline, render
from knowpack.tables import read_table

TEMPLATE = Path(__file__).parents[2] / "report" / "report.html.j2"
RANGE = "Mean over seeds (minimum to maximum)."
TITLES = {
    "reliability_by_epoch": (
        "Reliability after each epoch",
        "Mean P_correct over the taught facts. Line: mean of the seeds; band: minimum to maximum.",
    ),
    "reliability_by_unknown": (
        "Reliability by number of unknown facts",
        "Mean P_correct over the taught facts after the last epoch, by how many were taught.",
    ),
    "shifts_by_unknown": (
        "Shifts by number of unknown facts",
        "Share of all facts whose category rose (learned) or fell (lost) under the adapter.",
    ),
}


def compose(folder: Path, figures: Mapping[str, bytes], spec: Mapping[str, Any]) -> tuple[str, str]:
    """Return the page as HTML, and its headline as text.

    ``folder`` is the study's folder of results, ``figures`` its figures as SVG by name, ``spec`` what
    `knowpack.specs.report_spec` says of the configuration.
    """
    names = ("categories", "reliability", "shifts", "answers", "costs")
    table = {name: read_table(folder / "tables" / f"{name}.parquet") for name in names}
    runs = read_table(folder / "runs.parquet")
    facts = read_table(folder / "facts.parquet", ["fact_id", "relation"])
    said = headline(table["categories"], table["reliability"], table["shifts"], runs)
    tables = [
        Table("Categories", "What the model knew before.", layout.categories(table["categories"])),
        Table("Reliability", RANGE, layout.reliability(table["reliability"], runs)),
        Table("Shifts", RANGE, layout.shifts(table["shifts"], runs)),
        Table("Answers", "Over all prompts.", layout.answers(table["answers"], runs)),
    ]
    pictures = [
        Picture(*TITLES[name], alt=" ".join(TITLES[name]), svg=figures[name])
        for name in TITLES
        if name in figures
    ]
    page = render(
        TEMPLATE,
        title=f"Knowpack study: {spec['study']}",
        headline=said,
        studied=_studied(facts, runs, spec),
        tables=tables,
        pictures=pictures,
        costs=layout.plain(table["costs"]),
        made={key: str(value) for key, value in spec["training"].items()},
    )
    return page, said


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
