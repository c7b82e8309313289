"""Ask one run a suite of benchmarks."""

from pathlib import Path

from knowpack.job import job, say

with job(snakemake, keep=snakemake.output):
    from knowpack.living import with_engine
    from knowpack.outlook import outlook
    from knowpack.suites import ask_benchmarks
    from knowpack.sums import check_sums

    model_name, run, suite = snakemake.wildcards
    say(outlook(Path(snakemake.output[0]).parents[3], f"ask {suite}:", model_name, run))
    if run != "base":
        check_sums(snakemake.input.adapter)
    print(with_engine(ask_benchmarks, snakemake))
