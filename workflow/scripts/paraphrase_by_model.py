"""Paraphrase the facts that a model is taught, by an instruct model."""

from pathlib import Path

from knowpack.job import Bar, job, take_gpus

with job(snakemake, keep=snakemake.output):
    take_gpus(snakemake)
    from knowpack.engine import Engine
    from knowpack.order import unknown_order
    from knowpack.paraphrases import PARAPHRASES
    from knowpack.paraphrases_by_model import from_model
    from knowpack.tables import read_table, write_table

    spec, files = snakemake.params.spec, snakemake.input
    facts = read_table(files.facts, ["fact_id", "question", "subject"])
    taught = unknown_order(read_table(files.pools), spec["facts_seed"])[: spec["unknown"]]
    facts = facts.set_index("fact_id").loc[taught].reset_index()
    writer, devices = Path(files.writer).parent, snakemake.resources.devices
    options = {**spec["engine"], **snakemake.params.memory}
    engine = Engine(writer, snakemake.threads, devices=devices, **options)
    paraphrases = from_model(engine, facts, spec, Bar)
    write_table(paraphrases, snakemake.output[0], PARAPHRASES)
    print(f"{len(paraphrases)} paraphrases of {len(facts)} questions")
