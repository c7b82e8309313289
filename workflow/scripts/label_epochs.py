"""Score the taught facts after every epoch."""

from knowpack.job import job

with job(snakemake):
    from knowpack.dynamics import EPOCH_LABELS, label_epochs
    from knowpack.tables import read_table, write_table

    spec = snakemake.params.spec
    facts = read_table(snakemake.input.facts, ["fact_id", "answers"])
    responses = read_table(snakemake.input.responses)
    labels = label_epochs(responses, facts, spec["match"], spec["refusals"])
    write_table(labels, snakemake.output[0], EPOCH_LABELS)
