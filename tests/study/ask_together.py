"""Ask a model, and with an adapter of it, on an engine of several processes.

python ask_together.py DEVICES WAY MODEL ADAPTER OUT
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

from knowpack import engine
from knowpack.config import Engine as Settings

QUESTIONS = [f"What is the capital of country {number}?" for number in range(20)]

if __name__ == "__main__":
    devices, way, model, adapter, out = sys.argv[1:]
    engine.shutil = SimpleNamespace(which=lambda _: None)  # no compiler: it starts sooner
    settings = Settings(dtype="float32", max_model_len=256, kv_cache_gib=1).model_dump()
    asked = engine.Engine(Path(model), 2, adapter=way, rank=2, devices=int(devices), **settings)
    prompts = asked.tokenizer(QUESTIONS).input_ids
    found = []
    for name in (None, adapter):
        if name:
            asked.use(Path(name))
        found += asked.generate(prompts, max_new_tokens=24, stop=["\n"])
    Path(out).write_text(json.dumps([text for texts in found for text in texts]))
