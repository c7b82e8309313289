"""Table of categories: what each model knows before it is taught (the paper's Table 1)."""

from knowpack.job import job

with job(snakemake):
    import pandas as pd

    from knowpack import captions, layout
    from knowpack.categories import CATEGORIES, categories
    from knowpack.publish import write_forms
    from knowpack.tables import read_table

    spec = snakemake.params.spec
    labels = zip(spec["models"], snakemake.input.labels, strict=True)
    table = pd.concat([categories(model, read_table(path)) for model, path in labels])
    facts = captions.in_facts(table.groupby("model")["facts"].sum())
    caption = (
        f"Facts by how well the model knows them before training: {facts}. "
        f"{captions.asked(spec['prompts'])} P_correct: share of right answers."
    )
    write_forms(table, CATEGORIES, layout.categories(table), caption, snakemake.output[0])
