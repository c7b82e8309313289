"""Log-likelihoods of continuations, as lm-evaluation-harness asks for them.

A continuation's score is the sum of its tokens' log-probabilities. All continuations of one token
after the same context are one request; a longer one is a request that the engine is made to say,
with its context from the prefix cache where other choices had it. vLLM's `prompt_logprobs` would
compute whole-vocabulary log-probabilities at every position of context and choice, without the cache.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from knowpack.engine import CONTINUATION, Engine

Tokens = tuple[int, ...]
Pair = tuple[Tokens, Tokens]
Score = tuple[float, bool]


def score(engine: Engine, pairs: Sequence[Pair], bar: Any = False) -> list[Score]:
    """Return each pair's log-probability (natural), and whether greedy decoding would say it.

    It would where no other token is as probable at any of its places, but for the single tokens, where
    the engine chooses among equals.

    ``pairs`` are (context, continuation) as token ids; ``bar`` makes a tqdm bar.
    """
    from vllm import SamplingParams, TokensPrompt

    wanted = requests_of(pairs)
    plain: dict[str, Any] = {"temperature": 0.0, "detokenize": False}
    outputs = engine.llm.generate(
        [TokensPrompt(prompt_token_ids=list(context)) for context, _ in wanted],
        [
            SamplingParams(
                **plain,
                max_tokens=len(said),
                ignore_eos=True,
                logprobs=0,
                extra_args={CONTINUATION: said},
            )
            if said
            else SamplingParams(**plain, max_tokens=1, logprob_token_ids=tokens)
            for (_, said), tokens in wanted.items()
        ],
        use_tqdm=bar,
        lora_request=engine.lora,
    )
    scores: dict[Pair, Score] = {}
    for (context, said), output in zip(wanted, outputs, strict=True):
        answer: Any = output.outputs[0]
        steps = answer.logprobs
        if said:
            found = [step[token] for step, token in zip(steps, said, strict=True)]
            scores[context, said] = (
                sum(one.logprob for one in found),
                all(one.rank == 1 for one in found),
            )
        else:
            for token, one in steps[0].items():
                scores[context, (token,)] = one.logprob, token == answer.token_ids[0]
    return [scores[pair] if pair[1] else (0.0, True) for pair in pairs]


def requests_of(pairs: Iterable[Pair]) -> dict[Pair, list[int]]:
    """Return what the engine is asked, in the order of its first use.

    A key is a context and what is to be said after it; where that is nothing, the value has the
    tokens of which one follows, and is empty elsewhere. A continuation without tokens is not asked.
    """
    wanted: dict[Pair, dict[int, None]] = {}
    for context, continuation in pairs:
        if len(continuation) == 1:
            wanted.setdefault((context, ()), {})[continuation[0]] = None
        elif continuation:
            wanted[context, continuation] = {}
    return {pair: list(tokens) for pair, tokens in wanted.items()}
