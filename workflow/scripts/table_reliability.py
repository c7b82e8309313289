"""Table of reliability: how much of what it was taught each adapter knows (Table 2)."""

from knowpack.job import job

with job(snakemake.log[0]):
    import pandas as pd

    from knowpack import layout
    from knowpack.publish import write_forms
    from knowpack.reliability import RELIABILITY, reliability
    from knowpack.tables import read_table

    files = snakemake.input
    runs = read_table(files.runs)
    asked = map(tuple, snakemake.params.spec["dynamics"])
    dynamics = dict(zip(asked, files.dynamics, strict=True))
    parts = []
    for run, rows, labels in zip(runs.to_dict("records"), files.rows, files.labels, strict=True):
        path = dynamics.get((run["model"], run["run"]))
        epochs = read_table(path) if path else None
        parts.append(reliability(run, read_table(rows), read_table(labels), epochs))
    table = pd.concat(parts)
    caption = (
        "Reliability: mean P_correct over the taught facts; mean (minimum to maximum) of seeds."
    )
    write_forms(table, RELIABILITY, layout.reliability(table, runs), caption, snakemake.output[0])
