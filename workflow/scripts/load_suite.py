"""Load a suite's tasks once, so that what is wrong with one shows before anything is trained."""

from knowpack.job import job, say

with job(snakemake):
    import json

    from knowpack.tables import write_text
    from knowpack.tasks import load

    loaded = {benchmark.name: benchmark.questions for benchmark in load(snakemake.params.spec)}
    write_text(json.dumps(loaded, indent=1), snakemake.output[0])
    say(", ".join(f"{name}: {count:,} questions" for name, count in loaded.items()))
