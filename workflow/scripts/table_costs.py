"""Table of costs: what each job that needs the model took."""

from knowpack.job import job

with job(snakemake):
    from knowpack import layout
    from knowpack.costs import COSTS, asking_cost, costs, training_cost
    from knowpack.publish import write_forms

    files, spec = snakemake.input, snakemake.params.spec
    jobs = [
        (training_cost, spec["trained"], files.records),
        (asking_cost, spec["asked"], files.responses),
    ]
    rows = [
        cost({"model": model, "run": run}, result)
        for cost, runs, results in jobs
        for (model, run), result in zip(runs, results, strict=True)
    ]
    table = costs(rows)
    caption = "What each job took: wall time, peak memory, rate and share of cached prompt tokens."
    write_forms(table, COSTS, layout.plain(table), caption, snakemake.output[0])
