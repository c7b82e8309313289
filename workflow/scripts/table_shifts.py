"""Table of shifts: facts whose category rose or fell under each adapter (Tables 3 and 6)."""

from knowpack.job import job

with job(snakemake.log[0]):
    import pandas as pd

    from knowpack import layout
    from knowpack.publish import write_forms
    from knowpack.shifts import SHIFTS, shifts
    from knowpack.tables import read_table

    files = snakemake.input
    runs = read_table(files.runs)
    paths = zip(runs.to_dict("records"), files.base, files.labels, files.rows, strict=True)
    table = pd.concat([shifts(run, *map(read_table, tables)) for run, *tables in paths])
    caption = "Share of facts whose category rose or fell; mean (minimum to maximum) of seeds."
    write_forms(table, SHIFTS, layout.shifts(table, runs), caption, snakemake.output[0])
