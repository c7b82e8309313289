"""Text generation with vLLM, set up for the machine at hand.

The CPU settings were measured with Gemma 3 270M on 2 cores. vLLM's own
pages are https://docs.vllm.ai/en/latest/api/ and its CPU installation guide.
"""

import ctypes
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

from knowpack.errors import ConfigError
from knowpack.usage import usage

Tokens = Sequence[int]
# In SamplingParams.extra_args: the tokens that `knowpack.continuations` makes a request say.
CONTINUATION = "continuation"


class Engine:
    """One living vLLM engine on one model folder."""

    def __init__(
        self,
        model: Path,
        threads: int,
        adapter: str | None = None,
        rank: int = 1,
        devices: int = 1,
        **options: Any,
    ) -> None:
        """Start vLLM on the folder ``model``.

        ``options`` are the configuration's section `engine`; ``adapter`` is how adapters, of up to
        ``rank``, will be served: `lora`, `merged`, or `auto`, which is merged on a CPU. ``devices``
        GPUs, or processes on a CPU, hold a part of every layer each (tensor parallelism).

        Raises:
            ConfigError: the model's attention heads cannot be divided among ``devices``.
        """
        check_heads(model, devices)
        _set_environment(max(1, threads // devices), options["kv_cache_gib"])
        import torch
        from vllm import LLM

        from knowpack.precision import resolve

        on_gpu = torch.cuda.is_available()
        small = not on_gpu and _takes_small_blocks(devices)
        self.device = torch.cuda.get_device_name() if on_gpu else "cpu"
        self.model, self.dtype = model, resolve(options["dtype"])
        self.takes_lora = adapter == "lora" or (adapter == "auto" and on_gpu)
        self.lora: Any = None
        self.number, self.merged, self.before = 0, False, (0.0, 0.0)
        settings: dict[str, Any] = {
            "model": str(model),
            "dtype": self.dtype,
            "max_model_len": options["max_model_len"],
            "enable_prefix_caching": True,
            "disable_log_stats": False,  # else there is no hit rate to report
            "max_logprobs": -1,  # a question may have more choices than the default, 20
            "seed": 0,
            "logits_processors": ["knowpack.continuations:Continuations"],  # for scoring alone
            # It is given tokens: without a template vLLM looks for one in image processors, for 5 s.
            "chat_template": "{{ messages }}",
        }
        if devices > 1:
            settings["tensor_parallel_size"] = devices
        if on_gpu:
            settings["gpu_memory_utilization"] = options["gpu_memory_utilization"]
        else:
            settings |= {
                # Prefixes are cached in whole blocks; the default is 128.
                "block_size": 16 if small else 32,
                # One device in this process: no second one to start.
                "distributed_executor_backend": "mp" if devices > 1 else "uni",
                "gpu_memory_utilization": 0.1,  # here: the share of memory that must be free
                # Compiling gives 3 times the speed in bfloat16. In float32 the products take far longer
                # than all else: it gives an eighth, and costs a start 45 s, the first one two minutes.
                "enforce_eager": shutil.which("g++") is None or self.dtype != "bfloat16",
            }
        if self.takes_lora:
            settings |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": _lora_slot(rank)}
        # One thread asks. The pool is for several, and copies a tokenizer of 262,144 tokens twice, 5 s each.
        pool = mock.patch("vllm.renderers.hf.maybe_make_thread_pool")
        with pool, _small_blocks() if small else nullcontext():
            self.llm = LLM(**settings)
        if not on_gpu:
            _keep_freed_memory()

    def use(self, adapter: Path | None) -> None:
        """Answer as the model with ``adapter`` from now on, or as the model itself.

        By LoRA kernels where the engine was started for them; else merged weights take the place of
        the present ones: 2 s, not a start. What was asked before leaves nothing in the prefix cache.
        """
        if self.takes_lora:
            from vllm.lora.request import LoRARequest

            self.number += 1  # vLLM tells adapters apart by it
            name = f"adapter-{self.number}"
            self.lora = adapter and LoRARequest(name, self.number, str(adapter))
        elif adapter:
            from knowpack.adapters import merged

            with merged(self.model, adapter, self.dtype) as folder:
                self._reload(folder)
        elif self.merged:
            self._reload(self.model)
        self.merged = bool(adapter)
        self.llm.reset_prefix_cache()

    def _reload(self, weights: Path) -> None:
        self.llm.collective_rpc("reload_weights", kwargs={"weights_path": str(weights)})

    def count_anew(self) -> None:
        """Leave what was asked so far out of `cache_hit_rate`."""
        self.before = self._counts()

    def generate(
        self,
        prompts: Sequence[Tokens],
        *,
        max_new_tokens: int,
        stop: Sequence[str],
        samples: int = 0,
        temperature: float = 0.0,
        seed: int = 0,
        bar: Callable[..., Any] | bool = False,
    ) -> list[list[str]]:
        """Continue each prompt (token ids); greedily, or ``samples`` times at ``temperature``.

        Returns the texts of each prompt, in order. ``bar`` makes a tqdm bar.
        """
        from vllm import SamplingParams, TokensPrompt

        parameters = SamplingParams(
            n=samples or 1,
            temperature=temperature if samples else 0.0,
            max_tokens=max_new_tokens,
            stop=list(stop),
            seed=seed if samples else None,
        )
        outputs = self.llm.generate(
            [TokensPrompt(prompt_token_ids=list(ids)) for ids in prompts],
            parameters,
            use_tqdm=bar,
            lora_request=self.lora,
        )
        return [[answer.text for answer in output.outputs] for output in outputs]

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer, as loaded by the engine."""
        return self.llm.get_tokenizer()

    def cache_hit_rate(self) -> float:
        """Share of all prompt tokens since `count_anew` that the prefix cache had."""
        asked, hits = (now - then for now, then in zip(self._counts(), self.before, strict=True))
        return hits / asked if asked else 0.0

    def _counts(self) -> tuple[float, float]:
        """Prompt tokens since the start, and those of them that the prefix cache had."""
        counts = {metric.name: getattr(metric, "value", 0) for metric in self.llm.get_metrics()}
        asked, hits = (counts.get(f"vllm:prefix_cache_{what}", 0) for what in ("queries", "hits"))
        return asked, hits


def start_engine(
    model: Path,
    adapted: bool,
    spec: Mapping[str, Any],
    threads: int,
    devices: int = 1,
    **memory: Any,
) -> Engine:
    """Start an engine on ``model``; where it will be ``adapted``, in the way that ``spec`` says.

    ``memory`` is `knowpack.specs.memory_spec`.
    """
    way = {"adapter": spec["adapter"], "rank": spec["rank"]} if adapted else {}
    return Engine(model, threads, **way, devices=devices, **spec["engine"], **memory)


def check_heads(model: Path, devices: int) -> None:
    """Refuse a number of devices that vLLM cannot divide the attention heads of ``model`` among.

    Raises:
        ConfigError: it says how many heads there are.
    """
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    heads = config.get("text_config", config).get("num_attention_heads", devices)
    if heads % devices:
        raise ConfigError(
            f"jobs.ask.devices: {devices} devices cannot share the {heads} attention heads of {model}; "
            f"take a number that divides {heads}"
        )


def cost_of(engine: Engine, prompts: int, seconds: float) -> dict[str, str]:
    """Return what asking took, as a parquet footer holds it.

    These are prompts, seconds, prompts_per_second, the engine's cache_hit_rate so far, its device and
    dtype, and `knowpack.usage.usage`.
    """
    return {
        "prompts": str(prompts),
        "seconds": f"{seconds:.3f}",
        "prompts_per_second": f"{prompts / seconds:.1f}",
        "cache_hit_rate": f"{engine.cache_hit_rate():.3f}",
        "device": engine.device,
        "dtype": engine.dtype,
        **{name: str(value) for name, value in usage().items()},
    }


def _lora_slot(rank: int) -> int:
    """The smallest rank that vLLM makes room for and that ``rank`` fits in."""
    return next(slot for slot in (1, 8, 16, 32, 64, 128, 256, 320, 512) if rank <= slot)


def _takes_small_blocks(devices: int) -> bool:
    """Whether `_small_blocks` works: on x86, where the model is in this process alone."""
    alone = devices == 1 and os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING") == "0"
    return alone and platform.machine().lower() in ("x86_64", "amd64")


@contextmanager
def _small_blocks() -> Iterator[None]:
    """Let an engine that starts within, in this process, have blocks of 16 tokens on a CPU.

    vLLM's kernels for x86 compute with them (`vec16`), but it says multiples of 32 and rounds up to
    that: what a short question's choices have in common was then read once for each.
    """
    from vllm.v1.attention.backend import MultipleOf

    said = (
        "vllm.v1.attention.backends.cpu_attn.CPUAttentionBackend.get_supported_kernel_block_sizes"
    )
    with mock.patch(said, lambda *_: [MultipleOf(16)]):
        yield


def _keep_freed_memory() -> None:
    """Let the C library keep up to 1 GiB of freed memory, in this process.

    Else each step's log-probabilities, 268 MB for a vocabulary of 262,144, are in memory that the
    system has to clear first: a quarter of the time of scoring. See mallopt(3).
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc's alone
        mmap_max, trim_threshold = -4, -1
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**30)


def _set_environment(threads: int, kv_cache_gib: int) -> None:
    """Environment that torch and vLLM read when they are imported; what a user has set stays."""
    values = {
        "OMP_NUM_THREADS": str(threads),
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # engines side by side would be bound to one core
        "VLLM_CPU_KVCACHE_SPACE": str(kv_cache_gib),
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    if not Path("/dev/nvidiactl").exists():
        values |= {
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            # What it saves cannot be loaded again on a CPU, and keeps torch's own cache from working:
            # a start takes 68 s with it and 36 s without.
            "VLLM_USE_AOT_COMPILE": "0",
        }
    for name, value in values.items():
        os.environ.setdefault(name, value)
