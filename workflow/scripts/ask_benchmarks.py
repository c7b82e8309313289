"""Ask one run a suite of benchmarks."""

import os
from pathlib import Path

from knowpack.job import Bar, job, say

with job(snakemake, keep=snakemake.output):
    # Loading data imports torch, which reads this once.
    os.environ.setdefault("OMP_NUM_THREADS", str(snakemake.threads))
    from knowpack.engine import start_engine
    from knowpack.harness import BENCHMARK_RESPONSES, ask_suite
    from knowpack.outlook import outlook
    from knowpack.sums import check_sums
    from knowpack.tables import write_table
    from knowpack.tasks import load

    spec, files = snakemake.params.spec, snakemake.input
    model_name, run, suite = snakemake.wildcards
    say(outlook(Path(snakemake.output[0]).parents[3], f"ask {suite}:", model_name, run))
    adapter = check_sums(files.adapter) if "adapter" in files.keys() else None  # noqa: SIM118
    benchmarks = load(spec["suite"])  # before the engine starts, which goes offline
    model, devices = Path(files.model).parent, snakemake.resources.devices
    adapted, memory = adapter is not None, snakemake.params.memory
    engine = start_engine(model, adapted, spec, snakemake.threads, devices, **memory)
    if adapter:
        engine.use(adapter)
    longest = spec["engine"]["max_model_len"]
    responses, cost = ask_suite(engine, benchmarks, longest, Bar)
    write_table(responses, snakemake.output[0], BENCHMARK_RESPONSES, cost)
    print(cost)
