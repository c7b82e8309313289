"""Select the rows that one run is trained on."""

from knowpack.job import job

with job(snakemake.log[0]):
    from knowpack.files import locate
    from knowpack.selection import ROWS, select_rows
    from knowpack.tables import read_table, write_table
    from knowpack.templates import load_templates

    spec = dict(snakemake.params.spec)
    spec.pop("templates_digest", None)
    path = spec.pop("templates", None)
    relations = load_templates(locate(path)) if path else {}
    facts = read_table(snakemake.input.facts)
    pools = read_table(snakemake.input.pools)
    rows = select_rows(facts, pools, relations, **spec)
    write_table(rows, snakemake.output[0], ROWS)
