"""Tables of capacity, frontier and levers: how many facts fit, and with which recipe."""

from knowpack.job import job

with job(snakemake):
    import pandas as pd

    from knowpack import answer_layout
    from knowpack.capacity import CAPACITY, capacity
    from knowpack.frontier import FRONTIER, frontier
    from knowpack.levers import LEVERS, levers
    from knowpack.measured_study import measured_study
    from knowpack.publish import write_forms
    from knowpack.tables import read_table

    files, spec, paths = snakemake.input, snakemake.params.spec, snakemake.output
    runs = read_table(files.runs)
    study, left_out = measured_study(runs, files, spec["asked"])
    targets, budgets, otherwise = spec["targets"], spec["budgets"], spec["generalization"]
    tables = [
        [capacity(model, targets, budgets, otherwise) for model in study],
        [frontier(model, targets[0], budgets[0], otherwise) for model in study],
        [levers(model, spec["training"]) for model in study],
    ]
    tables = [pd.concat(parts, ignore_index=True) for parts in tables]
    asked = dict.fromkeys(one.name for model in study for one in model.measures if one.task)
    printed = answer_layout.printed(*tables, runs, list(asked), left_out)
    places = [paths.capacity[0], paths.frontier[0], paths.levers[0]]
    parts = zip(tables, [CAPACITY, FRONTIER, LEVERS], printed, places, strict=True)
    for table, schema, (frame, caption), path in parts:
        write_forms(table, schema, frame, caption, path)
