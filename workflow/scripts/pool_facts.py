"""Sort the facts into those a run may be taught and those it may be reminded of."""

from knowpack.job import job

with job(snakemake):
    from knowpack.pools import POOLS, pools
    from knowpack.tables import read_table, write_table

    facts = read_table(snakemake.input.facts, ["fact_id", "answers"])
    sorted_facts = pools(read_table(snakemake.input.responses), facts)
    write_table(sorted_facts, snakemake.output[0], POOLS)
    print(sorted_facts.pool.value_counts().to_dict())
