"""The published style of each step: plain, well-set Hugging Face code, the baseline of `make bench`.

It does what the study's scripts do (a pipeline in batches of 128; the Trainer with batches of 8, rows
padded to the longest, every token supervised; lm-eval's own backend), in the number format of Knowpack.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    GenerationConfig,
    Trainer,
    TrainingArguments,
    pipeline,
    set_seed,
)

from knowpack.precision import resolve

NEW_TOKENS = 32
OPTIONS: dict[str, Any] = {
    "dtype": resolve("auto"),
    "attn_implementation": "eager",
    "trust_remote_code": False,
    "use_safetensors": True,
}


def load(model: Path, adapter: Path | None = None) -> Any:
    network = AutoModelForCausalLM.from_pretrained(model, **OPTIONS)
    if adapter is None:
        return network
    adapted = PeftModel.from_pretrained(network, str(adapter))
    # Of a frozen head torch makes a product for each prompt of a batch: a seventh of the speed in bfloat16.
    network.get_output_embeddings().requires_grad_()
    return adapted


def answerer(model: Path, adapter: Path | None = None) -> Callable[[Sequence[str]], list[str]]:
    """Return a function that answers prompts, which hold the beginning-of-sequence token already."""
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left", trust_remote_code=False)
    tokenizer.add_bos_token = False
    tokenizer.update_post_processor()
    where = 0 if torch.cuda.is_available() else -1
    generate = pipeline("text-generation", load(model, adapter), tokenizer=tokenizer, device=where)
    config = GenerationConfig(max_new_tokens=NEW_TOKENS, do_sample=False)

    def answer(prompts: Sequence[str]) -> list[str]:
        options = {"batch_size": 128, "return_full_text": False, "generation_config": config}
        return [found[0]["generated_text"] for found in generate(list(prompts), **options)]

    return answer


def scorer(model: Path, long: bool = False) -> Callable[[Sequence[Any]], tuple[pd.Series, float]]:
    """Return a function that scores a suite of one task, in small batches where prompts are ``long``.

    It returns what lm-eval gives each (task, question), and the seconds.
    """
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM

    where = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = OPTIONS["dtype"]
    # All logits of a batch of long prompts, and their softmax: 16 take 29 GB in bfloat16.
    size = 8 // getattr(torch, dtype).itemsize if long else 16
    backend = HFLM(pretrained=str(model), dtype=dtype, device=where, batch_size=size)

    def score(suite: Sequence[Any]) -> tuple[pd.Series, float]:
        (benchmark,) = suite
        start = time.monotonic()
        found = evaluate(lm=backend, task_dict=benchmark.tree, limit=benchmark.limit)
        seconds = time.monotonic() - start
        rows = {
            (name, question["doc_id"]): question["acc"]
            for name, questions in found["samples"].items()
            for question in questions
        }
        return pd.Series(rows), seconds

    return score


def train(
    model: Path, rows: Sequence[list[int]], spec: dict[str, Any], into: Path
) -> dict[str, Any]:
    """Train an adapter on rows of tokens; return the seconds, and the loss of each step."""
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    set_seed(spec["seed"])
    config = LoraConfig(
        r=spec["rank"],
        lora_alpha=spec["alpha"],
        lora_dropout=spec["dropout"],
        target_modules=spec["target_modules"],
        task_type="CAUSAL_LM",
    )
    network = get_peft_model(load(model), config)
    arguments = TrainingArguments(
        output_dir=str(into),
        num_train_epochs=spec["epochs"],
        learning_rate=spec["learning_rate"],
        per_device_train_batch_size=spec["batch_size"],
        seed=spec["seed"],
        save_strategy="no",
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        bf16=torch.cuda.is_available() and resolve("auto") == "bfloat16",
    )
    trainer = Trainer(
        model=network,
        args=arguments,
        # No token predicts the first one; on the left of it there may be padding.
        train_dataset=[{"input_ids": ids, "labels": [-100, *ids[1:]]} for ids in rows],
        data_collator=DataCollatorForSeq2Seq(tokenizer),
    )
    start = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - start
    network.save_pretrained(str(into))
    return {
        "seconds": seconds,
        "loss": [x["loss"] for x in trainer.state.log_history if "loss" in x],
    }
