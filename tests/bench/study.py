"""The whole default study: Knowpack against the same steps as a chain of the published style's scripts.

    make bench BENCH=study STUDY=results/world

Our side is `snakemake` in a copy of the checkout without results, from its start to its end: model and
facts, labels, tables, figures and report included. The other side asks, trains and scores what that
study did, one after the other, and nothing else. That takes about an hour, so a part of each step is
timed and multiplied: ASKED prompts with each adapter's loading, an epoch of every training, QUESTIONS
of each benchmark.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from asking import prompts
from ratios import Work, compare, finished, grow, serve
from scoring import suite_of
from study_tree import LEFT_OUT, ROOT
from training import tokens

from knowpack.tables import read_table

FACTS, OTHERS, ASKED, QUESTIONS, ROUNDS, BAR = 300, (600, 1200), 256, 20, 5, 5
MANY = 1_000_000  # more questions than any task has


def ours(_: str, facts: str) -> Work:
    return partial(in_a_copy, int(facts))


def baseline(study: str, _: str) -> Work:
    return partial(published_style, Path(study))


def in_a_copy(facts: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "checkout"
        shutil.copytree(ROOT, folder, symlinks=True, ignore=LEFT_OUT)
        size = json.dumps({"size": facts})
        command = ["snakemake", "--cores", "all", "--config", f"facts={size}", "--quiet", "all"]
        start = time.monotonic()
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - start
        if done.returncode:
            sys.exit(done.stderr[-4000:])
    return {"rate": 3600 / seconds, "seconds": seconds}


def published_style(study: Path) -> dict[str, float]:
    import published
    from transformers import AutoTokenizer

    runs = [path.parents[1] for path in sorted(study.glob("*/*/adapter/run.json"))]
    model = runs[0].parent / "model"
    took: dict[str, float] = {}

    start = time.monotonic()
    answer = published.answerer(model, runs[0] / "adapter")
    loading = time.monotonic() - start
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    asked = [tokenizer.decode(ids) for ids in prompts(study, tokenizer, FACTS)]
    start = time.monotonic()
    answer(asked[:: len(asked) // ASKED][:ASKED])
    rate = ASKED / (time.monotonic() - start)
    responses = [*study.glob("*/*/responses/facts.parquet")]
    dynamics = [read_table(path) for path in study.glob("*/*/responses/dynamics.parquet")]
    total = sum(len(read_table(path)) for path in responses) + sum(map(len, dynamics))
    loaded = len(responses) + sum(frame.epoch.nunique() for frame in dynamics)
    took["asking"] = total / rate + loaded * loading

    took["training"] = 0
    for run in runs:
        recorded = json.loads((run / "adapter/run.json").read_text())["spec"]
        with tempfile.TemporaryDirectory() as folder:
            spec: dict[str, Any] = {**recorded, "epochs": 1}
            made = published.train(model, tokens(run, recorded), spec, Path(folder))
        took["training"] += made["seconds"] * recorded["epochs"] + loading

    took["scoring"] = 0
    score = published.scorer(model)
    suites = yaml.safe_load((ROOT / "config/config.yaml").read_text())["suites"]
    for task in [entry["task"] for suite in suites.values() for entry in suite]:
        scores, seconds = score(suite_of(task, "None", str(QUESTIONS)))
        whole = sum(one.questions for one in suite_of(task, "None", str(MANY)))
        took["scoring"] += len(responses) * (seconds * whole / len(scores) + loading)
    return {"rate": 3600 / sum(took.values()), "seconds": sum(took.values()), **took}


def main(study: Path) -> None:
    size = f"the default study, {FACTS} facts"
    named = ("a study", "studies/h", __file__)
    rate = compare(*named, [study, FACTS], ROUNDS, BAR, size, anew=True)
    sizes = {facts: [study, facts] for facts in OTHERS}
    grow(*named, "facts", sizes, rounds=1, anew=True, measured={FACTS: rate})


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(finished(sys.argv[1]))
    else:
        serve({"ours": ours, "baseline": baseline})
