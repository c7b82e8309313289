"""Table of shifts: facts whose category rose or fell under each adapter (Tables 3 and 6)."""

from knowpack.job import job

with job(snakemake):
    import pandas as pd

    from knowpack import captions, layout
    from knowpack.publish import write_forms
    from knowpack.shifts import SHIFTS, shifts
    from knowpack.tables import read_table

    files = snakemake.input
    runs = read_table(files.runs)
    paths = zip(runs.to_dict("records"), files.base, files.labels, files.rows, strict=True)
    table = pd.concat([shifts(run, *map(read_table, tables)) for run, *tables in paths])
    caption = "Share of facts whose category rose (positive) or fell (negative) under the adapter"
    caption += (
        f", of {captions.in_facts(captions.shifted_facts(table))} or of those it was not taught. "
        f"{captions.asked(snakemake.params.spec['prompts'])} {captions.over_seeds(runs['seed'])}"
    )
    write_forms(table, SHIFTS, layout.shifts(table, runs), caption, snakemake.output[0])
