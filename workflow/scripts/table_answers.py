"""Table of answers: refusals and how often answers repeat (the paper's Table 4)."""

from knowpack.job import job

with job(snakemake.log[0]):
    import pandas as pd

    from knowpack import layout
    from knowpack.answer_stats import ANSWERS, answer_stats
    from knowpack.publish import write_forms
    from knowpack.tables import read_table

    files = snakemake.input
    runs = read_table(files.runs)
    asked = zip(snakemake.params.spec["runs"], files.responses, files.labels, strict=True)
    table = pd.concat(
        [
            answer_stats(model, run, read_table(responses), read_table(labels))
            for (model, run), responses, labels in asked
        ]
    )
    caption = "Refusals and repeated answers, over all prompts."
    write_forms(table, ANSWERS, layout.answers(table, runs), caption, snakemake.output[0])
