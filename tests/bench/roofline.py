"""How near asking, training and scoring come to what the machine can do at all.

    make bench BENCH=roofline STUDY=results/world   # after the others, whose rates it reads

The floor of a thing is the larger of its operations over the measured rate of matrix products in the
study's number format, and of the bytes that it must read over the measured bandwidth. Two operations are
counted for each weight that a token meets (Kaplan et al. 2020, section 2.1), once more for the gradient of
what a frozen layer was given. Attention's own products, under 2% at these lengths, are left out.
"""

import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import torch
from asking import prompts
from ratios import TABLE, finished
from scoring import LONGEST, TASKS, suite_of
from training import middle, runs_by_rows, tokens

from knowpack.errors import KnowpackError
from knowpack.precision import resolve
from knowpack.tables import read_metadata, read_table

DTYPE = getattr(torch, resolve("auto"))
BATCH = 256  # sequences that vLLM on a CPU decodes at a time, at the most


@dataclass(frozen=True)
class Weights:
    """The numbers of weights that a token meets in the layers, and in the output head."""

    layers: int
    head: int


@dataclass(frozen=True)
class Floor:
    """What one prompt, row or question takes at the least: operations, and bytes read."""

    operations: float
    read: float


def weights(model: Path) -> Weights:
    """Return a model's numbers of weights, from the shapes in its files."""
    from safetensors import safe_open

    config = json.loads((model / "config.json").read_text())
    text = config.get("text_config", config)
    layers = 0
    for path in model.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
        layers += sum(
            shape[0] * shape[1]
            for name, shape in shapes.items()
            if ".layers." in name and len(shape) == 2
        )
    return Weights(layers, text["vocab_size"] * text["hidden_size"])


def of_asking(size: Weights, computed: float, written: float) -> Floor:
    """Return the floor of a prompt, of which ``computed`` tokens are not cached and ``written`` follow."""
    operations = 2 * (size.layers * (computed + written) + size.head * written)
    # All weights are read once for each token that a batch of prompts writes.
    return Floor(operations, DTYPE.itemsize * (size.layers + size.head) * written / BATCH)


def of_training(size: Weights, length: float, supervised: float, batch: int) -> Floor:
    """Return the floor of a row: there and back again, the head where a token is supervised."""
    operations = 4 * (size.layers * length + size.head * supervised)
    return Floor(operations, 2 * DTYPE.itemsize * (size.layers + size.head) / batch)


def of_scoring(size: Weights, tokenizer: Any, task: tuple[str, str, str]) -> Floor:
    """Return the floor of a question, where what questions and choices have in common is computed once."""
    from knowpack.harness import HarnessModel, requests

    (benchmark,) = suite_of(*task)
    model = HarnessModel(SimpleNamespace(tokenizer=tokenizer), LONGEST)  # type: ignore[arg-type]
    pairs = [model._encode_pair(*request.args) for request in requests(benchmark, model)]
    whole = [tuple(context + continuation) for context, continuation in pairs]
    # The last token is predicted, and predicts nothing.
    met = {text[:end] for text in whole for end in range(1, len(text))}
    scored = {tuple(context + rest[:at]) for context, rest in pairs for at in range(len(rest))}
    operations = 2 * (size.layers * len(met) + size.head * len(scored))
    read = DTYPE.itemsize * (size.layers + size.head) * max(len(rest) for _, rest in pairs)
    return Floor(operations / benchmark.questions, read / benchmark.questions)


def matrix_rate(threads: int) -> float:
    """Return the operations a second of products as large as a layer's of a small model."""
    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    side = 8192 if device == "cuda" else 2048
    left, right = (torch.randn(side, side, dtype=DTYPE, device=device) for _ in range(2))
    return 2 * side**3 / _best(lambda: left @ right)


def bandwidth(threads: int) -> float:
    """Return the bytes a second that a sum over a large tensor reads."""
    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = torch.ones(2**28, device=device)
    return data.nbytes / _best(data.sum)


def _best(work: Any, times: int = 10) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        found.append(time.perf_counter() - start)
    return min(found)


def floors(study: Path) -> dict[str, Floor]:
    """Return the floors of what was timed on a finished study, by the names in the table of rates."""
    from transformers import AutoTokenizer

    base = next(study.glob("*/base/responses/facts.parquet"))
    model = base.parents[2] / "model"
    size = weights(model)
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    answers = read_table(base).text
    written = sum(len(tokenizer(text).input_ids) for text in answers) / len(answers)
    asked = prompts(study, tokenizer, len(answers))
    missed = 1 - float(read_metadata(base)["cache_hit_rate"])
    found = {
        "asking the base model": of_asking(
            size, missed * sum(map(len, asked)) / len(asked), written
        )
    }
    runs = runs_by_rows(study)
    run = runs[middle(runs)]
    spec = json.loads((run / "adapter/run.json").read_text())["spec"]
    rows = tokens(run, spec)
    length = sum(map(len, rows)) / len(rows)
    answer = read_table(run / "rows.parquet").answer
    ends = sum(len(tokenizer(f" {text}").input_ids) for text in answer) / len(answer)
    found["training, row loss"] = of_training(size, length, length - 1, spec["batch_size"])
    found["training, answer loss"] = of_training(size, length, ends, spec["batch_size"])
    for task, shots, limit in TASKS:
        with contextlib.suppress(KnowpackError):  # left out of the table of rates too
            floor = of_scoring(size, tokenizer, (task, str(shots), str(limit)))
            found[f"scoring {Path(task).stem}"] = floor
    return found


def main(study: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    rate, read = matrix_rate(cores), bandwidth(cores)
    print(f"products {rate / 1e9:,.0f} GFLOP/s, reading {read / 1e9:,.1f} GB/s, {cores} cores")
    rates = read_table(TABLE).set_index("what")
    rows = []
    for what, floor in floors(study).items():
        if what not in rates.index:
            continue  # not timed yet
        seconds = max(floor.operations / rate, floor.read / read)
        ours, baseline = rates.loc[what, ["ours", "baseline"]]
        rows.append(
            [
                what,
                floor.operations / 1e9,
                floor.read / 1e6,
                1 / seconds,
                ours,
                ours * seconds,
                baseline * seconds,
            ]
        )
    names = ["what", "GFLOP", "MB", "at most", "ours", "share", "share of the baseline"]
    print(pd.DataFrame(rows, columns=names).to_string(index=False, float_format="{:,.2f}".format))


if __name__ == "__main__":
    main(finished(sys.argv[1]))
