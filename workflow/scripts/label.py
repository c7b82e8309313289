"""Label every fact with what one run knows of it."""

from knowpack.job import job

with job(snakemake):
    from knowpack.knowledge import LABELS, label
    from knowpack.tables import read_table, write_table

    spec = snakemake.params.spec
    facts = read_table(snakemake.input.facts, ["fact_id", "answers"])
    responses = read_table(snakemake.input.responses)
    labels = label(responses, facts, spec["match"], spec["refusals"])
    write_table(labels, snakemake.output[0], LABELS)
