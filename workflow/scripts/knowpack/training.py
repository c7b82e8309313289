"""Training of one adapter by PEFT under the Hugging Face Trainer (paper, section 4).

https://huggingface.co/docs/peft/package_reference/lora and
https://huggingface.co/docs/transformers/main_classes/trainer.
"""

import hashlib
import json
import math
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers import AutoTokenizer, PreTrainedModel, Trainer, TrainingArguments, set_seed
from transformers.trainer_callback import TrainerState

from knowpack.batches import Collator, packs, tokenise
from knowpack.epochs import Ends, Progress, held_out_losses, waited
from knowpack.files import digest
from knowpack.losses import take_off_head
from knowpack.methods import add_adapter, optimizer
from knowpack.precision import resolve
from knowpack.processes import SharingTrainer, load, rank, together
from knowpack.prompts import Prompter
from knowpack.schedule import Row, Schedule, schedule
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

    ``model_folder`` has a ``model.json``; ``rows`` has columns role (held_out ones are not trained),
    question and answer. Every epoch ends with a checkpoint in ``run/checkpoints``; a second start with
    an equal model, rows, ``spec`` and ``code`` (a digest) goes on from the last whole one. They go once
    the adapter is saved. With ``spec["keep_epochs"]`` the adapter after epoch n stays in
    ``run/epochs/<n>``. ``bar`` is a tqdm class. ``devices`` GPUs, or processes on a CPU, share the model
    and the rows of a batch. The record has: loss (a list of [step, loss]); tokens (of the last epoch);
    seconds and tokens_per_second of this start (null where no epoch was left to do); trainable
    (parameters); device; dtype (of the model's weights); and `knowpack.usage.usage`. With
    ``spec["patience"]`` also held_out_loss, a list by epoch; epochs, how many there were; and best_epoch,
    the one whose adapter is kept.

    Raises:
        ConfigError: the model has no module of a name in ``target_modules``.
    """
    tokenizer = AutoTokenizer.from_pretrained(model_folder, trust_remote_code=False)
    prompter = Prompter(tokenizer, spec["system"], spec["style"])
    pairs = [
        prompter.row_ids(question, answer)
        for question, answer in zip(rows.question, rows.answer, strict=True)
    ]
    tokens = tokenise(pairs, spec["loss"])
    held = [row for row, role in zip(tokens, rows.role, strict=True) if role == "held_out"]
    plan = schedule(tokens, rows.role, spec)
    checkpoints = run / "checkpoints"
    model_digest = digest(model_folder / "model.json")
    identity = {
        "model": model_digest,
        "spec": dict(spec),
        "code": code,
        "rows": tokens,
        "dtype": resolve("auto"),
    }
    last = _last_checkpoint(checkpoints, identity)
    if last is None:
        shutil.rmtree(run / "epochs", ignore_errors=True)
    pad = tokenizer.pad_token_id or tokenizer.eos_token_id
    given = (model_folder, plan, held, pad, spec, last, run, bar, devices)
    made = [_fit(*given)] if devices == 1 else together(devices, _fit, *given)
    _discard(checkpoints)
    seconds, done = made[0]["seconds"], made[0]["tokens"]
    took = usage()
    took["peak_memory_mb"] += sum(part["peak_memory_mb"] for part in made) if devices > 1 else 0
    return {
        "loss": made[0]["loss"],
        "tokens": plan.tokens[-1],
        "seconds": round(seconds, 3),
        "tokens_per_second": round(done / seconds, 1) if done else None,
        "trainable": made[0]["trainable"],
        "device": device_name(),
        "dtype": resolve("auto"),
        **made[0]["judged"],
        **took,
    }


def _fit(
    model_folder: Path,
    plan: Schedule,
    held: list[Row],
    pad: int,
    spec: Mapping[str, Any],
    last: Path | None,
    run: Path,
    bar: type,
    devices: int,
) -> dict[str, Any]:
    """Train as ``plan`` says from the checkpoint ``last``, in each process; the first one saves."""
    set_seed(sub_seed(spec["seed"], "adapter"))  # before the adapter is built
    base = _load(model_folder, devices)
    model = add_adapter(base, spec)
    loss = take_off_head(base) if devices == 1 else None  # divided, it is whole nowhere
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    progress = Progress(bar, plan, run / "epochs" if spec.get("keep_epochs") else None)
    arguments = _arguments(run / "checkpoints", spec, devices, plan, len(held))
    patience = spec.get("patience", 0)
    trainer = (Trainer if devices == 1 else SharingTrainer)(
        model=model,
        args=arguments,
        train_dataset=plan.rows,
        eval_dataset=held or None,
        data_collator=Collator(pad, packs(base)),
        callbacks=[progress] * (rank() == 0) + [Ends(plan, patience)],
        compute_loss_func=loss,
        optimizers=(optimizer(model, arguments, spec), None),
    )
    start = time.monotonic()
    state = _stopped(last, patience)
    if state is None:
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    elif state.best_model_checkpoint:
        model.load_adapter(state.best_model_checkpoint, model.active_adapter)
    history = (state or trainer.state).log_history
    seconds = time.monotonic() - start
    if rank() == 0:
        model.save_pretrained(str(run / "adapter"))
    return {
        "loss": [[log["step"], log["loss"]] for log in history if "loss" in log],
        "seconds": seconds,
        "tokens": progress.tokens,
        "trainable": trainable,
        "judged": _judged(held_out_losses(history)),
        "peak_memory_mb": usage()["peak_memory_mb"],
    }


def _stopped(last: Path | None, patience: int) -> TrainerState | None:
    """The state in which an earlier start stopped early, if it did; the Trainer would go on."""
    if last is None or not patience:
        return None
    state = TrainerState.load_from_json(str(last / "trainer_state.json"))
    return state if waited(held_out_losses(state.log_history)) >= patience else None


def _judged(losses: list[float]) -> dict[str, Any]:
    """What the record has of the held-out rows' loss, where there are any."""
    if not losses:
        return {}
    best = losses.index(min(losses)) + 1
    return {"held_out_loss": losses, "epochs": len(losses), "best_epoch": best}


def device_name() -> str:
    """The device that torch computes on, as people call it."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _load(folder: Path, devices: int) -> PreTrainedModel:
    model = load(folder, devices)
    model.config.use_cache = False
    return model


def _arguments(
    checkpoints: Path,
    spec: Mapping[str, Any],
    devices: int = 1,
    plan: Schedule | None = None,
    held: int = 0,
) -> TrainingArguments:
    """The paper's settings; all else is the Trainer's default (AdamW, linear decay, no warm-up)."""
    when: dict[str, Any] = {"num_train_epochs": spec["epochs"], "save_strategy": "epoch"}
    if plan and plan.in_order:  # the steps within are told it by `Ends`
        when = {"num_train_epochs": 1, "save_strategy": "steps", "save_steps": plan.ends[-1]}
        when["train_sampling_strategy"] = "sequential"
    if spec.get("patience"):
        when |= {"eval_strategy": when["save_strategy"], "eval_steps": when.get("save_steps")}
        # Batches count alike, as one row each where they are packed, so they are of one size.
        when["per_device_eval_batch_size"] = math.ceil(held / math.ceil(held / spec["batch_size"]))
        when |= {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss"}
        when["greater_is_better"] = False
    on_gpu = torch.cuda.is_available()
    own = f" {rank()}" * (rank() > 0)  # else all processes leave out the same of their rows
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        **when,
        learning_rate=spec["learning_rate"],
        per_device_train_batch_size=spec["batch_size"] // devices,
        seed=sub_seed(spec["seed"], f"training{own}"),
        data_seed=sub_seed(spec["seed"], "order"),
        use_cpu=not on_gpu,
        bf16=on_gpu and resolve("auto") == "bfloat16",
        remove_unused_columns=False,
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
