"""Training rows as padded batches of tokens."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from knowpack.losses import IGNORED


def tokenise(rows: Sequence[tuple[list[int], int]], loss: str) -> list[dict[str, list[int]]]:
    """Turn (token ids, length of the prompt) pairs into ``input_ids`` and ``labels``.

    With ``loss="answer"`` the prompt's labels are ignored; with ``"row"`` every token is supervised,
    prompt included, as in the published code, but for the first, which no token predicts.
    """
    return [
        {"input_ids": ids, "labels": [IGNORED] * skipped + ids[skipped:]}
        for ids, prompt in rows
        for skipped in [prompt if loss == "answer" else 1]  # padding must not predict the first
    ]


class Collator:
    """Pads on the left, so that all answers end together.

    Then the output head, half of a small model's work, is computed at the last positions only:
    ``logits_to_keep`` is the model's own argument for it. Labels are cut to the same positions.
    """

    def __init__(self, pad: int) -> None:
        """``pad`` is the token that fills short rows."""
        self.pad = pad

    def __call__(self, rows: Sequence[Mapping[str, list[int]]]) -> dict[str, Any]:
        """Return ``input_ids``, ``attention_mask``, ``position_ids`` (rows x longest), ``labels``."""
        longest = max(len(row["input_ids"]) for row in rows)

        def padded(values: list[int], filler: int) -> list[int]:
            return [filler] * (longest - len(values)) + values

        ids = torch.tensor([padded(row["input_ids"], self.pad) for row in rows])
        mask = torch.tensor([padded([1] * len(row["input_ids"]), 0) for row in rows])
        labels = torch.tensor([padded(row["labels"], IGNORED) for row in rows])
        supervised = (labels != IGNORED).any(dim=0).nonzero()
        first = int(supervised[0]) if len(supervised) else longest - 1
        # The token before the first supervised one predicts it.
        keep = longest - max(first - 1, 0)
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "position_ids": (mask.cumsum(dim=1) - 1).clamp(min=0),
            "labels": labels[:, -keep:],
            "logits_to_keep": keep,
        }
