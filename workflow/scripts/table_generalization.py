"""Table of generalization: the taught facts in other wordings, and back from the object."""

from knowpack.job import job

with job(snakemake):
    from knowpack import captions, layout
    from knowpack.generalization import GENERALIZATION, generalization
    from knowpack.publish import write_forms
    from knowpack.tables import read_table

    files, spec = snakemake.input, snakemake.params.spec
    runs = read_table(files.runs)
    labels = zip(spec["asked"], files.labels, strict=True)
    table = generalization(runs, [(*names, read_table(path)) for names, path in labels])
    caption = captions.of_generalization(table, runs, spec["prompts"])
    printed = layout.generalization(table, runs)
    write_forms(table, GENERALIZATION, printed, caption, snakemake.output[0])
