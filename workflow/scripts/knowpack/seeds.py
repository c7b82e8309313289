"""Seeds derived by name from a run's seed (design, rule 8)."""

import hashlib


def sub_seed(seed: int, name: str) -> int:
    """Return 32 bits that depend on both arguments, so that no two uses share a random stream."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4], "big")
