"""The sections of the configuration about what an adapter is worth: generalization, and its export.

Imported while Snakemake builds its graph, so it needs pydantic and the standard library only.
"""

from pydantic import model_validator

from knowpack.strict import Natural, Positive, Strict


class Generalization(Strict):
    """Whether the taught facts are known in other wordings too, and back from the object."""

    wordings: Natural = 2
    """In how many held-out wordings each taught fact is asked: the last of its relation's templates, or
    of the paraphrases that a model writes. No run is trained on them."""
    reverse: bool = True
    """Also ask for the subject, given the object, where the relation has a `reverse` template and no other
    subject of the study's facts has the object."""
    prompts: Positive | None = None
    """In how many of the study's prompts, the first ones; in all if left out."""

    @model_validator(mode="after")
    def _something(self) -> "Generalization":
        if not self.wordings and not self.reverse:
            raise ValueError(
                "nothing would be asked; raise 'wordings', set 'reverse' to true, or remove the section"
            )
        return self


class Export(Strict):
    """The adapter to take home, which `make adapter` writes to the study's folder `export/`."""

    run: str | None = None
    """Which run's, such as `uk80-hk1-s42`; if left out, one of the recipe that carries most facts, of its
    largest level that meets target and budget."""
    model: str | None = None
    """Of which model, where several have the run."""
    merged: bool = False
    """A whole model with the adapter merged into its weights, rather than the adapter."""
    base_model: str | None = None
    """The public name of the model that it belongs to, such as `google/gemma-3-270m`; of a model from the
    hub it is known, of one from a package it is the package's if left out."""
