"""Requests of lm-eval answered by an engine; the engine is a stand-in that says what is tested."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from benchmark_files import GENERATE, ROWS, loaded, write_task
from transformers import AutoTokenizer

from knowpack import harness
from knowpack.errors import DataError
from knowpack.harness import BENCHMARK_RESPONSES, ask_suite
from knowpack.tables import read_table, write_table
from knowpack.tasks import Benchmark

SAMPLED = {"do_sample": True, "temperature": 0.5, "max_gen_toks": 5, "until": ["\n", "Q"]}


class Asked(SimpleNamespace):
    """An engine that remembers what it was asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            tokenizer=AutoTokenizer.from_pretrained(folder), device="cpu", dtype="float32"
        )
        self.pairs: list[tuple[str, str]] = []
        self.calls: list[dict[str, Any]] = []

    def cache_hit_rate(self) -> float:
        return 0.25

    def score(self, pairs: list[Any], bar: Any) -> list[tuple[float, bool]]:
        """A token has -1; greedy is what begins with a."""
        texts = [tuple(map(self.tokenizer.decode, pair)) for pair in pairs]
        self.pairs += texts
        both = zip(pairs, texts, strict=True)
        return [(-float(len(end)), text[1].strip() < "b") for (_, end), text in both]

    def generate(self, prompts: list[list[int]], **options: Any) -> list[list[str]]:
        texts = [self.tokenizer.decode(prompt) for prompt in prompts]
        self.calls.append({"prompts": texts, **options})
        return [[f"{text[-3:]} {options['seed']}"] for text in texts]


@pytest.fixture
def engine(text_model: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setattr(harness, "score", lambda asked, pairs, bar: asked.score(pairs, bar))
    return Asked(text_model)


@pytest.fixture
def chat_engine(engine: Asked, chat_model: Path) -> Asked:
    return Asked(chat_model)


def ask(engine: Asked, suite: list[Benchmark], longest: int = 999) -> pd.DataFrame:
    return ask_suite(engine, suite, longest, False)[0]


def rows(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(frame[list(columns)].itertuples(index=False, name=None))


def test_choices_are_scored_after_their_question(engine: Asked, tmp_path: Path):
    found = ask(engine, loaded(write_task(tmp_path, "quiz"), limit=2))
    assert engine.pairs == [
        ("<bos>Q0?", " a"),
        ("<bos>Q0?", " bb"),
        ("<bos>Q1?", " a"),
        ("<bos>Q1?", " bb"),
    ]
    assert rows(found, "task", "question", "request", "repeat", "logprob", "greedy", "text") == [
        ("quiz", 0, 0, 0, -2.0, True, None),
        ("quiz", 0, 1, 0, -3.0, False, None),
        ("quiz", 1, 0, 0, -2.0, True, None),
        ("quiz", 1, 1, 0, -3.0, False, None),
    ]


def test_a_target_is_scored(engine: Asked, tmp_path: Path):
    keys = {**GENERATE, "output_type": "loglikelihood", "metric_list": [{"metric": "perplexity"}]}
    found = ask(engine, loaded(write_task(tmp_path, "cloze", **keys), limit=2))
    assert rows(found, "request", "logprob", "greedy") == [(0, -1.0, True), (0, -2.0, False)]
    bare = {**keys, "doc_to_text": "", "target_delimiter": ""}
    ask(engine, loaded(write_task(tmp_path, "bare", **bare), limit=1))
    assert engine.pairs[-1] == ("<bos>", "a")


def test_answers_are_generated_up_to_a_stop_text(engine: Asked, tmp_path: Path):
    greedy = {"until": ["\n", ""], "max_gen_toks": 5}
    path = write_task(tmp_path, "write", **GENERATE, generation_kwargs=greedy)
    found = ask(engine, loaded(path, limit=2))
    assert rows(found, "question", "text", "logprob", "greedy") == [
        (0, "Q0? 0", None, None),
        (1, "Q1? 0", None, None),
    ]
    assert engine.calls == [
        {"prompts": ["<bos>Q0?", "<bos>Q1?"], "max_new_tokens": 5, "stop": ["\n"], "samples": 0}
        | {"temperature": 0.0, "seed": 0, "bar": False}
    ]


def test_sampled_answers_to_a_prompt_have_a_seed_each(engine: Asked, tmp_path: Path):
    path = write_task(tmp_path, "write", **GENERATE, generation_kwargs=SAMPLED, repeats=3)
    found = ask(engine, loaded(path, limit=2))
    assert rows(found, "question", "repeat", "text") == [
        (question, repeat, f"Q{question}? {repeat}") for question in (0, 1) for repeat in (0, 1, 2)
    ]
    asked = [(call["seed"], call["samples"], call["temperature"]) for call in engine.calls]
    assert asked == [(0, 1, 0.5), (1, 1, 0.5), (2, 1, 0.5)]


@pytest.mark.parametrize(("size", "windows"), [(9, 1), (10, 2), (25, 3)])
def test_a_long_text_is_scored_in_windows(engine: Asked, tmp_path: Path, size: int, windows: int):
    keys = {**GENERATE, "output_type": "loglikelihood_rolling", "doc_to_text": ""}
    keys |= {"doc_to_target": "{{question}}", "metric_list": [{"metric": "byte_perplexity"}]}
    text = "abcdefghijklmnopqrstuvwxyz"[:size]
    path = write_task(tmp_path, "text", [{"question": text}], **keys)
    found = ask(engine, loaded(path), longest=10)
    assert rows(found, "logprob", "greedy", "text") == [(-float(size), None, None)]
    assert len(engine.pairs) == windows
    assert engine.pairs[0][0] == "<bos>"
    assert "".join(end for _, end in engine.pairs) == text
    lengths = [len(context.replace("<bos>", "0") + end) for context, end in engine.pairs]
    assert max(lengths) <= 10


@pytest.mark.parametrize(("keys", "needed"), [({}, 7), ({**GENERATE, "repeats": 2}, 4 + 256)])
def test_a_prompt_that_is_too_long(engine: Asked, tmp_path: Path, keys: Any, needed: int):
    suite = loaded(write_task(tmp_path, "quiz", **keys))
    ask(engine, suite, longest=needed)
    with pytest.raises(DataError) as caught:
        ask(engine, suite, longest=needed - 1)
    assert str(caught.value) == (
        f"engine.max_model_len: the longest prompt and its answer take {needed} tokens, more than "
        f"{needed - 1}; raise it, or lower the suite's `shots`"
    )


def test_a_chat_model_is_asked_in_its_own_form(chat_engine: Asked, tmp_path: Path):
    path = write_task(tmp_path, "quiz", ROWS[:2], description="Choose.")
    ask(chat_engine, loaded(path, chat=True, shots=1))
    context, end = chat_engine.pairs[0]
    assert context == (
        "<bos><|system|>Choose.<eot><|user|>Q1?<eot><|assistant|>bb<eot>"
        "<|user|>Q0?<eot><|assistant|>"
    )
    assert end.strip() == "a"


def test_a_model_without_a_chat_template(engine: Asked, tmp_path: Path):
    with pytest.raises(DataError) as caught:
        ask(engine, loaded(write_task(tmp_path, "quiz"), chat=True))
    assert str(caught.value) == "suites: this model has no chat template; leave out `chat`"


def test_a_suite_is_one_table_with_what_it_cost(engine: Asked, tmp_path: Path):
    suite = loaded(write_task(tmp_path, "quiz"), write_task(tmp_path, "write", **GENERATE))
    found, cost = ask_suite(engine, suite, 999, False)
    assert found.groupby("task").size().to_dict() == {"quiz": 8, "write": 4}
    path = tmp_path / "responses.parquet"
    write_table(found, path, BENCHMARK_RESPONSES, cost)
    again = read_table(path)
    assert again.text.isna().tolist() == [True] * 8 + [False] * 4
    assert again.logprob.isna().tolist() == again.greedy.isna().tolist() == [False] * 8 + [True] * 4
    names = {"prompts", "seconds", "prompts_per_second", "cache_hit_rate", "device", "dtype"}
    assert cost.keys() == names | {"job_seconds", "peak_memory_mb"}
    assert (cost["prompts"], cost["cache_hit_rate"], cost["device"]) == ("12", "0.250", "cpu")
    assert math.isfinite(float(cost["prompts_per_second"]))
