"""Ask one run one suite: all facts, or the taught facts after every epoch but the last."""

from pathlib import Path

from knowpack.job import Bar, job, say

with job(snakemake.log[0]):
    from knowpack.asking import EPOCH_RESPONSES, RESPONSES, ask, ask_epochs, start_engine
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
    model = Path(files.model).parent
    engine = start_engine(model, adapter is not None, spec, snakemake.threads)
    prompter = Prompter(engine.tokenizer, spec["system"], spec["style"])
    if suite == "facts":
        if adapter:
            engine.use(adapter)
        responses, cost = ask(engine, prompter, facts, shots, spec, Bar)
        schema = RESPONSES
    else:
        rows = read_table(files.rows)
        taught = facts[facts.fact_id.isin(rows.fact_id[rows.role == "unknown"])]
        epochs = adapter.parent / "epochs"
        responses, cost = ask_epochs(engine, prompter, epochs, taught, shots, spec, Bar)
        schema = EPOCH_RESPONSES
    write_table(responses, snakemake.output[0], schema, cost)
    print(cost)
