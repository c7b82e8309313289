"""Table of categories: what each model knows before it is taught (the paper's Table 1)."""

from knowpack.job import job

with job(snakemake.log[0]):
    import pandas as pd

    from knowpack import layout
    from knowpack.categories import CATEGORIES, categories
    from knowpack.publish import write_forms
    from knowpack.tables import read_table

    labels = zip(snakemake.params.spec["models"], snakemake.input.labels, strict=True)
    table = pd.concat([categories(model, read_table(path)) for model, path in labels])
    caption = "Facts by how well the model knows them before training."
    write_forms(table, CATEGORIES, layout.categories(table), caption, snakemake.output[0])
