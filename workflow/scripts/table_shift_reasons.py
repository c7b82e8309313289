"""Tables of the reasons of shifts (Table 5) and of the shifts themselves (Appendix D)."""

from knowpack.job import job

with job(snakemake):
    import pandas as pd

    from knowpack import captions, layout
    from knowpack.publish import write_forms
    from knowpack.shift_reasons import (
        SHIFT_EXAMPLES,
        SHIFT_REASONS,
        answered,
        explosion_threshold,
        shift_examples,
        shift_reasons,
    )
    from knowpack.tables import read_table

    def read_answers(model, run, responses, labels):
        """Read a run's answers; only what is left of them, a row a fact, stays in memory."""
        return answered(
            model,
            run,
            read_table(responses, ["fact_id", "prompt", "sample", "text"]),
            read_table(labels, ["fact_id", "category", "refused"]),
        )

    files = snakemake.input
    runs = read_table(files.runs)
    facts = read_table(files.facts, ["fact_id", "question", "answers", "domain"])
    of_base = dict(
        zip(runs["model"], zip(files.base_responses, files.base_labels, strict=True), strict=True)
    )
    base = {model: read_answers(model, "base", *paths) for model, paths in of_base.items()}
    examples, reasons = [], []
    asked = zip(runs.to_dict("records"), files.responses, files.labels, files.rows, strict=True)
    for run, responses, labels, rows in asked:
        after = read_answers(run["model"], run["run"], responses, labels)
        taught = read_table(rows, ["fact_id", "role"])
        examples.append(shift_examples(run, facts, taught, base[run["model"]], after))
        reasons.append(shift_reasons(run, examples[-1]))
    limits = "; ".join(
        f"{model}: {explosion_threshold(answers):,.1f} of {answers.answers:,} answers"
        for model, answers in base.items()
    )
    caption = (
        "Shifts from Unknown to HighlyKnown (positive) and back (negative), and the shares of them "
        "with each reason; a shift may have several. Non-refusal: the model itself refused. "
        "Explosion: the run gives the new answer more than 850/661 times as often as the model "
        f"itself gives its most frequent one ({limits}). Target-based: the new answer is one of "
        "the taught unknown facts' answers. Domain shift: the fact's domain is one of theirs. "
        f"Explained: any of these. {captions.over_seeds(runs['seed'])}"
    )
    table = pd.concat(reasons)
    paths = snakemake.output
    write_forms(table, SHIFT_REASONS, layout.shift_reasons(table, runs), caption, paths.reasons[0])
    caption = (
        "Shifts from Unknown to HighlyKnown (positive) and back (negative) with the most frequent "
        f"answer before and after, and their reasons; at most {layout.EXAMPLES} a run and "
        "direction, those with the most reasons."
    )
    table = pd.concat(examples)
    write_forms(
        table, SHIFT_EXAMPLES, layout.shift_examples(table, runs), caption, paths.examples[0]
    )
