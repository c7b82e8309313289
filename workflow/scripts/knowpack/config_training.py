"""How adapters are trained, and the grid of conditions, as sections of the configuration.

Every key of `Training` may be a list in a grid; those after `target_modules` are levers that the
paper does not have, and leave no trace in a study that does not pull them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from knowpack.strict import EXPONENT, Identifier, Natural, Positive, Strict, explain

Extra = Literal["none", "highly_known", "paraphrase", "same_domain", "replay"]
# Extras that are drawn from the HighlyKnown facts.
KNOWN = ("highly_known", "same_domain")


class Training(Strict):
    """LoRA and training; the defaults are the paper's. Any key may be a list in a grid."""

    loss: Literal["row", "answer"] = "row"
    """`row`: on every token of the row (the published code); `answer`: on the answer's tokens only."""
    epochs: Positive = 10
    """How often every row is seen."""
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False), EXPONENT] = 1e-3
    """At the start; it falls to 0 in a straight line."""
    batch_size: Positive = 16
    """Rows a step."""
    rank: Positive = 1
    """Of each adapter matrix."""
    alpha: Annotated[float, Field(gt=0, allow_inf_nan=False), EXPONENT] = 2.0
    """The adapter's output is scaled by alpha / rank."""
    dropout: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), EXPONENT] = 0.1
    """Share of an adapter's inputs that are left out while training."""
    rslora: bool = False
    """Scale by alpha / sqrt(rank) rather than alpha / rank."""
    target_modules: Annotated[list[Identifier], Field(min_length=1)] = [
        "down_proj",
        "gate_proj",
        "up_proj",
    ]
    """Which of the model's modules get an adapter."""
    method: Literal["lora", "dora", "loraplus"] = "lora"
    """`dora`: the weights' norms are trained beside their directions, in more than twice the time (vLLM
    serves it merged only, and it trains on one device);
    `loraplus`: the second of an adapter's two matrices learns 16 times as fast as the first."""
    patience: Natural = 0
    """Stop after so many epochs in a row without a lower loss on held-out HighlyKnown facts, and keep
    the adapter of the epoch with the lowest; 0: train all epochs and keep the last."""
    held_out: Positive = 50
    """With `patience`: how many such facts are held out, none of them an extra of the run; fewer where
    there are no more. They come from `extra_facts` first, whose facts no table counts."""
    extras_from: Positive = 1
    """The epoch from which on extras are trained too; before it, the Unknown facts alone."""
    strength: Annotated[float, Field(gt=0, allow_inf_nan=False), EXPONENT] = 1.0
    """Scales the adapter after training: 0.5 is the adapter of strength 1 with half its alpha. The grid
    must have the run with strength 1; no other is trained."""

    @model_validator(mode="after")
    def _fits(self) -> "Training":
        if self.extras_from > self.epochs:
            raise ValueError(
                f"extras_from, {self.extras_from}, is after the last of {self.epochs} epochs, so that no "
                "extra would be trained; lower it, or raise epochs"
            )
        if self.strength != 1 and self.method == "dora":
            raise ValueError(
                "strength cannot scale an adapter of DoRA, which does not only add to the weights; write "
                "strength: 1, or another method"
            )
        return self


class Grid(Strict):
    """Conditions: every combination of the lists."""

    unknown: Annotated[list[Positive], Field(min_length=1)]
    """How many Unknown facts are taught."""
    extra: Annotated[list[Extra], Field(min_length=1)] = ["none"]
    """What is mixed in: nothing; HighlyKnown facts; paraphrases of the taught questions;
    `same_domain`, HighlyKnown facts of the domain of the Unknown fact that each goes with (where a
    domain has too few, any others); `replay`, questions about facts that are not taught with the model's
    own answers."""
    per_unknown: Annotated[list[Positive], Field(min_length=1)] = [1]
    """Extra rows for each Unknown fact (of no effect with `none`)."""
    seeds: Annotated[list[Natural], Field(min_length=1)]
    """Of the drawn extras, the adapter's first weights and the order of the rows."""
    training: dict[str, Any] = {}
    """Keys of `training` that differ here; a list of values is one more axis."""


def check_training(overrides: Mapping[str, Any], base: Training, where: str) -> Training:
    """Return ``base`` with ``overrides``, checked as the section itself is.

    Raises:
        ConfigError: as `load`, the keys named below ``where``.
    """
    try:
        return Training.model_validate({**base.model_dump(), **overrides})
    except ValidationError as error:
        raise explain(error, Training, where) from None


def pulled(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of `Training` without the levers that are at their defaults."""
    levers = {
        name: Training.model_fields[name].default
        for name in ("method", "patience", "held_out", "extras_from", "strength")
    }
    return {
        key: training[key]
        for key in Training.model_fields
        if key not in levers or training[key] != levers[key]
    }
