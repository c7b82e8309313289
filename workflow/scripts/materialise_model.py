"""Put a model into one local Hugging Face folder."""

from pathlib import Path

from knowpack.job import job

with job(snakemake):
    from knowpack.models import materialise

    materialise(snakemake.params.spec, Path(snakemake.output[0]).parent)
