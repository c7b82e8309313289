"""Training rows as batches of tokens."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from transformers import PreTrainedModel

from knowpack.losses import IGNORED

LONGEST_PACK = 512  # tokens; of more, attention among all costs a small model more than padding


def tokenise(rows: Sequence[tuple[list[int], int]], loss: str) -> list[dict[str, list[int]]]:
    """Turn (token ids, length of the prompt) pairs into ``input_ids`` and ``labels``.

    With ``loss="answer"`` the prompt's labels are ignored; with ``"row"`` every token is supervised,
    prompt included, as in the published code, but for the first, which no token predicts.
    """
    return [
        {"input_ids": ids, "labels": [IGNORED] * skipped + ids[skipped:]}
        for ids, prompt in rows
        for skipped in [prompt if loss == "answer" else 1]  # nothing may predict the first
    ]


class Collator:
    """Makes a batch of rows: one row of all of them where the model keeps them apart, else padded ones.

    The output head, half of a small model's work, is computed where a next token is supervised only:
    ``logits_to_keep`` is the model's own argument for it, and the labels are those positions'.
    """

    def __init__(self, pad: int, packs: bool = False) -> None:
        """``pad`` is the token that fills short rows; ``packs`` says what `packs` found."""
        self.pad, self.packs = pad, packs

    def __call__(self, rows: Sequence[Mapping[str, list[int]]]) -> dict[str, Any]:
        """Return ``input_ids`` and ``position_ids`` (rows x longest; 1 x all), and ``labels`` (rows x kept).

        Padded on the left, so that answers end together, they have an ``attention_mask``.
        """
        rows = [{**row, "position_ids": [*range(len(row["input_ids"]))]} for row in rows]
        packed = self.packs and sum(len(row["input_ids"]) for row in rows) <= LONGEST_PACK
        if packed:
            rows = [{name: [*chain(*(row[name] for row in rows))] for name in rows[0]}]
        longest = max(len(row["input_ids"]) for row in rows)

        def padded(name: str, filler: int) -> torch.Tensor:
            return torch.tensor([[filler] * (longest - len(row[name])) + row[name] for row in rows])

        labels = padded("labels", IGNORED)
        supervised = (labels != IGNORED).any(dim=0).nonzero().flatten()
        none = labels.new_full((len(rows), 1), IGNORED)
        batch = {
            "input_ids": padded("input_ids", self.pad),
            "position_ids": padded("position_ids", 0),
            # A label is predicted by the position before it; that of the last one kept is none.
            "logits_to_keep": torch.cat([supervised - 1, torch.tensor([longest - 1])]),
            "labels": torch.cat([none, labels[:, supervised]], dim=1),
        }
        if not packed:
            lengths = torch.tensor([[len(row["input_ids"])] for row in rows])
            batch["attention_mask"] = (torch.arange(longest) >= longest - lengths).long()
        return batch


@torch.no_grad()
def packs(model: PreTrainedModel) -> bool:
    """Whether ``model`` keeps rows apart that stand one after the other, each with its own positions.

    Most do (https://huggingface.co/docs/transformers/main_classes/data_collator, flattening); one with a
    state, as Mamba's, does not.
    """

    def last_two(tokens: list[int], positions: list[int]) -> torch.Tensor:
        ids, places = (torch.tensor([each], device=model.device) for each in (tokens, positions))
        options = {"logits_to_keep": 2, "use_cache": False}
        return model(input_ids=ids, position_ids=places, **options).logits.float()

    alone = last_two([1, 0], [0, 1])
    packed = last_two([0, 1, 1, 0], [0, 1, 0, 1])
    return bool((packed - alone).norm() < 0.01 * alone.norm())  # what differs is rounding
