"""Make the facts of a study from their source."""

from pathlib import Path

from knowpack.job import Bar, job, say

with job(snakemake):
    from knowpack.facts import facts_schema
    from knowpack.sources import make_facts
    from knowpack.tables import read_table, write_table

    files, spec = snakemake.input, dict(snakemake.params.spec)
    names = files.keys()
    studied = read_table(files.facts, ["fact_id", "question"]) if "facts" in names else None
    if "dump" in names:
        spec["path"] = files.dump
    facts, record = make_facts(spec, studied, snakemake.threads, Bar)
    print(record)
    page = Path(snakemake.output[0]).with_suffix(".html")
    say(f"{len(facts)} facts of {record['read']} rows; what became of the others: {page}")
    schema = facts_schema(facts)
    write_table(facts[schema.names], snakemake.output[0], schema, record)
