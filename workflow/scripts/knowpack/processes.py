"""Several processes that train one adapter together, each with a part of the model (FSDP).

Transformers divides the model as it loads it, so that none of them ever holds all of it; the adapter
is small and whole in each, and the Trainer averages its gradients. torch's launcher starts them.
https://huggingface.co/docs/transformers/main_classes/distributed and
https://docs.pytorch.org/docs/stable/elastic/run.html.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from accelerate.data_loader import SeedableRandomSampler
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException, Std
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from torch.utils.data import Sampler
from transformers import AutoModelForCausalLM, PreTrainedModel, Trainer
from transformers.distributed import DistributedConfig

from knowpack.batches import IGNORED
from knowpack.errors import ConfigError, KnowpackError
from knowpack.precision import resolve


def together(count: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Call ``function`` in ``count`` processes of a torch process group; return what each returns.

    Only the first writes to the log. If one fails the others are ended; SIGINT or SIGTERM to this
    process ends them all, and then itself.

    Raises:
        KnowpackError: what ``function`` raised in the first process.
        MemoryError: one of them was killed, as happens where memory runs out.
        ChildFailedError: one of them failed; its traceback is in the message.
    """
    # Two threads a core would be much slower than one.
    os.environ["OMP_NUM_THREADS"] = str(max(1, torch.get_num_threads() // count))
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # they are all on this machine
    try:
        with TemporaryDirectory(prefix="knowpack-processes-") as folder:
            config = LaunchConfig(
                min_nodes=1,
                max_nodes=1,
                nproc_per_node=count,
                run_id="knowpack",
                rdzv_backend="c10d",
                rdzv_endpoint="localhost:0",
                local_addr="localhost",
                max_restarts=0,
                logs_specs=DefaultLogsSpecs(folder, dict.fromkeys(range(1, count), Std.ALL)),
            )
            found = elastic_launch(config, _call)(function, arguments)
    except ChildFailedError as error:
        if any(failure.exitcode == -signal.SIGKILL for failure in error.failures.values()):
            raise MemoryError("a process of the training was killed") from error
        raise
    except SignalException as error:
        print("stopped", file=sys.stderr)
        sys.exit(128 + error.sigval)
    if isinstance(found[0], KnowpackError):
        raise found[0]
    return [found[rank] for rank in range(count)]


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    try:
        return function(*arguments)
    except KnowpackError as error:
        return error


def rank() -> int:
    """The number of this process among those that train together; 0 where it is alone."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0


def load(folder: Path, count: int) -> PreTrainedModel:
    """Load the model in ``folder``, or this process's part of it where ``count`` share it.

    Raises:
        ConfigError: transformers does not say how this kind of model is divided.
    """
    options: dict[str, Any] = {"dtype": resolve("auto")}
    options |= {"trust_remote_code": False, "use_safetensors": True}
    if not torch.cuda.is_available():
        # Rows are short; in bfloat16 torch's fused attention takes a CPU more than twice as long.
        options["attn_implementation"] = "eager"
    if count == 1:
        return AutoModelForCausalLM.from_pretrained(folder, **options)
    options["distributed_config"] = DistributedConfig(fsdp_size=count)
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, **options)
    except ValueError as error:
        if "FSDP2 plan" not in str(error):
            raise
        raise ConfigError(f"jobs.train.devices: the model cannot be divided ({error})") from error
    model._tp_size = None  # else PEFT gathers the whole model in a process to save an adapter
    return model


class SharingTrainer(Trainer):
    """The Trainer in processes that share a model, with the batches that one process would see."""

    def __init__(self, *, args: Any, train_dataset: list[dict[str, Any]], **options: Any) -> None:
        """Take what the Trainer takes; a device's batch is its part of a whole one."""
        rows = len(train_dataset)
        size = args.per_device_train_batch_size * args.world_size
        blank = {"input_ids": train_dataset[0]["input_ids"][:2], "labels": [IGNORED] * 2}
        # A last batch that is short would be filled with rows of the first one.
        filled = train_dataset + [blank] * (-rows % size)
        self.order = _Order(rows, len(filled), args.data_seed)
        # The Trainer refuses checkpoints as the state of a divided optimiser would be incomplete; that
        # of an adapter, whole in each process, is not.
        args.save_only_model = True
        super().__init__(args=args, train_dataset=filled, **options)
        args.save_only_model = False

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler | None:
        if self.args.train_sampling_strategy == "sequential":
            return super()._get_train_sampler(train_dataset)
        return self.order


class _Order(Sampler):
    """The order in which one process would see the rows, and then those without a label."""

    def __init__(self, rows: int, filled: int, seed: int) -> None:
        self.rows, self.filled = rows, filled
        self.shuffled = SeedableRandomSampler(range(rows), data_seed=seed)

    def __iter__(self) -> Iterator[int]:
        yield from self.shuffled
        yield from range(self.rows, self.filled)

    def __len__(self) -> int:
        return self.filled

    def set_epoch(self, epoch: int) -> None:
        self.shuffled.set_epoch(epoch)
