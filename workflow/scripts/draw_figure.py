"""Draw one figure from its table, as PNG, SVG and PDF."""

from pathlib import Path

from knowpack.job import job

with job(snakemake.log[0]):
    from knowpack import figures
    from knowpack.tables import read_table

    draw = getattr(figures, snakemake.wildcards.figure)
    figure = draw(read_table(snakemake.input.table), read_table(snakemake.input.runs))
    figures.save(figure, Path(snakemake.output[0]).with_suffix(""))
