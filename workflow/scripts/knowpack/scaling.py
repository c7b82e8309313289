"""An adapter of another strength: the same weights, and an alpha that scales what they add."""

import json
import shutil
from pathlib import Path
from typing import Any

from knowpack.tables import write_text

CONFIG, WEIGHTS, RECORD = "adapter_config.json", "adapter_model.safetensors", "run.json"


def scale(adapter: Path, strength: float, into: Path) -> dict[str, Any]:
    """Write ``adapter``, a PEFT folder of LoRA, with ``strength`` times its alpha to the folder ``into``.

    Returns what `run.json` holds: the record of the training, with the strength, and as ``scaled``
    the run that was trained.
    """
    config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    config["lora_alpha"] *= strength
    into.mkdir(parents=True, exist_ok=True)
    write_text(json.dumps(config, indent=2, sort_keys=True), into / CONFIG)
    shutil.copyfile(adapter / WEIGHTS, into / WEIGHTS)
    made = json.loads((adapter / RECORD).read_text(encoding="utf-8"))
    return {**made, "scaled": made["run"], "strength": strength}
