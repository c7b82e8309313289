"""Ask one run all facts with every prompt."""

from pathlib import Path

from knowpack.job import Bar, job, say

with job(snakemake):
    from knowpack.asking import RESPONSES, ask
    from knowpack.engine import start_engine
    from knowpack.outlook import outlook
    from knowpack.prompts import Prompter, shots_by_prompt
    from knowpack.tables import read_metadata, read_table, write_table

    spec, files = snakemake.params.spec, snakemake.input
    model_name, run, suite = snakemake.wildcards
    say(outlook(Path(snakemake.output[0]).parents[3], f"ask {suite}:", model_name, run))
    adapter = Path(files.adapter).parent if "adapter" in files.keys() else None  # noqa: SIM118
    facts = read_table(files.facts, ["fact_id", "question"])
    count = int(read_metadata(files.shots)["prompts"])
    shots = shots_by_prompt(read_table(files.shots), count)
    engine = start_engine(Path(files.model).parent, adapter is not None, spec, snakemake.threads)
    if adapter:
        engine.use(adapter)
    prompter = Prompter(engine.tokenizer, spec["system"], spec["style"])
    responses, cost = ask(engine, prompter, facts, shots, spec, Bar)
    write_table(responses, snakemake.output[0], RESPONSES, cost)
    print(cost)
