"""Questions in, raw responses out: the only place where a model is asked (design, rule 1)."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from knowpack.engine import Engine, cost_of
from knowpack.errors import DataError
from knowpack.prompts import Prompter, Shots, shots_by_prompt
from knowpack.sums import check_sums
from knowpack.tables import read_metadata, read_table, write_table

RESPONSES = pa.schema(
    [
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("prompt", pa.int64(), nullable=False),
        pa.field("sample", pa.int64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)
EPOCH_RESPONSES = RESPONSES.insert(0, pa.field("epoch", pa.int64(), nullable=False))


def ask_facts(
    engine: Engine, files: Mapping[str, str], spec: Mapping[str, Any], output: Path, bar: Any
) -> dict[str, str]:
    """Ask one run all facts with every prompt; write the responses to ``output`` and return the cost.

    ``files`` has paths of facts, shots and, unless the model itself is asked, of an adapter's sums.
    """
    engine.use(Path(files["adapter"]).parent if "adapter" in files else None)
    facts = read_table(files["facts"], ["fact_id", "question"])
    prompter = Prompter(engine.tokenizer, spec["system"], spec["style"])
    responses, cost = ask(engine, prompter, facts, _shots(files["shots"]), spec, bar)
    write_table(responses, output, RESPONSES, cost)
    return cost


def ask_run_epochs(
    engine: Engine, files: Mapping[str, str], spec: Mapping[str, Any], output: Path, bar: Any
) -> dict[str, str]:
    """As `ask_facts`, of every epoch but the last and about the facts that the run was taught.

    ``files`` has the paths of the run's rows too.
    """
    facts = read_table(files["facts"], ["fact_id", "question"])
    rows = read_table(files["rows"], ["fact_id", "role"])
    taught = facts[facts.fact_id.isin(rows.fact_id[rows.role == "unknown"])]
    prompter = Prompter(engine.tokenizer, spec["system"], spec["style"])
    epochs = Path(files["adapter"]).parents[1] / "epochs"
    responses, cost = ask_epochs(
        engine, prompter, epochs, taught, _shots(files["shots"]), spec, bar
    )
    write_table(responses, output, EPOCH_RESPONSES, cost)
    return cost


def _shots(path: str) -> list[list[tuple[str, str]]]:
    return shots_by_prompt(read_table(path), int(read_metadata(path)["prompts"]))


def ask(
    engine: Engine,
    prompter: Prompter,
    facts: pd.DataFrame,
    shots: Sequence[Shots],
    spec: Mapping[str, Any],
    bar: Any,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Ask every fact with every prompt; return columns `RESPONSES`, and what it cost.

    ``facts`` has columns fact_id and question; ``shots`` holds each prompt's examples. Sample 0 is
    the greedy answer, 1 to ``spec["samples"]`` are drawn at ``spec["temperature"]``. The cost is
    that of `knowpack.engine.cost_of`.

    Raises:
        DataError: a prompt and its answer are longer than the engine's ``max_model_len``.
    """
    # Prompt by prompt, so that each prompt's examples are in the prefix cache while they are needed.
    asked = [
        (fact_id, prompt, prompter.prompt_ids(examples, question))
        for prompt, examples in enumerate(shots)
        for fact_id, question in zip(facts.fact_id, facts.question, strict=True)
    ]
    ids = [item[2] for item in asked]
    _check_lengths(ids, spec)
    common: dict[str, Any] = {"max_new_tokens": spec["max_new_tokens"], "stop": prompter.stop}
    start = time.monotonic()
    texts = engine.generate(ids, **common, bar=bar)
    if spec["samples"]:
        sampling = {key: spec[key] for key in ("samples", "temperature", "seed")}
        drawn = engine.generate(ids, **common, **sampling, bar=bar)
        texts = [greedy + others for greedy, others in zip(texts, drawn, strict=True)]
    seconds = time.monotonic() - start
    rows = [
        (fact_id, prompt, sample, text)
        for (fact_id, prompt, _), answers in zip(asked, texts, strict=True)
        for sample, text in enumerate(answers)
    ]
    return pd.DataFrame(rows, columns=RESPONSES.names), cost_of(engine, len(ids), seconds)


def ask_epochs(
    engine: Engine,
    prompter: Prompter,
    epochs: Path,
    facts: pd.DataFrame,
    shots: Sequence[Shots],
    spec: Mapping[str, Any],
    bar: Any,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Ask the adapter of every epoch but the last (the paper's Figure 2).

    ``epochs`` holds an adapter in each of the folders 1, 2, ... Returns columns `EPOCH_RESPONSES`,
    and the costs of `ask` over all epochs.

    Raises:
        DataError: an epoch's adapter is missing or damaged, or as `ask`.
    """
    numbers = range(1, spec["epochs"])
    for number in numbers:
        check_sums(epochs / str(number) / "SHA256SUMS", epochs.parent / "adapter/SHA256SUMS")
    frames, costs = [], []
    for number in numbers:
        engine.use(epochs / str(number))
        responses, cost = ask(engine, prompter, facts, shots, spec, bar)
        frames.append(responses.assign(epoch=number))
        costs.append(cost)
    prompts = sum(int(cost["prompts"]) for cost in costs)
    seconds = sum(float(cost["seconds"]) for cost in costs)
    return pd.concat(frames)[EPOCH_RESPONSES.names], cost_of(engine, prompts, seconds)


def _check_lengths(prompts: Sequence[Sequence[int]], spec: Mapping[str, Any]) -> None:
    longest = max(map(len, prompts), default=0) + spec["max_new_tokens"]
    if longest > spec["engine"]["max_model_len"]:
        raise DataError(
            f"engine.max_model_len: the longest prompt and its answer take {longest} tokens, "
            f"more than {spec['engine']['max_model_len']}; raise it or lower prompts.shots"
        )
