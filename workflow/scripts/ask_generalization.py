"""Ask one run the facts that it was taught in other wordings, and back from the object."""

from pathlib import Path

from knowpack.job import job, say

with job(snakemake, keep=snakemake.output):
    from knowpack.asking_rewordings import ask_rewordings
    from knowpack.living import with_engine
    from knowpack.outlook import outlook
    from knowpack.sums import check_sums

    model_name, run, suite = snakemake.wildcards
    say(outlook(Path(snakemake.output[0]).parents[3], f"ask {suite}:", model_name, run))
    if run != "base":
        check_sums(snakemake.input.adapter)
    print(with_engine(ask_rewordings, snakemake))
