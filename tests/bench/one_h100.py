"""What the paper's study of Llama-3.1-8B takes on one H100: a model of its cost, from counted operations.

    python tests/bench/one_h100.py

Nothing here was measured on one. Prompts, rows and questions are counted from the shipped configuration;
how long they are is assumed (LENGTHS), and so is which share of the GPU's published rates is reached
(SHARE): that of the matrix rate while prompts are read and adapters trained, that of the bandwidth while
answers are written.
"""

from pathlib import Path

import pandas as pd
import yaml
from roofline import Weights, of_asking, of_training

from knowpack.config import load
from knowpack.runs import run_table

ROOT = Path(__file__).parents[2]
# https://www.nvidia.com/en-us/data-center/h100 (SXM): dense bfloat16, and HBM3.
OPERATIONS, BANDWIDTH = 989e12, 3.35e12
SHARE = 0.4, 0.6
LLAMA = Weights(layers=6_979_321_856, head=128_256 * 4096)
START = (
    60.0  # seconds to load the model and to compile; one engine serves the jobs of an hour and more
)
FACTS, EXTRA_FACTS = 21_036, 87_622  # the paper's; TriviaQA's questions, asked of the model itself
# Tokens: of a prompt beyond its shared examples, of an answer, of a training row.
LENGTHS = {"question": 40, "answer": 8, "row": 60}
# Questions, tokens of each beyond what all share, prefixes to score, tokens to generate.
BENCHMARKS = {
    "mmlu": (14_042, 110, 1, 0),
    "truthfulqa_mc": (817 * 2, 300, 60, 0),
    "truthfulqa_gen": (817, 30, 0, 60),
    "arc": (2_376 + 1_172, 70, 20, 0),
    "logiqa": (651, 250, 60, 0),
}


def seconds(operations: float, read: float = 0.0) -> float:
    return operations / (OPERATIONS * SHARE[0]) + read / (BANDWIDTH * SHARE[1])


def main() -> None:
    study = load(yaml.safe_load((ROOT / "config/paper-llama-3.1-8b.yaml").read_text()))
    runs = run_table(study)
    asked, prompts = len(runs) + 1, study.prompts.count
    question, answer = LENGTHS["question"], LENGTHS["answer"]
    prompt = of_asking(LLAMA, question, answer)
    row = of_training(LLAMA, LENGTHS["row"], LENGTHS["row"] - 1, study.training.batch_size)
    rows = sum(run["rows"] * run["epochs"] for run in runs)
    dynamics = [run for run in runs if run["unknown"] in study.dynamics]
    parts = {
        "label the model": (FACTS + EXTRA_FACTS) * prompts * seconds(*vars(prompt).values()),
        "train the adapters": rows * seconds(*vars(row).values()) + START * len(runs),
        "ask the adapters": FACTS * prompts * len(runs) * seconds(*vars(prompt).values()),
        "ask every epoch": sum(run["unknown"] * (run["epochs"] - 1) for run in dynamics)
        * prompts
        * seconds(*vars(prompt).values()),
    }
    for name, (questions, length, scored, written) in BENCHMARKS.items():
        floor = of_asking(LLAMA, length, written)
        operations = floor.operations + 2 * LLAMA.head * scored
        parts[f"benchmark {name}"] = asked * questions * seconds(operations, floor.read)
    table = pd.DataFrame({"part": parts.keys(), "hours": [each / 3600 for each in parts.values()]})
    print(f"{len(runs)} adapters, {rows:,} rows trained, {FACTS * prompts * asked:,} prompts asked")
    print(table.to_string(index=False, float_format="{:,.1f}".format))
    print(f"{table.hours.sum():,.0f} hours of one H100")


if __name__ == "__main__":
    main()
