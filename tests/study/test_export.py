"""The adapter to take home, checked with nothing of Knowpack's: the code of its card, as it stands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file
from small_study import MODEL, RUNS, SmallStudy

pytestmark = [pytest.mark.study, pytest.mark.timeout(3600)]

RUN = RUNS[1]
COMPILED = pytest.mark.skipif(not shutil.which("g++"), reason="vLLM compiles with g++ on a CPU")
# Where others work beside the engine.
ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def exported(small: SmallStudy) -> Path:
    small.snakemake("adapter", "--config", f"export={{run: {RUN}}}")
    return small.results / f"export/{MODEL}-{RUN}"


@pytest.fixture(scope="module")
def merged(small: SmallStudy) -> Path:
    small.snakemake("adapter", "--config", f"export={{run: {RUN}, merged: true}}")
    return small.results / f"export/{MODEL}-{RUN}-merged"


def code(folder: Path) -> list[str]:
    """What stands in the blocks of a card; the first is the prompt alone."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1:]


def said(program: str, folder: Path, tmp_path: Path) -> str:
    """Run a program in a folder, as a reader of its card would; return all that it prints."""
    script = tmp_path / "card.py"
    script.write_text(program, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | ENVIRONMENT
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    return done.stdout


def answer(folder: Path) -> str:
    """The answer to the question of the card: the first of those that are known best."""
    taught = pd.read_parquet(folder / "facts.parquet").query("role == 'unknown'")
    best = taught[taught.p_correct == taught.p_correct.max()].iloc[0]
    assert best.p_correct == 1
    assert all(repr(best.question) in program for program in code(folder))
    return str(best.answer)


def test_the_files_are_whole_and_the_weights_are_the_run_s(
    exported: Path, small: SmallStudy
) -> None:
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=exported, check=True)
    name = "adapter_model.safetensors"
    trained = (small.results / MODEL / RUN / "adapter" / name).read_bytes()
    assert (exported / name).read_bytes() == trained
    assert str(small.folder) not in (exported / "README.md").read_text(encoding="utf-8")


def test_the_card_s_numbers_are_the_tables(exported: Path, small: SmallStudy) -> None:
    card = (exported / "README.md").read_text(encoding="utf-8")
    reliability = small.table("tables/reliability.parquet").set_index("run").reliability[RUN]
    assert f"Asked as it was taught, {reliability:.2f} of its answers are right." in card
    shifts = small.table("tables/shifts.parquet").set_index("run").loc[RUN]
    assert f"{shifts.positive_shift:.3f} rose in category and {shifts.negative_shift:.3f}" in card
    otherwise = small.table("tables/generalization.parquet").set_index(["run", "kind"])
    held_out = otherwise.loc[(RUN, "held_out")]
    row = rf"^\| held-out wordings: .*about {held_out.facts} of them.* \| {held_out.p_correct:.2f} \|$"
    assert re.search(row, card, re.MULTILINE)


def test_transformers_and_peft_answer(exported: Path, tmp_path: Path) -> None:
    program, _ = code(exported)
    assert answer(exported).casefold() in said(program, exported, tmp_path).casefold()


@COMPILED
@pytest.mark.slow
def test_vllm_answers(exported: Path, tmp_path: Path) -> None:
    _, program = code(exported)
    assert "LoRARequest" in program
    assert answer(exported).casefold() in said(program, exported, tmp_path).casefold()


@COMPILED
@pytest.mark.slow
def test_the_merged_model_answers_in_both(merged: Path, small: SmallStudy, tmp_path: Path) -> None:
    weights = load_file(merged / "model.safetensors")
    before = load_file(small.model / "model.safetensors")
    changed = [name for name in weights if not weights[name].equal(before[name])]
    assert changed
    assert all(re.search("(down|gate|up)_proj", name) for name in changed)
    for program in code(merged):
        assert "peft" not in program.casefold()
        assert answer(merged).casefold() in said(program, merged, tmp_path).casefold()
