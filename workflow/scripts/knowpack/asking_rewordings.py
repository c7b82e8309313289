"""The taught facts asked otherwise, of one run: the suite `generalization`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from knowpack.asking import ask
from knowpack.engine import Engine
from knowpack.prompts import Prompter, shots_by_prompt
from knowpack.tables import read_table, write_table

REWORDED = pa.schema(
    [
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("wording", pa.int64(), nullable=False),
        pa.field("prompt", pa.int64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)


def ask_rewordings(
    engine: Engine, files: Mapping[str, str], spec: Mapping[str, Any], output: Path, bar: Any
) -> dict[str, str]:
    """Ask one run its taught facts otherwise, greedily; write columns `REWORDED`, return the cost.

    ``files`` has paths of rewordings and shots and, unless the model itself is asked, of an
    adapter's sums and of the run's rows: of these the taught facts are asked; of the model, all.
    ``spec`` has what `knowpack.asking.ask` takes but samples, and prompts: how many, from the first.
    """
    engine.use(Path(files["adapter"]).parent if "adapter" in files else None)
    asked = read_table(files["rewordings"])
    if "rows" in files:
        rows = read_table(files["rows"], ["fact_id", "role"])
        asked = asked[asked.fact_id.isin(rows.fact_id[rows.role == "unknown"])]
    asked = asked.reset_index(drop=True)
    prompter = Prompter(engine.tokenizer, spec["system"], spec["style"])
    shots = shots_by_prompt(read_table(files["shots"]), spec["prompts"])
    numbered = asked.assign(fact_id=asked.index)
    responses, cost = ask(engine, prompter, numbered, shots, {**spec, "samples": 0}, bar)
    of_question = asked.loc[responses.fact_id, ["fact_id", "kind", "wording"]].reset_index(
        drop=True
    )
    answers = of_question.assign(prompt=responses.prompt, text=responses.text)
    write_table(answers, output, REWORDED, cost)
    return cost
