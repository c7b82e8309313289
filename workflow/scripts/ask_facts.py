"""Ask one run all facts with every prompt."""

from pathlib import Path

from knowpack.job import Bar, job, say

with job(snakemake, keep=snakemake.output):
    from knowpack.asking import RESPONSES, ask
    from knowpack.engine import start_engine
    from knowpack.outlook import outlook
    from knowpack.prompts import Prompter, shots_by_prompt
    from knowpack.sums import check_sums
    from knowpack.tables import read_metadata, read_table, write_table

    spec, files = snakemake.params.spec, snakemake.input
    model_name, run, suite = snakemake.wildcards
    say(outlook(Path(snakemake.output[0]).parents[3], f"ask {suite}:", model_name, run))
    adapter = check_sums(files.adapter) if "adapter" in files.keys() else None  # noqa: SIM118
    facts = read_table(files.facts, ["fact_id", "question"])
    count = int(read_metadata(files.shots)["prompts"])
    shots = shots_by_prompt(read_table(files.shots), count)
    model, devices = Path(files.model).parent, snakemake.resources.devices
    adapted, memory = adapter is not None, snakemake.params.memory
    engine = start_engine(model, adapted, spec, snakemake.threads, devices, **memory)
    if adapter:
        engine.use(adapter)
    prompter = Prompter(engine.tokenizer, spec["system"], spec["style"])
    responses, cost = ask(engine, prompter, facts, shots, spec, Bar)
    write_table(responses, snakemake.output[0], RESPONSES, cost)
    print(cost)
