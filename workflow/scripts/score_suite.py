"""Score one run's answers to a suite of benchmarks."""

from knowpack.job import job

with job(snakemake):
    from knowpack.benchmarks import RESULTS, SCORES, score_suite
    from knowpack.tables import read_table, write_table
    from knowpack.tasks import load

    responses = read_table(snakemake.input.responses)
    scores, results = score_suite(responses, load(snakemake.params.spec))
    write_table(scores, snakemake.output.questions, SCORES)
    write_table(results, snakemake.output.scores, RESULTS)
