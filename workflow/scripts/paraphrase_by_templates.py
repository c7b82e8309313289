"""Paraphrase the facts a model may be taught, by the question templates of their relations."""

from knowpack.job import job

with job(snakemake):
    from knowpack.files import locate_all
    from knowpack.paraphrases import PARAPHRASES
    from knowpack.paraphrases_by_templates import from_templates
    from knowpack.tables import read_table, write_table
    from knowpack.templates import load_templates

    relations = load_templates(locate_all(snakemake.params.spec["templates"]))
    facts = read_table(snakemake.input.facts, ["fact_id", "subject", "relation"])
    pools = read_table(snakemake.input.pools)
    unknown = facts[facts.fact_id.isin(pools.fact_id[pools.pool == "unknown"])]
    write_table(from_templates(unknown, relations), snakemake.output[0], PARAPHRASES)
