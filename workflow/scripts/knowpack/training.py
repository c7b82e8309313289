"""Training of one adapter: PEFT's LoRA under the Hugging Face Trainer (paper, section 4).

https://huggingface.co/docs/peft/package_reference/lora and
https://huggingface.co/docs/transformers/main_classes/trainer.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoTokenizer,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.pytorch_utils import Conv1D

from knowpack.batches import Collator, tokenise
from knowpack.errors import ConfigError
from knowpack.files import digest
from knowpack.losses import take_off_head
from knowpack.processes import SharingTrainer, load, rank, together
from knowpack.prompts import Prompter
from knowpack.seeds import sub_seed
from knowpack.tables import write_text
from knowpack.usage import usage


def train(
    model_folder: Path,
    rows: pd.DataFrame,
    spec: Mapping[str, Any],
    code: str,
    run: Path,
    bar: type,
    devices: int = 1,
) -> dict[str, Any]:
    """Train a run's adapter and leave it in ``run/adapter``; return what `run.json` holds beside.

    ``model_folder`` has a ``model.json``; ``rows`` has columns question and answer. Every epoch ends
    with a checkpoint in ``run/checkpoints``; a second start with an equal model, rows, ``spec`` and
    ``code`` (a digest) goes on from the last whole one. They go once the adapter is saved. With
    ``spec["keep_epochs"]`` the adapter after epoch n stays in ``run/epochs/<n>``. ``bar`` is a tqdm
    class. ``devices`` GPUs, or processes on a CPU, share the model and the rows of a batch. The
    record has: loss (a list of [step, loss]); tokens (of one epoch); seconds and tokens_per_second of
    this start (null where no epoch was left to do); trainable (parameters); device; and
    `knowpack.usage.usage`.

    Raises:
        ConfigError: the model has no module of a name in ``target_modules``.
    """
    tokenizer = AutoTokenizer.from_pretrained(model_folder, trust_remote_code=False)
    prompter = Prompter(tokenizer, spec["system"], spec["style"])
    pairs = [
        prompter.row_ids(question, answer)
        for question, answer in zip(rows.question, rows.answer, strict=True)
    ]
    data = tokenise(pairs, spec["loss"])
    checkpoints = run / "checkpoints"
    model_digest = digest(model_folder / "model.json")
    identity = {"model": model_digest, "spec": dict(spec), "code": code, "rows": data}
    last = _last_checkpoint(checkpoints, identity)
    if last is None:
        shutil.rmtree(run / "epochs", ignore_errors=True)
    pad = tokenizer.pad_token_id or tokenizer.eos_token_id
    given = (model_folder, data, pad, spec, last, run, bar, devices)
    made = [_fit(*given)] if devices == 1 else together(devices, _fit, *given)
    _discard(checkpoints)
    tokens = sum(len(row["input_ids"]) for row in data)
    seconds, done = made[0]["seconds"], made[0]["epochs"]
    took = usage()
    took["peak_memory_mb"] += sum(part["peak_memory_mb"] for part in made) if devices > 1 else 0
    return {
        "loss": made[0]["loss"],
        "tokens": tokens,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(tokens * done / seconds, 1) if done else None,
        "trainable": made[0]["trainable"],
        "device": device_name(),
        **took,
    }


def _fit(
    model_folder: Path,
    data: list[dict[str, list[int]]],
    pad: int,
    spec: Mapping[str, Any],
    last: Path | None,
    run: Path,
    bar: type,
    devices: int,
) -> dict[str, Any]:
    """Train on ``data`` from the checkpoint ``last``, in each of the processes; the first one saves."""
    set_seed(sub_seed(spec["seed"], "adapter"))  # before the adapter is built
    base = _load(model_folder, devices)
    model = add_adapter(base, spec)
    loss = take_off_head(base) if devices == 1 else None  # divided, it is whole nowhere
    progress = _Progress(bar, run / "epochs" if spec.get("keep_epochs") else None)
    trainer = (Trainer if devices == 1 else SharingTrainer)(
        model=model,
        args=_arguments(run / "checkpoints", spec, devices),
        train_dataset=data,
        data_collator=Collator(pad),
        callbacks=[progress] if rank() == 0 else [],
        compute_loss_func=loss,
    )
    start = time.monotonic()
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    seconds = time.monotonic() - start
    if rank() == 0:
        model.save_pretrained(str(run / "adapter"))
    return {
        "loss": [[log["step"], log["loss"]] for log in trainer.state.log_history if "loss" in log],
        "seconds": seconds,
        "epochs": progress.epochs,
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "peak_memory_mb": usage()["peak_memory_mb"],
    }


def add_adapter(model: PreTrainedModel, spec: Mapping[str, Any]) -> PeftModel:
    """Return ``model`` with an untrained LoRA adapter; seed before calling.

    Raises:
        ConfigError: the model has no module of a name in ``target_modules``.
    """
    modules = sorted(set(spec["target_modules"]))
    config = LoraConfig(
        r=spec["rank"],
        lora_alpha=spec["alpha"],
        lora_dropout=spec["dropout"],
        use_rslora=spec["rslora"],
        target_modules=modules,
        bias="none",
        task_type="CAUSAL_LM",
    )
    config.target_modules = modules  # PEFT makes it a set, saved in an order that changes
    linear = {
        name.rsplit(".", 1)[-1]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D)
    }
    absent = [name for name in modules if name not in linear]
    if absent:
        has = ", ".join(sorted(linear))
        raise ConfigError(
            f"training.target_modules: the model has no linear layer {', '.join(absent)}; it has {has}"
        )
    return get_peft_model(model, config)


def device_name() -> str:
    """The device that torch computes on, as people call it."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _load(folder: Path, devices: int) -> PreTrainedModel:
    model = load(folder, devices)
    model.config.use_cache = False
    # The last positions are a strided view, for which torch copies the whole head once a row: 7 s a
    # step on a CPU rather than 0.6.
    model.get_output_embeddings().register_forward_pre_hook(lambda _, x: (x[0].contiguous(),))
    return model


def _arguments(checkpoints: Path, spec: Mapping[str, Any], devices: int = 1) -> TrainingArguments:
    """The paper's settings; all else is the Trainer's default (AdamW, linear decay, no warm-up)."""
    on_gpu = torch.cuda.is_available()
    own = f" {rank()}" * (rank() > 0)  # else all processes leave out the same of their rows
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=spec["epochs"],
        learning_rate=spec["learning_rate"],
        per_device_train_batch_size=spec["batch_size"] // devices,
        seed=sub_seed(spec["seed"], f"training{own}"),
        data_seed=sub_seed(spec["seed"], "order"),
        use_cpu=not on_gpu,
        bf16=on_gpu,
        remove_unused_columns=False,
        save_strategy="epoch",
        save_total_limit=1,
        logging_strategy="steps",
        logging_steps=1,
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=on_gpu,
    )
    # Else every visible GPU takes a batch of this size, and the batch is that many times as large.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


class _Progress(TrainerCallback):
    """A bar with the rate and the loss, and the adapter of every epoch where it is kept."""

    def __init__(self, bar: type, epochs: Path | None) -> None:
        self.bar_class, self.folder, self.epochs = bar, epochs, 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar = self.bar_class(
            total=state.max_steps, initial=state.global_step, unit=" steps", desc="training"
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.update(1)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.bar.set_postfix(loss=f"{float(logs['loss']):.3f}", refresh=False)

    def on_epoch_end(
        self, args: Any, state: Any, control: Any, model: Any = None, **_: Any
    ) -> None:
        self.epochs += 1
        if self.folder is not None:
            model.save_pretrained(self.folder / str(round(state.epoch)))

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.close()


def _last_checkpoint(folder: Path, identity: Mapping[str, Any]) -> Path | None:
    """The newest whole checkpoint of this very training; those of any other are removed."""
    text = json.dumps(identity, sort_keys=True)
    mark = folder / "identity"
    own = hashlib.sha256(text.encode()).hexdigest()
    if not mark.is_file() or mark.read_text() != own:
        _discard(folder)
        write_text(own, mark)
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    for checkpoint in reversed(found):
        try:
            json.loads((checkpoint / "trainer_state.json").read_text())  # written last
            return checkpoint
        except (OSError, ValueError):
            shutil.rmtree(checkpoint)
    return None


def _discard(folder: Path) -> None:
    """Remove the checkpoints; killed halfway, what is left is nobody's."""
    (folder / "identity").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
