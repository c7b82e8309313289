"""Draw the few-shot examples of every prompt."""

from knowpack.job import job

with job(snakemake):
    from knowpack.files import locate
    from knowpack.prompts import SHOTS, draw_shots, pool_of, read_pool
    from knowpack.tables import read_table, write_table

    spec, files = snakemake.params.spec, snakemake.input
    questions = read_table(files.facts, ["question"]).question
    path = files.get("pool")
    if path:
        pool = pool_of(read_table(path, ["fact_id", "question", "answers"]))
    else:
        pool = read_pool(locate(spec["pool"]))
    shots = draw_shots(pool, list(questions), spec["count"], spec["shots"], spec["seed"])
    write_table(shots, snakemake.output[0], SHOTS, {"prompts": str(spec["count"])})
