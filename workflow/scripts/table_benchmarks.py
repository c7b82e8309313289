"""Table of benchmarks: what each run and the model itself score (Tables 7 and 8)."""

from knowpack.job import job

with job(snakemake):
    from knowpack import captions, layout
    from knowpack.benchmark_names import in_print
    from knowpack.benchmark_table import BENCHMARKS, benchmark_table
    from knowpack.publish import write_forms
    from knowpack.tables import read_table

    files = snakemake.input
    runs = read_table(files.runs)
    asked = zip(snakemake.params.spec["asked"], files.scores, strict=True)
    table = benchmark_table(runs, [(*names, read_table(path)) for names, path in asked])
    shown = in_print(table)
    caption = captions.of_benchmarks(shown, runs)
    write_forms(table, BENCHMARKS, layout.benchmarks(shown, runs), caption, snakemake.output[0])
