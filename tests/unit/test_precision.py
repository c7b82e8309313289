"""Which number format a machine computes in."""

import pytest
import torch

from knowpack.precision import resolve


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Make this machine one with a CPU of some capabilities, or with a GPU."""

    def become(gpu: bool | None = None, **capabilities: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu is not None)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: gpu)
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, **capabilities})

    return become


@pytest.mark.parametrize("name", ["bfloat16", "float16", "float32"])
def test_what_is_asked_for_is_taken(machine, name):
    machine(avx512_bf16=True)
    assert resolve(name) == name


@pytest.mark.parametrize(
    ("capabilities", "found"),
    [
        ({"avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True, "avx512_bf16": False}, "bfloat16"),
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, "float32"),
        ({}, "float32"),
    ],
)
def test_a_cpu_takes_what_it_has_instructions_for(machine, capabilities, found):
    machine(**capabilities)
    assert resolve("auto") == found


@pytest.mark.parametrize(("has", "found"), [(True, "bfloat16"), (False, "float32")])
def test_a_gpu_too_whatever_its_cpu_has(machine, has, found):
    machine(gpu=has, avx512_bf16=not has)
    assert resolve("auto") == found


def test_this_machine_says_what_it_has():
    assert torch.cpu.get_capabilities()["architecture"]
    assert resolve("auto") in ("bfloat16", "float32")
