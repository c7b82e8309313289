"""Ask the adapter of every epoch but the last about the facts that the run was taught."""

from pathlib import Path

from knowpack.job import job, say

with job(snakemake, keep=snakemake.output):
    from knowpack.asking import ask_run_epochs
    from knowpack.living import with_engine
    from knowpack.outlook import outlook

    model_name, run, suite = snakemake.wildcards
    say(outlook(Path(snakemake.output[0]).parents[3], f"ask {suite}:", model_name, run))
    print(with_engine(ask_run_epochs, snakemake))
