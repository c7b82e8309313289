"""When facts fit into an adapter, as a section of the configuration."""

from typing import Annotated

from pydantic import AfterValidator, Field

from knowpack.strict import EXPONENT, Strict


def _once(values: list[float]) -> list[float]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{twice[0]:g} stands twice; keep one")
    return values


Target = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), EXPONENT]
Budget = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), EXPONENT]


class Capacity(Strict):
    """When facts fit into an adapter; docs/capacity.md says how to choose. Tables have every pair."""

    targets: Annotated[list[Target], Field(min_length=1), AfterValidator(_once)] = [0.9]
    """Least share of right answers about the taught facts (reliability). Recipes are recommended for the
    first target with the first budget."""
    budgets: Annotated[list[Budget], Field(min_length=1), AfterValidator(_once)] = [0.1]
    """Most harm: the share of all facts that fell in category, and what a benchmark lost (0.1: 10 points of
    100)."""
    generalization: Target | None = None
    """Least share of right answers in held-out wordings too, which the section `generalization` asks; none
    is needed if left out."""
