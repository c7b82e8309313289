"""The tables of a study's page: the paper's in its order, and what the study has beside."""

from bisect import bisect_right
from collections.abc import Mapping

import pandas as pd

from knowpack import answer_layout, captions, layout
from knowpack.benchmark_names import TABLE_7, TABLE_8, in_print, task_name
from knowpack.contents import TABLES
from knowpack.pages import Table
from knowpack.published import LLAMA, MISTRAL, beside, paper_model

NOT_ASKED = "Not asked in this study"
ROWS = 1500  # examples on the page at most: 0.6 MB
_WAYS = {"positive": "learned", "negative": "lost"}
_COLUMNS = ["Question", "Shift", "Answer", "Before", "After", "Taught", "Unknown facts", "Extras"]


def of_study(
    table: Mapping[str, pd.DataFrame], caption: Mapping[str, str], runs: pd.DataFrame
) -> dict[str, Table | None]:
    """Return what stands in sections of its own, by name; None where the study has nothing of it."""
    several = not table["levers"].empty
    printed = {
        "capacity": answer_layout.capacity(table["capacity"], runs),
        "frontier": answer_layout.frontier(table["frontier"], runs),
        "levers": answer_layout.levers(table["levers"], runs) if several else None,
        "costs": layout.plain(table["costs"]),
    }
    found: dict[str, Table | None] = {
        name: None if frame is None else Table(*TABLES[name], caption[name], frame)
        for name, frame in printed.items()
    }
    found["generalization"] = None
    if "generalization" in table:
        asked = table["generalization"]
        frame = None if asked.empty else layout.generalization(asked, runs)
        found["generalization"] = Table(*TABLES["generalization"], caption["generalization"], frame)
    return found | {
        "examples": _examples(table["shift_examples"], runs),
        "published": _published(table["published"]),
    }


def of_paper(
    table: Mapping[str, pd.DataFrame],
    caption: Mapping[str, str],
    runs: pd.DataFrame,
    models: Mapping[str, str],
) -> list[Table]:
    """Return the paper's tables in its order, the study's own benchmarks after them."""

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
    ]
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


def _examples(table: pd.DataFrame, runs: pd.DataFrame) -> Table:
    """Shifted facts, as many of each run and direction as fit into ``ROWS``; at least one."""
    if table.empty:
        none = "No fact of this study shifted between Unknown and HighlyKnown."
        return Table(*TABLES["shift_examples"], none, None)
    sizes = table.groupby(["model", "run", "direction"]).size()
    most = bisect_right(range(1, ROWS + 1), ROWS, key=lambda most: sizes.clip(upper=most).sum())
    frame = layout.shift_examples(table, runs, max(most, 1))
    frame = frame.rename(columns={"Direction": "Shift"}).replace({"Shift": _WAYS})
    frame = frame[[*_COLUMNS, *(name for name in frame if name not in _COLUMNS)]]
    counted = "All" if len(frame) == len(table) else f"{len(frame):,} of"
    said = (
        "Learned: Unknown to the model itself, HighlyKnown with the adapter. Lost: the other way. "
        "Before and after are the most frequent answers; the reasons are those of Table 5. "
        f"{counted} {len(table):,} such shifts of the study's adapters."
    )
    return Table(*TABLES["shift_examples"], said, frame)


def _published(table: pd.DataFrame) -> Table:
    frame = None if table.empty else layout.published(table)
    return Table(TABLES["published"].title, "", beside(table), frame)
