"""Export a run's adapter with its card."""

from pathlib import Path

from knowpack.job import job

with job(snakemake):
    from knowpack.export import export_adapter

    study = Path(snakemake.input.facts).parent
    folder = Path(snakemake.output.sums).parent
    export_adapter(study, *snakemake.wildcards, snakemake.params.spec, folder)
