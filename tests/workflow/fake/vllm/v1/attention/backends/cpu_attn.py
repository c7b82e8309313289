"""What the real one says of its blocks, which Knowpack has it say otherwise."""

from vllm.v1.attention.backend import MultipleOf


class CPUAttentionBackend:
    @staticmethod
    def get_supported_kernel_block_sizes() -> list[MultipleOf]:
        return [MultipleOf(32)]
