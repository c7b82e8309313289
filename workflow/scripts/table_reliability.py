"""Table of reliability: how much of what it was taught each adapter knows (Table 2)."""

from knowpack.job import job

with job(snakemake):
    import json
    from pathlib import Path

    import pandas as pd

    from knowpack import captions, layout
    from knowpack.publish import write_forms
    from knowpack.reliability import RELIABILITY, reliability
    from knowpack.tables import read_table

    files, spec = snakemake.input, snakemake.params.spec
    runs = read_table(files.runs)
    asked, stopped = (map(tuple, spec.get(runs_of, [])) for runs_of in ("dynamics", "stopped"))
    dynamics = dict(zip(asked, files.dynamics, strict=True))
    records = dict(zip(stopped, files.stopped, strict=True))
    parts = []
    for run, rows, labels in zip(runs.to_dict("records"), files.rows, files.labels, strict=True):
        path = dynamics.get((run["model"], run["run"]))
        epochs = read_table(path) if path else None
        if record := records.get((run["model"], run["run"])):
            run["epochs"] = json.loads(Path(record).read_text(encoding="utf-8"))["best_epoch"]
        parts.append(reliability(run, read_table(rows), read_table(labels), epochs))
    table = pd.concat(parts)
    caption = (
        "Reliability after the final epoch: mean share of right answers (P_correct) over the taught "
        f"unknown facts. {captions.asked(spec['prompts'])} {captions.over_seeds(runs['seed'])}"
    )
    write_forms(table, RELIABILITY, layout.reliability(table, runs), caption, snakemake.output[0])
