"""A made-up study on disk, as its page wants it, and one whose every text tries to be code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import study_frames as study

from knowpack.config_training import Training
from knowpack.tables import write_table

SVG = (
    b"<svg xmlns='http://www.w3.org/2000/svg' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
    b"<metadata><dc:description>Drawn &amp; described.</dc:description></metadata></svg>"
)
SPEC: dict[str, Any] = {
    "study": "made-up",
    "models": {"m1": "some_package"},
    "source": "table",
    "facts": {"path": "facts.csv"},
    "prompts": {"count": 5, "shots": 4},
    "asking": {"max_new_tokens": 32},
    "labels": {"match": "word"},
    "benchmarks": [],
    "training": Training(rank=4).model_dump(),
}
EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)> & \"q\" {{ 7*7 }} <!--"


def answers(runs: pd.DataFrame) -> pd.DataFrame:
    base = runs[["model"]].drop_duplicates().assign(run="base")
    named = pd.concat([base, runs[["model", "run"]]])
    counts = {"refused": 1, "unique_answers": 2, "top_answer_count": 3}
    return named.assign(**counts, mean_repeats=1.5, std_repeats=0.5, top_answer="<Paris>")


def costs() -> pd.DataFrame:
    row = {"rule": "ask", "model": "m1", "run": "base", "suite": "facts", "seconds": 90.0}
    rates = {"prompts_per_second": 25.0, "tokens_per_second": None, "cache_hit_rate": 0.8}
    return pd.DataFrame([{**row, "peak_memory_mb": None, **rates, "device": "cpu"}])


def published() -> pd.DataFrame:
    cell = {"unknown": 10, "extra": "none", "per_unknown": 0, "metric": "reliability"}
    found = {"published": 1.0, "measured": 0.9, "low": 0.8, "high": 1.0, "difference": -0.1}
    return pd.DataFrame([{"model": "m1", "table": 2, **cell, **found, "seeds": 2}])


def lay_out(
    folder: Path,
    relations: Sequence[str | None] = ("capital",),
    models: tuple[str, ...] = ("m1",),
    tasks: Sequence[tuple[str, str]] = (),
    **others: pd.DataFrame,
) -> Path:
    """Write the tables that the page is made of, each with "The caption of <name>." in its footer."""
    runs = study.runs(models)
    tables = {
        "categories": study.categories(models),
        "reliability": study.reliability(runs),
        "shifts": study.shifts(runs).astype({"positive_shift_untrained": float}),
        "answers": answers(runs),
        "shift_reasons": study.shift_reasons(runs),
        "shift_examples": study.shift_examples(runs),
        "benchmarks": study.benchmarks(runs, tasks),
        "published": published(),
        "capacity": study.capacity(runs),
        "frontier": study.frontier(runs),
        "levers": study.levers(runs),
        "costs": costs(),
    } | others
    facts = pd.DataFrame({"fact_id": range(len(relations)), "relation": relations})
    frames = {f"tables/{name}": frame for name, frame in tables.items()}
    for path, frame in (frames | {"runs": runs, "facts": facts}).items():
        schema = pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()
        caption = {"caption": f"The caption of {Path(path).name}."}
        write_table(frame, folder / f"{path}.parquet", schema, caption)
    return folder


def lay_out_hostile(folder: Path) -> dict[str, Any]:
    """Write a study in which every text tries to be code; return its specification."""
    examples = study.shift_examples(study.runs())
    examples[["question", "answer", "before", "after"]] = EVIL
    runs = study.runs(target_modules=EVIL)
    runs.loc[::2, "target_modules"] = f"{EVIL}2"
    lay_out(
        folder,
        tasks=[(EVIL, EVIL)],
        shift_examples=examples,
        answers=answers(runs).assign(top_answer=EVIL),
        costs=costs().assign(device=EVIL),
        frontier=study.frontier(runs).assign(benchmark=EVIL, drop=0.5, harm=0.5),
        capacity=study.capacity(runs),
        levers=study.levers(runs)[:0],
    )
    schema = pa.Schema.from_pandas(runs, preserve_index=False).remove_metadata()
    write_table(runs, folder / "runs.parquet", schema, {})
    return {**SPEC, "study": EVIL, "source": EVIL, "models": {"m1": EVIL}}
