"""Adapters merged into their model's weights, for engines whose LoRA path is slow."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM

from knowpack.errors import DataError


def merge(model_folder: Path, adapter: Path, into: Path, dtype: str = "auto") -> Path:
    """Save the model with ``adapter`` merged into its weights as the folder ``into``; return it.

    The sum is rounded to ``dtype``, a name of torch's; `auto` is that in which the model is saved.

    Raises:
        DataError: the adapter cannot be read, or is of another model.
    """
    model = AutoModelForCausalLM.from_pretrained(
        model_folder, dtype=dtype, trust_remote_code=False, use_safetensors=True
    )
    try:
        merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(
            f"{adapter}: not an adapter of this model ({reason}); delete the folder and run again"
        ) from error
    merged.save_pretrained(into)
    for file in model_folder.iterdir():
        if not file.name.endswith(".safetensors") and not (into / file.name).exists():
            shutil.copy(file, into / file.name)
    return into


@contextmanager
def merged(model_folder: Path, adapter: Path, dtype: str) -> Iterator[Path]:
    """As `merge`, into a temporary folder that goes when the block ends."""
    with TemporaryDirectory(prefix="knowpack-merged-") as folder:
        yield merge(model_folder, adapter, Path(folder), dtype)
