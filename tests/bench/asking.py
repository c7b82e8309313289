"""Prompts a second: Knowpack's asking against Hugging Face's pipeline, on the same prompts in one go.

    make bench BENCH=asking STUDY=results/world

Each side is a process of its own, which in every round answers the first FACTS facts of a finished study
with every prompt, once as the model itself and once with an adapter. Loading is not counted, nor is
merging. On a CPU a study asks two runs at a time, each on half of the cores, and so does our side, whose
rates are added up; the published scripts ask one after the other, on all cores.
"""

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from ratios import Work, compare, finished, grow, serve, side_by_side

from knowpack.prompts import Prompter, shots_by_prompt
from knowpack.tables import read_metadata, read_table

# With five prompts each, 25 facts fill one of the published batches of 128.
FACTS, SIZES, ROUNDS, NEW_TOKENS = 25, (60, 150, 300), 5, 32
BARS = {"the base model": 15, "an adapter": 12}


def prompts(study: Path, tokenizer: Any, facts: int) -> list[list[int]]:
    shots = study / "shots.parquet"
    examples = shots_by_prompt(read_table(shots), int(read_metadata(shots)["prompts"]))
    questions = read_table(study / "facts.parquet").question[:facts]
    prompter = Prompter(tokenizer, "", "text")
    return [prompter.prompt_ids(shown, question) for shown in examples for question in questions]


def one(study: str, model: str, adapter: str, facts: str) -> Work:
    from knowpack.engine import Engine

    options = {"dtype": "auto", "max_model_len": 1024, "kv_cache_gib": 2}
    way = None if adapter == "-" else "auto"
    threads = int(os.environ["OMP_NUM_THREADS"])
    engine = Engine(Path(model), threads, way, gpu_memory_utilization=0.9, **options)
    engine.use(None if adapter == "-" else Path(adapter))
    asked = prompts(Path(study), engine.tokenizer, int(facts))

    def work() -> dict[str, float]:
        engine.llm.reset_prefix_cache()
        start = time.monotonic()
        engine.generate(asked, max_new_tokens=NEW_TOKENS, stop=["\n"])
        return {"rate": len(asked) / (time.monotonic() - start)}

    return work


def baseline(study: str, model: str, adapter: str, facts: str) -> Work:
    import published
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    answer = published.answerer(Path(model), None if adapter == "-" else Path(adapter))
    asked = [tokenizer.decode(ids) for ids in prompts(Path(study), tokenizer, int(facts))]

    def work() -> dict[str, float]:
        start = time.monotonic()
        answer(asked)
        return {"rate": len(asked) / (time.monotonic() - start)}

    return work


def main(study: Path) -> None:
    model = next(study.glob("*/model/model.json")).parent
    adapter = min(study.glob("*/*/adapter/run.json")).parent
    for (who, bar), chosen in zip(BARS.items(), ["-", adapter], strict=True):
        size = f"{FACTS} facts with every prompt, {model.parent.name}"
        given = [study, model, chosen, FACTS]
        compare(f"asking {who}", "prompts/s", __file__, given, ROUNDS, bar, size)
    sizes = {facts: [study, model, "-", facts] for facts in SIZES}
    grow("asking the base model", "prompts/s", __file__, "facts", sizes)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(finished(sys.argv[1]))
    else:
        serve({"ours": partial(side_by_side, __file__, "one"), "one": one, "baseline": baseline})
