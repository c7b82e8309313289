"""Score one run's answers to the taught facts asked otherwise."""

from knowpack.job import job

with job(snakemake):
    from knowpack.reworded_labels import REWORDED_LABELS, label_rewordings
    from knowpack.tables import read_table, write_table

    files = snakemake.input
    asked = read_table(files.rewordings)
    path = files.get("rows")
    if path:
        rows = read_table(path, ["fact_id", "role"])
        asked = asked[asked.fact_id.isin(rows.fact_id[rows.role == "unknown"])]
    labels = label_rewordings(
        read_table(files.responses),
        asked,
        read_table(files.as_taught, ["fact_id", "prompt", "sample", "text"]),
        read_table(files.facts, ["fact_id", "answers"]),
        snakemake.params.spec["match"],
    )
    write_table(labels, snakemake.output[0], REWORDED_LABELS)
