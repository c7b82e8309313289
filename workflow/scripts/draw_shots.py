"""Draw the few-shot examples of every prompt."""

from knowpack.job import job

with job(snakemake.log[0]):
    from knowpack.files import locate
    from knowpack.prompts import SHOTS, draw_shots, read_pool
    from knowpack.tables import read_table, write_table

    spec = snakemake.params.spec
    questions = read_table(snakemake.input.facts, ["question"]).question
    pool = read_pool(locate(spec["pool"]))
    shots = draw_shots(pool, list(questions), spec["count"], spec["shots"], spec["seed"])
    write_table(shots, snakemake.output[0], SHOTS, {"prompts": str(spec["count"])})
