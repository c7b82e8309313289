"""Train one run's adapter; run.json, written last, says that it is whole."""

import json
from pathlib import Path

from knowpack.job import Bar, job, say, take_gpus

record = Path(snakemake.output.record)
run = record.parents[1]

with job(snakemake, keep=[*snakemake.output, run / "epochs"]):
    take_gpus(snakemake)
    from knowpack.outlook import outlook
    from knowpack.sums import write_sums
    from knowpack.tables import read_table, write_text
    from knowpack.training import train

    params = snakemake.params
    model = Path(snakemake.input.model).parent
    say(outlook(record.parents[3], "train", *snakemake.wildcards))
    rows = read_table(snakemake.input.rows)
    devices = snakemake.resources.devices
    made = train(model, rows, params.spec, params.code, run, Bar, devices)
    write_sums([snakemake.output.config, snakemake.output.weights], snakemake.output.sums)
    about = {"run": snakemake.wildcards.run, "spec": params.spec, "code": params.code}
    write_text(json.dumps({**about, "stack": params.stack, **made}, indent=1), record)
