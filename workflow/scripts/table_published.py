"""Table of published figures: the paper's beside the measured ones, for every cell of both."""

from knowpack.job import job

with job(snakemake):
    from knowpack import layout
    from knowpack.files import locate
    from knowpack.publish import write_forms
    from knowpack.published import PUBLISHED, caption, published, read_figures
    from knowpack.tables import read_table

    files, spec = snakemake.input, snakemake.params.spec
    names = ("categories", "reliability", "shifts", "answers", "shift_reasons", "benchmarks")
    tables = {name: read_table(files[name]) for name in names}
    figures = read_figures(locate(spec["figures"]))
    table = published(tables, read_table(files.runs), figures, spec)
    said = caption(table, spec)
    write_forms(table, PUBLISHED, layout.published(table), said, snakemake.output[0])
