"""The page of a made-up study, from its tables on disk."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import study_frames as study

from knowpack.study_page import TITLES, compose
from knowpack.tables import write_table

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
SPEC = {
    "study": "made-up",
    "models": {"m1": "some_package"},
    "source": "table",
    "prompts": {"count": 5, "shots": 4},
    "labels": {"match": "word"},
    "training": {"rank": 1, "target_modules": ["up_proj"]},
}
RUNS = study.runs()


def answers(runs: pd.DataFrame) -> pd.DataFrame:
    named = pd.concat([pd.DataFrame({"model": ["m1"], "run": ["base"]}), runs[["model", "run"]]])
    counts = {"refused": 1, "unique_answers": 2, "top_answer_count": 3}
    return named.assign(**counts, mean_repeats=1.5, std_repeats=0.5, top_answer="<Paris>")


def costs() -> pd.DataFrame:
    row = {"rule": "ask", "model": "m1", "run": "base", "suite": "facts", "seconds": 90.0}
    rates = {"prompts_per_second": 25.0, "tokens_per_second": None, "cache_hit_rate": 0.8}
    return pd.DataFrame([{**row, "peak_memory_mb": None, **rates, "device": "cpu"}])


def lay_out(folder: Path, relations: list[str | None]) -> Path:
    """Write the tables that the page is made of."""
    frames = {
        "tables/categories": study.categories(),
        "tables/reliability": study.reliability(RUNS),
        "tables/shifts": study.shifts(RUNS).astype({"positive_shift_untrained": float}),
        "tables/answers": answers(RUNS),
        "tables/costs": costs(),
        "runs": RUNS,
        "facts": pd.DataFrame({"fact_id": range(len(relations)), "relation": relations}),
    }
    for name, frame in frames.items():
        schema = pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()
        write_table(frame, folder / f"{name}.parquet", schema)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path, ["capital"] * 1500 + ["currency"] * 500)


def test_the_page_holds_the_study(folder: Path):
    page, said = compose(folder, {"shifts_by_unknown": SVG}, SPEC)
    assert said.startswith("m1 did not know 1,200 of 2,000 facts (60%). Taught 50 unknown facts")
    for text in (
        "Knowpack study: made-up",
        "2,000 of 2 relations, source &#39;table&#39;",
        "m1 (some_package)",
        "5 a fact, 4 examples each, greedy answers",
        "an accepted answer in the response (word)",
        "12 with seeds 1, 2",
        "m1 did not know 1,200 of 2,000 facts (60%)",
        "[&#39;up_proj&#39;]",
        "&lt;Paris&gt;",
    ):
        assert text in page, text
    assert "<Paris>" not in page


def test_figures_stand_in_their_order_and_those_that_are_missing_do_not(folder: Path):
    figures = {"shifts_by_unknown": SVG, "reliability_by_unknown": SVG, "other": SVG}
    page, _ = compose(folder, figures, SPEC)
    assert page.count("data:image/svg+xml;base64,") == 2
    shown = [page.find(f">{TITLES[name][0]}<") for name in TITLES]
    assert shown[0] == -1
    assert 0 < shown[1] < shown[2]


def test_facts_without_relations(tmp_path: Path):
    page, _ = compose(lay_out(tmp_path, [None] * 3), {}, SPEC)
    assert "3, source &#39;table&#39;" in page
    assert "relations" not in page


def test_the_page_is_the_same_each_time(folder: Path):
    assert compose(folder, {}, SPEC) == compose(folder, {}, SPEC)
