"""Ask the adapter of every epoch but the last about the facts that the run was taught."""

from pathlib import Path

from knowpack.job import Bar, job, say

with job(snakemake, keep=snakemake.output):
    from knowpack.asking import EPOCH_RESPONSES, ask_epochs
    from knowpack.engine import start_engine
    from knowpack.outlook import outlook
    from knowpack.prompts import Prompter, shots_by_prompt
    from knowpack.tables import read_metadata, read_table, write_table

    spec, files = snakemake.params.spec, snakemake.input
    model_name, run, suite = snakemake.wildcards
    say(outlook(Path(snakemake.output[0]).parents[3], f"ask {suite}:", model_name, run))
    facts = read_table(files.facts, ["fact_id", "question"])
    rows = read_table(files.rows, ["fact_id", "role"])
    taught = facts[facts.fact_id.isin(rows.fact_id[rows.role == "unknown"])]
    count = int(read_metadata(files.shots)["prompts"])
    shots = shots_by_prompt(read_table(files.shots), count)
    model, devices = Path(files.model).parent, snakemake.resources.devices
    memory = snakemake.params.memory
    engine = start_engine(model, True, spec, snakemake.threads, devices, **memory)
    prompter = Prompter(engine.tokenizer, spec["system"], spec["style"])
    epochs = Path(files.adapter).parents[1] / "epochs"
    responses, cost = ask_epochs(engine, prompter, epochs, taught, shots, spec, Bar)
    write_table(responses, snakemake.output[0], EPOCH_RESPONSES, cost)
    print(cost)
