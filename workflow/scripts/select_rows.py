"""Select the rows that one run is trained on."""

from knowpack.job import job

with job(snakemake):
    from knowpack.selection import ROWS, select_rows
    from knowpack.tables import read_table, write_table

    files = snakemake.input
    facts, pools = read_table(files.facts), read_table(files.pools)
    path = files.get("paraphrases")
    paraphrases = read_table(path) if path else None
    path, extras = files.get("extra_facts"), None
    if path:
        extra_pools = read_table(files.extra_pools)
        known = extra_pools.fact_id[extra_pools.pool == "highly_known"]
        extras = read_table(path)
        extras = extras[extras.fact_id.isin(known)]
    path = files.get("responses")
    responses = read_table(path) if path else None
    rows = select_rows(facts, pools, paraphrases, extras, responses, **snakemake.params.spec)
    print(rows.role.value_counts().to_dict())
    write_table(rows, snakemake.output[0], ROWS)
