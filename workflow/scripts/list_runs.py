"""Write the run table."""

from knowpack.job import job

with job(snakemake):
    import pandas as pd

    from knowpack.runtable import RUNS
    from knowpack.tables import write_table

    write_table(pd.DataFrame(snakemake.params.spec), snakemake.output[0], RUNS)
