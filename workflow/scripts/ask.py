"""Ask one run one suite: all facts, or the taught facts after every epoch but the last."""

from pathlib import Path

from knowpack.job import Bar, job

with job(snakemake.log[0]):
    from transformers import AutoTokenizer

    from knowpack.asking import EPOCH_RESPONSES, RESPONSES, ask, ask_epochs, served
    from knowpack.prompts import Prompter, shots_by_prompt
    from knowpack.tables import read_metadata, read_table, write_table

    spec = snakemake.params.spec
    model = Path(snakemake.input.model).parent
    tokenizer = AutoTokenizer.from_pretrained(model)
    prompter = Prompter(tokenizer, spec["system"], spec["style"])
    count = int(read_metadata(snakemake.input.shots)["prompts"])
    shots = shots_by_prompt(read_table(snakemake.input.shots), count)
    facts = read_table(snakemake.input.facts, ["fact_id", "question"])
    threads, output = snakemake.threads, snakemake.output[0]
    if snakemake.wildcards.suite == "facts":
        adapter = snakemake.input.get("adapter")
        folder = Path(adapter).parent if adapter else None
        with served(model, folder, spec, threads) as engine:
            responses, cost = ask(engine, prompter, facts, shots, spec, Bar)
        write_table(responses, output, RESPONSES, cost)
    else:
        rows = read_table(snakemake.input.rows)
        taught = facts[facts.fact_id.isin(rows.fact_id[rows.role == "unknown"])]
        epochs = Path(snakemake.input.adapter).parents[1] / "epochs"
        responses, cost = ask_epochs(model, epochs, prompter, taught, shots, spec, threads, Bar)
        write_table(responses, output, EPOCH_RESPONSES, cost)
    print(cost)
