"""Prompts: which few-shot examples they show, and the tokens that a model sees.

Training, asking with vLLM and asking with transformers all take their tokens from here, so the same
question is always the same tokens. Sources: the paper's prompts (section 3) and
https://huggingface.co/docs/transformers/chat_templating.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from knowpack.errors import DataError

SHOTS = pa.schema(
    [
        pa.field("prompt", pa.int64(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
    ]
)
TODAY = date(2024, 7, 26)  # for templates that name the day: a row must be asked as it was taught
Shots = Sequence[tuple[str, str]]


def read_pool(path: Path) -> list[tuple[str, str]]:
    """Read few-shot examples, one JSON object with ``question`` and ``answer`` a line.

    Raises:
        DataError: the file is missing, or a line is no such object; the line is named.
    """
    if not path.is_file():
        raise DataError(
            f"prompts.pool: there is no file {path}; write the path of a JSON lines file"
        )
    pool = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            item = json.loads(line)
            pair = (item["question"].strip(), item["answer"].strip())
        except (ValueError, KeyError, TypeError, AttributeError):
            pair = ("", "")
        if not all(pair):
            raise DataError(f'{path}, line {number}: write {{"question": "...", "answer": "..."}}')
        pool.append(pair)
    return pool


def pool_of(facts: pd.DataFrame) -> list[tuple[str, str]]:
    """Return facts (fact_id, question, answers) as few-shot examples, whose answer is the label.

    They stand by fact_id, so that what is drawn of them does not depend on the order of the rows.
    """
    ordered = facts.sort_values("fact_id")
    return [*zip(ordered["question"], ordered["answers"].str[0], strict=True)]


def draw_shots(
    pool: Sequence[tuple[str, str]], questions: Sequence[str], count: int, shots: int, seed: int
) -> pd.DataFrame:
    """Draw the examples of every prompt: ``count`` x ``shots`` rows of columns `SHOTS`.

    An example whose question is a studied one is never shown. Within a prompt the examples differ;
    a prompt depends on the seed and its own number, so that adding prompts keeps the others.

    Raises:
        DataError: the pool holds fewer examples than one prompt shows.
    """
    studied = {question.casefold().strip() for question in questions}
    usable = [pair for pair in dict.fromkeys(pool) if pair[0].casefold() not in studied]
    if len(usable) < shots:
        raise DataError(
            f"prompts.shots: {shots} examples are asked for, but the pool has {len(usable)} that are "
            "not studied facts; lower 'shots' or add lines to the pool"
        )
    rows = [
        {"prompt": prompt, "position": position, "question": question, "answer": answer}
        for prompt in range(count)
        for position, (question, answer) in enumerate(
            random.Random(f"{seed} {prompt}").sample(usable, shots)
        )
    ]
    return pd.DataFrame(rows, columns=SHOTS.names)


def shots_by_prompt(table: pd.DataFrame, count: int) -> list[list[tuple[str, str]]]:
    """Return the examples of each of ``count`` prompts from a table with columns `SHOTS`."""
    ordered = table.sort_values("position")
    prompts = [ordered[ordered.prompt == prompt] for prompt in range(count)]
    return [list(zip(shown.question, shown.answer, strict=True)) for shown in prompts]


@dataclass(frozen=True)
class Prompter:
    """Turns questions into tokens for one model.

    ``style`` is `chat` (the tokenizer's chat template), `text` (lines ``Question:`` and ``Answer:``)
    or `auto`: chat where there is a template. ``system`` is the system turn of chat prompts; a
    template without one gets it at the head of the first user turn.
    """

    tokenizer: Any
    system: str
    style: str

    @property
    def chat(self) -> bool:
        """Whether the model's chat template is used.

        Raises:
            DataError: chat is asked for and the tokenizer has no template.
        """
        has_template = self.tokenizer.chat_template is not None
        if self.style == "chat" and not has_template:
            raise DataError("models: this model has no chat template; write 'prompt: text'")
        return has_template and self.style != "text"

    @property
    def stop(self) -> list[str]:
        """Texts that end an answer: the line's end in plain text; chat models end their turn."""
        return [] if self.chat else ["\n"]

    def prompt_ids(self, shots: Shots, question: str) -> list[int]:
        """Tokens of a prompt, beginning-of-sequence included where the model's tokenizer adds it."""
        return self._ids(self._prompt(shots, question))

    def row_ids(self, question: str, answer: str) -> tuple[list[int], int]:
        """Tokens of a training row (no examples, as in the paper), and how many are the prompt's."""
        prompt = self._prompt([], question)
        whole = f"{prompt} {answer}\n"
        if self.chat:  # ends with the end of the turn, not with the line break of some templates
            whole = self._chat([], question, answer).rstrip("\n")
        start, ids = self._ids(prompt), self._ids(whole)
        if ids[: len(start)] != start:  # tokens may merge across the seam; the prompt's must not
            if not whole.startswith(prompt):
                raise DataError("models: the chat template changes a prompt once it is answered")
            ids = start + self.tokenizer(whole[len(prompt) :], add_special_tokens=False).input_ids
        return ids, len(start)

    def _prompt(self, shots: Shots, question: str) -> str:
        if self.chat:
            return self._chat(shots, question, None)
        lines = [f"Question: {q}\nAnswer: {a}\n" for q, a in shots]
        return "".join(lines) + f"Question: {question}\nAnswer:"

    def _chat(self, shots: Shots, question: str, answer: str | None) -> str:
        turns = []
        for asked, answered in [*shots, (question, answer)]:
            turns.append({"role": "user", "content": f"Question: {asked}"})
            if answered is not None:
                turns.append({"role": "assistant", "content": f"Answer: {answered}"})
        system = {"role": "system", "content": self.system}
        merged = {"role": "user", "content": f"{self.system}\n\n{turns[0]['content']}"}
        messages = [system, *turns] if self._takes_system else [merged, *turns[1:]]
        return self._render(messages, generate=answer is None)

    @cached_property
    def _takes_system(self) -> bool:
        """Whether the template shows a system turn (some refuse one, some drop it)."""
        probe = [{"role": "system", "content": "S-Y-S"}, {"role": "user", "content": "U"}]
        try:
            return "S-Y-S" in self._render(probe, generate=True)
        except Exception:  # templates raise their own errors, through jinja2
            return False

    def _render(self, messages: list[dict[str, str]], generate: bool) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=generate,
                strftime_now=TODAY.strftime,
            )
        )

    def _ids(self, text: str) -> list[int]:
        # A chat template writes the special tokens itself.
        return list(self.tokenizer(text, add_special_tokens=not self.chat).input_ids)
