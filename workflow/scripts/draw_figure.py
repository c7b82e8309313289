"""Draw one figure from its table, as PNG, SVG and PDF."""

from pathlib import Path

from knowpack.job import job

with job(snakemake):
    from knowpack import figures
    from knowpack.figure_captions import caption
    from knowpack.plots import save
    from knowpack.tables import read_table

    name, prompts = snakemake.wildcards.figure, snakemake.params.spec["prompts"]
    table, runs = read_table(snakemake.input.table), read_table(snakemake.input.runs)
    figure = getattr(figures, name)(table, runs)
    said = caption(name, table, runs, prompts)
    save(figure, Path(snakemake.output[0]).with_suffix(""), said)
