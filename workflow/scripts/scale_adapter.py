"""Scale the adapter of another run; run.json, written last, says that it is whole."""

import json
from pathlib import Path

from knowpack.job import job

with job(snakemake):
    from knowpack.scaling import scale
    from knowpack.sums import check_sums, write_sums
    from knowpack.tables import write_text

    made, spec = snakemake.output, snakemake.params.spec
    adapter = check_sums(snakemake.input.sums)
    record = scale(adapter, spec["strength"], Path(made.record).parent)
    write_sums([made.config, made.weights], made.sums)
    write_text(json.dumps({**record, "run": snakemake.wildcards.run}, indent=1), made.record)
