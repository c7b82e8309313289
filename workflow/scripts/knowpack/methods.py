"""Methods of PEFT by which an adapter is trained; all but DoRA's are LoRA's once they are saved.

https://huggingface.co/docs/peft/developer_guides/lora, DoRA (arXiv 2402.09353), LoRA+ (2402.12354).
"""

from collections.abc import Mapping
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from transformers import PreTrainedModel, Trainer, TrainingArguments
from transformers.pytorch_utils import Conv1D

from knowpack.errors import ConfigError

RATIO = 16  # of the learning rates of B and A in LoRA+, as its paper has it


def add_adapter(model: PreTrainedModel, spec: Mapping[str, Any]) -> PeftModel:
    """Return ``model`` with an untrained adapter; seed before calling.

    Raises:
        ConfigError: the model has no module of a name in ``target_modules``.
    """
    modules = sorted(set(spec["target_modules"]))
    config = LoraConfig(
        r=spec["rank"],
        lora_alpha=spec["alpha"],
        lora_dropout=spec["dropout"],
        use_rslora=spec["rslora"],
        use_dora=spec.get("method") == "dora",
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


def optimizer(
    model: PeftModel, arguments: TrainingArguments, spec: Mapping[str, Any]
) -> torch.optim.Optimizer | None:
    """Return LoRA+'s optimizer, which is the Trainer's with another rate for B; else None."""
    if spec.get("method") != "loraplus":
        return None
    kind, settings = Trainer.get_optimizer_cls_and_kwargs(arguments)
    return create_loraplus_optimizer(model, kind, loraplus_lr_ratio=RATIO, **settings)
