"""A stand-in for the driver's tool that lists a machine's GPUs."""

from pathlib import Path


def install_nvidia_smi(folder: Path, count: int, machine: object = "0000000") -> Path:
    """Write an `nvidia-smi` that lists ``count`` GPUs; return the folder, which goes on PATH.

    Their locks are the ``machine``'s own, where jobs take the folder of locks that all share.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tool = folder / "nvidia-smi"
    lines = "".join(f"echo {index}, GPU-{machine}{index}\n" for index in range(count))
    asked = "--query-gpu=index,uuid --format=csv,noheader"
    tool.write_text(f'#!/bin/sh\n[ "$*" = "{asked}" ] || exit 2\n{lines}')
    tool.chmod(0o755)
    return folder
