"""The number format in which a machine computes."""

import torch


def resolve(dtype: str) -> str:
    """Return ``dtype``, a name of torch's; for `auto`, the fastest in which a model keeps its answers.

    That is bfloat16 where the device computes in it. A CPU without such instructions (AVX-512 or AMX, or
    ARM's) takes bfloat16 eight times as long as float32.
    https://docs.pytorch.org/docs/stable/generated/torch.cpu.get_capabilities.html
    """
    if dtype != "auto":
        return dtype
    if torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = any(has for name, has in torch.cpu.get_capabilities().items() if "bf16" in name)
    return "bfloat16" if fast else "float32"
