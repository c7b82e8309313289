"""Table of answers: refusals and how often answers repeat (the paper's Table 4)."""

from knowpack.job import job

with job(snakemake):
    import pandas as pd

    from knowpack import captions, layout
    from knowpack.answer_stats import ANSWERS, answer_stats
    from knowpack.publish import write_forms
    from knowpack.tables import read_table

    files, spec = snakemake.input, snakemake.params.spec
    runs = read_table(files.runs)
    asked = zip(spec["runs"], files.responses, files.labels, strict=True)
    table = pd.concat(
        [
            answer_stats(model, run, read_table(responses), read_table(labels))
            for (model, run), responses, labels in asked
        ]
    )
    given = (table["unique_answers"] * table["mean_repeats"]).round().astype(int)
    numbers = captions.listed([f"{number:,}" for number in sorted(set(given))])
    caption = (
        "Refused: facts whose answer to the first prompt refuses. Repeats: how often a distinct "
        f"answer is given, among {numbers} answers. {captions.asked(spec['prompts'])} "
        f"{captions.over_seeds(runs['seed'])}"
    )
    write_forms(table, ANSWERS, layout.answers(table, runs), caption, snakemake.output[0])
