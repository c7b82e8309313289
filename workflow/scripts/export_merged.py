"""Export a run's model, the adapter merged into its weights, with its card."""

from pathlib import Path

from knowpack.job import job

with job(snakemake):
    from knowpack.export import export_merged

    study = Path(snakemake.input.facts).parent
    folder = Path(snakemake.output.folder)
    export_merged(study, *snakemake.wildcards, snakemake.params.spec, folder)
