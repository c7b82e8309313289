"""A run's adapter as a folder to take home: PEFT's files, its card, and the facts that it was taught."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from transformers import AutoTokenizer

from knowpack.card import asked_first, compose, prompts_of, taught_facts
from knowpack.files import checksum, locate
from knowpack.prompts import Prompter, shots_by_prompt
from knowpack.sums import check_sums, write_sums
from knowpack.tables import read_table, write_table, write_text

CARD = "workflow/report/adapter.md.j2"
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
TAUGHT = pa.schema(
    [
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("relation", pa.string()),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("p_correct", pa.float64()),
    ]
)


def export_adapter(
    study: Path, model: str, run: str, spec: Mapping[str, Any], folder: Path
) -> None:
    """Write a run's adapter to ``folder``; ``SHA256SUMS``, written last, says that it is whole.

    The adapter's configuration names the model by its public name. ``study`` is the folder of
    results, ``spec`` is `knowpack.export_specs.export_spec`.

    Raises:
        DataError: the adapter is not as it was written, or a table lacks the run.
    """
    adapter = check_sums(study / model / run / "adapter/SHA256SUMS")
    config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    config |= {"base_model_name_or_path": spec["base_model"], "revision": spec["revision"]}
    folder.mkdir(parents=True, exist_ok=True)
    write_text(json.dumps(config, indent=2) + "\n", folder / CONFIG)
    shutil.copyfile(adapter / WEIGHTS, folder / WEIGHTS)
    describe(study, model, run, {**spec, "config": config}, folder)


def export_merged(study: Path, model: str, run: str, spec: Mapping[str, Any], folder: Path) -> None:
    """Write a run's model, its adapter merged into the weights, to ``folder``; as `export_adapter`."""
    from knowpack.adapters import merge

    adapter = check_sums(study / model / run / "adapter/SHA256SUMS")
    config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    merge(study / model / "model", adapter, folder, spec["dtype"])
    (folder / "model.json").unlink(missing_ok=True)  # it speaks of the model without the adapter
    describe(study, model, run, {**spec, "config": config}, folder)


def describe(study: Path, model: str, run: str, spec: Mapping[str, Any], folder: Path) -> None:
    """Write what stands beside an exported adapter: its card, its facts and the checksums of all."""
    taught = taught_facts(study, model, run)
    write_table(taught, folder / "facts.parquet", TAUGHT)
    tokenizer = AutoTokenizer.from_pretrained(study / model / "model", trust_remote_code=False)
    shots = shots_by_prompt(read_table(study / "shots.parquet"), 1)[0]
    prompter = Prompter(tokenizer, spec["system"], spec["style"])
    prompts = prompts_of(prompter, shots, asked_first(taught))
    about = {
        "made": json.loads((study / model / run / "adapter/run.json").read_text(encoding="utf-8")),
        "files": _weights(study / model / "model/model.json"),
        "adapter": checksum(study / model / run / "adapter" / WEIGHTS),
    }
    card = compose(locate(CARD), study, model, run, prompts, {**spec, **about})
    write_text(card, folder / "README.md")
    files = sorted(path for path in folder.iterdir() if path.is_file())
    write_sums([path for path in files if path.name != "SHA256SUMS"], folder / "SHA256SUMS")


def _weights(path: Path) -> dict[str, Any]:
    files = json.loads(path.read_text(encoding="utf-8"))["files"]
    return {name: about for name, about in files.items() if name.endswith(".safetensors")}
