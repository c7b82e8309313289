"""Leave the few-shot examples out of the extra facts, which would be right by themselves."""

from knowpack.job import job

with job(snakemake):
    import json

    from knowpack.errors import DataError
    from knowpack.facts import facts_schema, leave_out
    from knowpack.tables import read_table, write_table

    files = snakemake.input
    facts = read_table(files.facts)
    asked, count = leave_out(facts, read_table(files.shots, ["question"]))
    if asked.empty:
        raise DataError(
            f"extra_facts: all {count} serve as few-shot examples, so none can be asked; "
            "raise extra_facts.size, or lower prompts.count or prompts.shots"
        )
    drops = {"few_shot": count}
    print(f"{len(asked)} facts of {len(facts)}; dropped: {drops}")
    schema = facts_schema(asked)
    write_table(asked[schema.names], snakemake.output[0], schema, {"dropped": json.dumps(drops)})
