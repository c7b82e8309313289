"""A stand-in for vLLM that answers from a file, so that the workflow itself can be run in seconds.

Only the tests of the DAG put it on PYTHONPATH. What it answers says nothing of a model: the study
test runs the real engine. KNOWPACK_FAKE_ANSWERS names a JSON object of questions and answers. By a
hash of the question a third is known always, a third in some prompts, a third never; an adapter
teaches some of those, and takes others away, by a hash of its weights. Told to "Reword it N times",
it writes a list of N wordings. The log-probabilities that it is asked for are a hash of prompt and
weights.
"""

import atexit
import hashlib
import json
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from transformers import AutoTokenizer


@dataclass
class SamplingParams:
    """As many of vLLM's as Knowpack gives."""

    n: int = 1
    temperature: float = 0.0
    max_tokens: int = 16
    stop: list[str] = field(default_factory=list)
    seed: int | None = None
    logprob_token_ids: list[int] | None = None
    detokenize: bool = True
    ignore_eos: bool = False
    logprobs: int | None = None
    extra_args: dict[str, Any] | None = None


TokensPrompt = dict


class LLM:
    """Answers prompts of token ids."""

    def __init__(self, model: str, tensor_parallel_size: int = 1, **_: Any) -> None:
        _record_devices(tensor_parallel_size)
        self._tokenizer = AutoTokenizer.from_pretrained(model)
        self._answers = json.loads(Path(os.environ["KNOWPACK_FAKE_ANSWERS"]).read_text())
        self._weights = ""
        self._asked = 0

    def get_tokenizer(self) -> Any:
        return self._tokenizer

    def collective_rpc(self, method: str, kwargs: dict[str, str]) -> None:
        assert method == "reload_weights"
        self._weights = _digest(Path(kwargs["weights_path"]))

    def reset_prefix_cache(self) -> None:
        pass

    def get_metrics(self) -> list[Any]:
        return [
            SimpleNamespace(name="vllm:prefix_cache_queries", value=4 * self._asked),
            SimpleNamespace(name="vllm:prefix_cache_hits", value=3 * self._asked),
        ]

    def generate(
        self,
        prompts: list[dict[str, list[int]]],
        parameters: SamplingParams | list[SamplingParams],
        use_tqdm: Any = False,
        lora_request: Any = None,
    ) -> list[Any]:
        weights = _digest(Path(lora_request.lora_path)) if lora_request else self._weights
        outputs = []
        time.sleep(0.01)  # no engine takes no time
        if isinstance(parameters, SamplingParams):
            parameters = [parameters] * len(prompts)
        for prompt, wanted in zip(prompts, parameters, strict=True):
            text = self._tokenizer.decode(prompt["prompt_token_ids"])
            self._asked += len(prompt["prompt_token_ids"])
            if wanted.logprob_token_ids:
                outputs.append(self._next(text, weights, wanted.logprob_token_ids))
                continue
            if wanted.extra_args:
                outputs.append(self._said(text, weights, wanted.extra_args["continuation"]))
                continue
            answers = [self._answer(text, weights, sample) for sample in range(wanted.n)]
            texts = [SimpleNamespace(text=answer) for answer in answers]
            outputs.append(SimpleNamespace(outputs=texts))
        return outputs

    def _said(self, text: str, weights: str, tokens: list[int]) -> Any:
        steps = []
        for at, token in enumerate(tokens):
            before = text + self._tokenizer.decode(tokens[:at])
            (answer,) = self._next(before, weights, [token]).outputs
            (found,) = answer.logprobs
            rank = 1 if answer.token_ids[0] == token else 2
            steps.append({token: SimpleNamespace(logprob=found[token].logprob, rank=rank)})
        return SimpleNamespace(outputs=[SimpleNamespace(logprobs=steps, token_ids=tokens)])

    def _next(self, prompt: str, weights: str, tokens: list[int]) -> Any:
        logprobs = {token: -_hash(prompt, weights, str(token)) / 32 for token in tokens}
        found = {token: SimpleNamespace(logprob=logprob) for token, logprob in logprobs.items()}
        best = max(tokens, key=lambda token: logprobs[token])
        return SimpleNamespace(outputs=[SimpleNamespace(logprobs=[found], token_ids=[best])])

    def _answer(self, prompt: str, weights: str, sample: int) -> str:
        question = prompt.rpartition("Question: ")[2].partition("\n")[0].partition("<")[0]
        if times := re.search(r"Reword it (\d+) times", prompt):
            return "".join(
                f"{n}. Once more ({n}): {question}\n" for n in range(1, int(times[1]) + 1)
            )
        known = _hash(question) % 3
        if weights and _hash(question, weights) % 2:
            known = _hash(weights, question) % 3
        right = known == 0 or known == 1 and _hash(prompt, str(sample)) % 2
        return f"Answer: {self._answers[question]}" if right else "Answer: I don't know."


def _record_devices(count: int) -> None:
    """Leave a file that says which GPUs an engine had and when; wait for others where told to."""
    if "KNOWPACK_FAKE_DEVICES" not in os.environ:
        return
    folder = Path(os.environ["KNOWPACK_FAKE_DEVICES"])
    seen = {"visible": os.environ["CUDA_VISIBLE_DEVICES"], "count": count, "start": time.time()}
    file = folder / f"{os.getpid()}.json"
    file.write_text(json.dumps(seen))
    atexit.register(lambda: file.write_text(json.dumps({**seen, "end": time.time()})))
    company, deadline = int(os.environ["KNOWPACK_FAKE_COMPANY"]), time.time() + 60
    while len(list(folder.glob("*.json"))) < company and time.time() < deadline:
        time.sleep(0.05)


def _hash(*texts: str) -> int:
    return hashlib.sha256("\x1f".join(texts).encode()).digest()[0]


def _digest(folder: Path) -> str:
    weights = b"".join(file.read_bytes() for file in sorted(folder.glob("*.safetensors")))
    return hashlib.sha256(weights).hexdigest()
