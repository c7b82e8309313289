"""Prompts a second: Knowpack's asking against Hugging Face's pipeline, on the same prompts in one go.

    make bench BENCH=asking STUDY=results/world

Each side is a process of its own and generates for the first FACTS facts of a finished study with every
prompt; the time to load a model is not counted. The pipeline is set as the published code sets it
(batches of 128, 32 new tokens, greedy), in bfloat16 like the engine. Records the medians of ROUNDS rates.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

FACTS, ROUNDS, NEW_TOKENS = 60, 3, 32
BAR = 15


def prompts(study: Path, tokenizer) -> list[list[int]]:
    from knowpack.prompts import Prompter, shots_by_prompt
    from knowpack.tables import read_metadata, read_table

    shots = study / "shots.parquet"
    examples = shots_by_prompt(read_table(shots), int(read_metadata(shots)["prompts"]))
    questions = read_table(study / "facts.parquet").question[:FACTS]
    prompter = Prompter(tokenizer, "", "text")
    return [prompter.prompt_ids(shown, question) for shown in examples for question in questions]


def ours(study: Path, model: Path) -> float:
    import os
    import time

    from knowpack.engine import Engine

    options = {"dtype": "bfloat16", "max_model_len": 1024, "kv_cache_gib": 2}
    engine = Engine(model, os.cpu_count() or 1, gpu_memory_utilization=0.9, **options)
    asked = prompts(study, engine.tokenizer)
    start = time.monotonic()
    engine.generate(asked, max_new_tokens=NEW_TOKENS, stop=["\n"])
    return len(asked) / (time.monotonic() - start)


def pipeline(study: Path, model: Path) -> float:
    import time

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
    from transformers import pipeline as make_pipeline

    plain = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left", trust_remote_code=False)
    tokenizer.add_bos_token = False  # the texts below have it already
    tokenizer.update_post_processor()
    network = AutoModelForCausalLM.from_pretrained(
        model,
        dtype=torch.bfloat16,
        attn_implementation="eager",
        trust_remote_code=False,
        use_safetensors=True,
    )
    device = 0 if torch.cuda.is_available() else -1
    generate = make_pipeline("text-generation", network, tokenizer=tokenizer, device=device)
    texts = [tokenizer.decode(ids) for ids in prompts(study, plain)]
    config = GenerationConfig(max_new_tokens=NEW_TOKENS, do_sample=False)
    start = time.monotonic()
    generate(texts, batch_size=128, return_full_text=False, generation_config=config)
    return len(texts) / (time.monotonic() - start)


def main(study: Path) -> None:
    model = next(study.glob("*/model/model.json")).parent
    rates: dict[str, list[float]] = {"ours": [], "pipeline": []}
    for number in range(ROUNDS):
        for side in rates:
            command = [sys.executable, __file__, str(study), side, str(model)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rates[side].append(json.loads(answer.splitlines()[-1]))
            print(f"round {number + 1}, {side}: {rates[side][-1]:.1f} prompts/s", flush=True)

    import torch
    from ratios import cpu, record

    medians = [statistics.median(side) for side in rates.values()]
    size = f"{FACTS} facts with every prompt, {model.parent.name}"
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else cpu()
    record("asking", "prompts/s", *medians, BAR, size, device)


if __name__ == "__main__":
    if len(sys.argv) == 2 and not (Path(sys.argv[1]) / "report.html").exists():
        print(
            f"asking is timed on a finished study, and {sys.argv[1]} is none: `make study` makes it"
        )
    elif len(sys.argv) == 2:
        main(Path(sys.argv[1]))
    else:
        side = {"ours": ours, "pipeline": pipeline}[sys.argv[2]]
        print(json.dumps(side(Path(sys.argv[1]), Path(sys.argv[3]))))
