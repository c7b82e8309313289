"""Engines that outlive the job that started them.

To start vLLM takes longer than to ask a small study's facts. So a job on this machine leaves its
engine at work for the next one, which may ask another adapter; `knowpack.keeper` ends all with the
run. On a cluster, whose jobs end with all that they started, each has an engine of its own.
"""

import contextlib
import hashlib
import importlib
import itertools
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import psutil

from knowpack import keeper, usage
from knowpack.devices import claim
from knowpack.engine import Engine, start_engine
from knowpack.errors import DataError, KnowpackError
from knowpack.job import Bar, say
from knowpack.locks import lock
from knowpack.shortage import of_disk, of_memory

# Seconds that an engine waits for its next job: training needs the GPU, of memory there may be enough.
IDLE_ON_GPU, IDLE_ON_CPU = 5.0, 300.0
SCARCE = 0.15  # share of the memory; where less is free, an engine does not wait
BETWEEN_LOOKS = 1.0

Files = Mapping[str, str]
Work = Callable[[Engine, Files, Mapping[str, Any], Path, Any], dict[str, str]]


def with_engine(work: Work, snakemake: Any) -> dict[str, str]:
    """Return what ``work`` does with a job's engine, and with its inputs, spec, output and a bar.

    ``work`` is a function of a module, which the engine's process imports. ``snakemake`` is what
    Snakemake gives the script; its engine is one on the input ``model``.

    Raises:
        KnowpackError: as ``work``.
        MemoryError: memory did not suffice, or the engine's process was killed.
    """
    spec, resources = snakemake.params.spec, snakemake.resources
    wanted: dict[str, Any] = {
        "model": str(Path(snakemake.input.model).parent),
        "spec": {key: spec[key] for key in ("adapter", "rank", "engine") if key in spec},
        "threads": snakemake.threads,
        "devices": resources.devices,
        "gpus": bool(resources.get("gpu")),
        "memory": dict(snakemake.params.memory),
    }
    if not wanted["gpus"] and spec.get("adapter") != "lora":  # merged into the weights, or none
        wanted["spec"] = {"engine": spec["engine"]}
    files, output = dict(snakemake.input.items()), snakemake.output[0]
    if not (folder := keeper.folder()):
        return work(_start(wanted), files, spec, Path(output), Bar)
    request = {
        "wanted": wanted,
        "patience": [IDLE_ON_GPU if wanted["gpus"] else IDLE_ON_CPU, SCARCE],
        "work": [work.__module__, work.__name__],
        "given": [files, spec, output],
        "started": usage.STARTED,
    }
    return _ask(request, *_connect(folder, wanted))


def _start(wanted: Mapping[str, Any]) -> Engine:
    if wanted["gpus"]:
        claim(wanted["devices"], say)
    named = {key: wanted[key] for key in ("spec", "threads", "devices")}
    adapted = "adapter" in wanted["spec"]
    return start_engine(Path(wanted["model"]), adapted, **named, **wanted["memory"])


def _connect(folder: Path, wanted: Mapping[str, Any]) -> tuple[socket.socket, IO[str]]:
    """Return a line to an engine that no other job has, and the lock that says so."""
    text = json.dumps([wanted, sys.executable], sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    for number in itertools.count(1):
        place = folder / f"{key}-{number}"
        held = place.with_suffix(".lock").open("w")
        if not lock(held):
            held.close()
            continue
        if not (line := _call(place)):
            _begin(place)
            line = _call(place)
        if line:
            return line, held
        held.close()
    raise AssertionError


def _begin(place: Path) -> None:
    """Start a process for an engine, which can be called at once."""
    place.unlink(missing_ok=True)
    library = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        subprocess.Popen(
            [sys.executable, "-m", __name__, str(place), str(listener.fileno())],
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )


def _call(place: Path) -> socket.socket | None:
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(str(place))
    except OSError:
        line.close()
        return None
    return line


def _ask(request: Mapping[str, Any], line: socket.socket, held: IO[str]) -> dict[str, str]:
    """Have a request worked on; the engine's process writes to this one's log and terminal."""
    with held, line, line.makefile("rw", encoding="utf-8") as text:
        socket.send_fds(line, [b"\n"], [2, 2 if Bar.terminal is None else Bar.terminal])
        text.write(json.dumps(request) + "\n")
        text.flush()
        try:
            answer = json.loads(text.readline() or "{}")
        except ConnectionError:
            answer = {}
    if "cost" in answer:
        return dict(answer["cost"])
    if not answer or answer["memory"]:
        raise MemoryError("the engine's process was killed" if not answer else answer["error"])
    if answer["error"]:
        raise DataError(answer["error"])
    raise RuntimeError("the engine failed; what it said stands above")


def _serve(place: Path, listener: socket.socket) -> None:
    """Work on one request after the other, with one engine, until none comes any more."""
    import huggingface_hub  # noqa: F401 (before the engine goes offline: benchmarks may be fetched)

    engine: Engine | None = None
    patience = [IDLE_ON_CPU, SCARCE]
    with place.with_suffix(".lock").open("w") as held:
        while _called(listener, *patience) or not lock(held):  # a job that locks is about to call
            line, _ = listener.accept()
            with line, line.makefile("rw", encoding="utf-8") as text:
                descriptors = socket.recv_fds(line, 1, 2)[1]
                request = json.loads(text.readline())
                patience = request["patience"]
                done = threading.Event()
                threading.Thread(target=_end_without, args=(line, done), daemon=True).start()
                _adopt(descriptors)
                try:
                    engine = engine or _start(request["wanted"])
                    answer = {"cost": _work(engine, request)}
                except Exception as error:
                    place.unlink()  # who knows what state the engine is in
                    answer = _failed(error, Path(request["given"][2]).parent)
                _disown(descriptors)
                done.set()
                text.write(json.dumps(answer) + "\n")
            if "cost" not in answer:
                return
        place.unlink(missing_ok=True)


def _called(listener: socket.socket, idle: float, scarce: float) -> bool:
    """Wait for a job; not for ever, and not where others lack the memory."""
    end = time.monotonic() + idle
    while not select.select([listener], [], [], min(BETWEEN_LOOKS, idle))[0]:
        memory = psutil.virtual_memory()
        if time.monotonic() > end or memory.available < scarce * memory.total:
            return False
    return True


def _work(engine: Engine, request: Mapping[str, Any]) -> dict[str, str]:
    usage.STARTED = request["started"]
    engine.count_anew()
    module, name = request["work"]
    work: Work = getattr(importlib.import_module(module), name)
    files, spec, output = request["given"]
    return work(engine, files, spec, Path(output), Bar)


def _failed(error: Exception, folder: Path) -> dict[str, Any]:
    if isinstance(error, KnowpackError):
        return {"error": str(error), "memory": False}
    traceback.print_exc()
    if line := of_memory(error):
        return {"error": line, "memory": True}
    return {"error": of_disk(error, folder), "memory": False}


def _adopt(descriptors: list[int]) -> None:
    """Say everything where the job would."""
    log, Bar.terminal = descriptors
    os.dup2(log, 1)
    os.dup2(log, 2)


def _disown(descriptors: list[int]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    Bar.terminal = None
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    for descriptor in descriptors:
        os.close(descriptor)


def _end_without(line: socket.socket, done: threading.Event) -> None:
    """End this process where the job is gone that it works for: nobody wants the answer."""
    with contextlib.suppress(OSError):
        line.recv(1)
    if not done.is_set():
        os._exit(1)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))
