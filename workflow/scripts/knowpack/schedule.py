"""Which rows each epoch sees, and when an epoch ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accelerate.data_loader import SeedableRandomSampler

from knowpack.batches import IGNORED
from knowpack.seeds import sub_seed

Row = dict[str, list[int]]


@dataclass(frozen=True)
class Schedule:
    """What the Trainer is given.

    It shuffles ``rows`` in every epoch or, ``in_order``, goes once through all epochs' rows, one
    epoch's after the other's. ``ends`` is the step at which each epoch ends, ``tokens`` how many each has.
    """

    rows: list[Row]
    in_order: bool
    ends: list[int]
    tokens: list[int]


def schedule(rows: list[Row], roles: Iterable[str], spec: Mapping[str, Any]) -> Schedule:
    """Return the schedule of ``spec["epochs"]`` epochs in batches of ``spec["batch_size"]``.

    Rows of role held_out are in none. Where ``spec["extras_from"]`` is given, those of another role than
    unknown join in that epoch. The Trainer's epochs are all of one length, so then they are laid out
    here: each shuffled as the Trainer would, and filled up to whole batches with rows without a label.
    """
    epochs, size = spec["epochs"], spec["batch_size"]
    trained = [pair for pair in zip(rows, roles, strict=True) if pair[1] != "held_out"]
    rows = [row for row, _ in trained]
    if "extras_from" not in spec:
        steps, tokens = -(-len(rows) // size), _tokens(rows)
        return Schedule(rows, False, [steps * (n + 1) for n in range(epochs)], [tokens] * epochs)
    early = [row for row, role in trained if role == "unknown"]
    blank = {"input_ids": rows[0]["input_ids"][:2], "labels": [IGNORED] * 2}
    laid_out: list[Row] = []
    ends, seen = [], []
    for epoch in range(epochs):
        there = rows if epoch + 1 >= spec["extras_from"] else early
        order = SeedableRandomSampler(range(len(there)), data_seed=sub_seed(spec["seed"], "order"))
        order.set_epoch(epoch)
        laid_out += [there[number] for number in order]
        laid_out += [blank] * (-len(there) % size)
        ends.append(len(laid_out) // size)
        seen.append(_tokens(there))
    return Schedule(laid_out, True, ends, seen)


def _tokens(rows: list[Row]) -> int:
    return sum(len(row["input_ids"]) for row in rows)
