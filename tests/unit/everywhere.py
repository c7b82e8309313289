"""Makes a study's facts, prompts and rows in this very process, and prints digests of all of them.

    python everywhere.py <a model's folder> <threads> <an empty folder> <order of files in folders>

`content` does not depend on versions of parquet and the like; `bytes` are of whole files.
"""

import bz2
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from knowpack.models import materialise
from knowpack.paraphrases_by_templates import from_templates
from knowpack.pools import pools
from knowpack.prompts import Prompter, draw_shots, read_pool, shots_by_prompt
from knowpack.selection import ROWS, select_rows
from knowpack.sources import make_facts
from knowpack.tables import write_table
from knowpack.templates import load_templates

ROOT = Path(__file__).parents[2]
RESOURCES = ROOT / "resources"
PROMPTS = 5
CONDITIONS = [("none", 0), ("highly_known", 2), ("paraphrase", 3)]
WORLD = {"source": "world", "size": 2000, "seed": 42, "templates": ["resources/relations.yaml"]}


def digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=np.ndarray.tolist)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def content(frame: pd.DataFrame) -> str:
    """Digest of a table's columns and rows in their order; a null is a null."""
    cells = frame.astype(object).where(frame.notna(), None)
    return digest([list(frame), *cells.to_numpy().tolist()])


def order_files(backwards: bool) -> None:
    """Let folders list their files from A to Z, or from Z to A."""
    scandir, listdir = os.scandir, os.listdir

    class Sorted(list):
        __enter__ = lambda self: self  # noqa: E731
        __exit__ = lambda self, *_: None  # noqa: E731

    def scanned(path: Any = ".") -> Any:
        with scandir(path) as entries:
            return Sorted(sorted(entries, key=lambda entry: entry.name, reverse=backwards))

    os.scandir = scanned  # type: ignore[assignment]
    os.listdir = lambda path=".": sorted(listdir(path), reverse=backwards)  # type: ignore[assignment]


def dump(path: Path) -> dict[str, Any]:
    """A dump of 7,500 triples, and the source of facts that reads it."""
    place, relations = "http://dbpedia.org", ("capital", "author", "genre", "country")
    links = [
        (f"Thing_{number}", relations[number % 4], f"Place_{number * 7919 % 1009}")
        for number in range(2000)
    ]
    readers = [40] + [5] * 3 + [0] * 16  # of twenty things: head, torso and tail
    links += [
        (f"Reader_{number}_{reader}", "friend", f"Thing_{number}")
        for number in range(2000)
        for reader in range(readers[number // 4 % 20])
    ]
    lines = [
        f"<{place}/resource/{one}> <{place}/ontology/{relation}> <{place}/resource/{other}> ."
        for one, relation, other in links
    ]
    path.write_bytes(bz2.compress("\n".join(lines).encode()))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "source": "dbpedia",
        "path": str(path),
        "sha256": sha256,
        "language": "en",
        "cap": 30,
        "seed": 42,
        "max_malformed": 0.5,
        "templates": ["resources/dbpedia.yaml"],
    }


def responses(facts: pd.DataFrame) -> pd.DataFrame:
    """Answers of a model that knows a third of the facts, and of another third some prompts."""

    def text(fact: str, answers: list[str], prompt: int) -> str:
        number = hashlib.sha256(fact.encode()).digest()[0] % 3
        return answers[0] if number == 0 or number == 1 and prompt % 2 else "I do not know."

    rows = [
        (fact, prompt, 0, text(fact, answers, prompt))
        for fact, answers in zip(facts.fact_id, facts.answers, strict=True)
        for prompt in range(PROMPTS)
    ]
    return pd.DataFrame(rows, columns=["fact_id", "prompt", "sample", "text"])


def main(model: str, threads: int, folder: Path, order: str) -> dict[str, dict[str, str]]:
    order_files(order == "backwards")
    found: dict[str, str] = {}
    whole: dict[str, str] = {}
    from_dump, _ = make_facts(dump(folder / "dump.ttl.bz2"), None, threads, None)
    found["facts of a dump"] = content(from_dump)
    facts, _ = make_facts(WORLD, None, threads, None)
    found["facts"] = content(facts)
    shots = draw_shots(read_pool(RESOURCES / "shots.jsonl"), list(facts.question), PROMPTS, 4, 42)
    found["shots"] = content(shots)
    known = pools(responses(facts), facts)
    found["pools"] = content(known)
    paraphrases = from_templates(facts, load_templates([RESOURCES / "relations.yaml"]))

    from transformers import AutoTokenizer

    prompter = Prompter(AutoTokenizer.from_pretrained(model), "Answer the question.", "auto")
    ids = [
        prompter.prompt_ids(examples, question)
        for examples in shots_by_prompt(shots, PROMPTS)
        for question in facts.question[:40]
    ]
    found["prompts"] = digest(ids)
    for extra, per_unknown in CONDITIONS:
        settings = {"unknown": 100, "per_unknown": per_unknown, "seed": 1337, "facts_seed": 42}
        rows = select_rows(facts, known, paraphrases, None, extra=extra, **settings)
        found[f"rows with {extra}"] = content(rows)
        pairs = zip(rows.question, rows.answer, strict=True)
        found[f"tokens of {extra}"] = digest([prompter.row_ids(*pair) for pair in pairs])
        path = folder / f"{extra}.parquet"
        write_table(rows, path, ROWS)
        whole[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    materialise({"source": "folder", "path": model}, folder / "model")
    files = json.loads((folder / "model/model.json").read_text(encoding="utf-8"))["files"]
    whole["model.json"] = digest(files)
    return {"content": found, "bytes": whole}


if __name__ == "__main__":
    made = main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    print(json.dumps(made))
