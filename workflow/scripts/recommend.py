"""Choose the run whose adapter is taken home where none is named."""

import json

from knowpack.job import job

with job(snakemake):
    from knowpack.recommended import recommended
    from knowpack.tables import read_table, write_text

    files, spec = snakemake.input, snakemake.params.spec
    names = ("capacity", "frontier", "runs", "reliability", "shifts")
    tables = [read_table(files[name]) for name in names]
    model, run = recommended(*tables, spec["model"])
    write_text(json.dumps({"model": model, "run": run}), snakemake.output[0])
