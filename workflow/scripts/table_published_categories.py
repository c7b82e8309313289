"""Table of published categories: what others found of the facts, beside what is measured here."""

from knowpack.job import job

with job(snakemake):
    import pandas as pd

    from knowpack import captions, layout
    from knowpack.publish import write_forms
    from knowpack.published_categories import PUBLISHED_CATEGORIES, compare
    from knowpack.tables import read_table

    files, spec = snakemake.input, snakemake.params.spec
    facts = read_table(files.facts, ["fact_id", "published_category"])
    labels = zip(spec["models"], files.labels, strict=True)
    compared = [compare(model, read_table(path), facts) for model, path in labels]
    table = pd.concat(compared)
    agreed = table["facts"][table["published"] == table["measured"]].sum()
    caption = (
        "Facts by the category that came with them (rows) and by the one measured here (columns): "
        f"{agreed:,} of {table['facts'].sum():,} agree. {captions.asked(spec['prompts'])}"
    )
    printed = layout.published_categories(table)
    write_forms(table, PUBLISHED_CATEGORIES, printed, caption, snakemake.output[0])
