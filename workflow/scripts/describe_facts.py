"""Describe a set of facts on a page of its own, before a model is asked about them."""

from knowpack.job import job

with job(snakemake):
    from knowpack.facts_page import compose, read_record
    from knowpack.tables import read_metadata, read_table, write_text

    path = snakemake.input[0]
    record = read_record(read_metadata(path), path)
    write_text(compose(read_table(path), record, snakemake.params.spec), snakemake.output[0])
