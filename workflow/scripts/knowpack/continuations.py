"""Continuations that vLLM is made to say, token by token, for their log-probabilities.

https://docs.vllm.ai/en/latest/features/custom_logitsprocs.html; the log-probabilities that vLLM
returns are those before any processor.
"""

from typing import Any

import torch
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor
from vllm.v1.sample.logits_processor.builtin import process_dict_updates

from knowpack.engine import CONTINUATION


class Continuations(LogitsProcessor):
    """Makes each request that has a `CONTINUATION` say those tokens, greedily."""

    def __init__(self, config: Any, device: torch.device, is_pin_memory: bool) -> None:
        """Start without requests; vLLM gives all three."""
        # By row of the batch: the tokens to say, and vLLM's growing list of those said.
        self.rows: dict[int, tuple[list[int], list[int]]] = {}

    def is_argmax_invariant(self) -> bool:
        """Return that what is said changes."""
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Follow the requests that come, go and move."""
        process_dict_updates(self.rows, batch_update, _to_say)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Return ``logits`` (rows, vocabulary) with each row's next token above all others."""
        if self.rows:
            tokens = [wanted[len(said)] for wanted, said in self.rows.values()]
            logits[list(self.rows), tokens] = torch.inf
        return logits


def _to_say(
    params: SamplingParams, _: list[int] | None, said: list[int]
) -> tuple[list[int], list[int]] | None:
    wanted = (params.extra_args or {}).get(CONTINUATION)
    return (wanted, said) if wanted else None
