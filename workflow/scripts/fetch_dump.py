"""Fetch a dump of triples from its address."""

from pathlib import Path

from knowpack.job import Bar, job

with job(snakemake):
    from knowpack.dumps import fetch_dump

    fetch_dump(snakemake.params.spec["url"], Path(snakemake.output[0]), Bar)
