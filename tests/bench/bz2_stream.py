"""Writing large bz2 files on all cores, as one stream or as many.

A bz2 stream is a header, blocks of up to 900 kB that know nothing of each other, an end mark and a
checksum over the blocks' checksums; blocks follow each other at any bit. So each is compressed by
itself, and what bzip2 writes around it is taken away.
"""

import bz2
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

HEADER, END = b"BZh9", 0x177245385090
PIECE = 700_000  # fits into one block even where runs of equal bytes make it longer

Write = Callable[[bytes | memoryview], object]


@contextmanager
def plain(path: Path) -> Iterator[Write]:
    with path.open("wb") as file:
        yield file.write


@contextmanager
def many_streams(path: Path) -> Iterator[Write]:
    """Write a stream for each piece, as pbzip2 does."""
    with path.open("wb") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
        yield lambda data: file.writelines(pool.map(bz2.compress, _pieces(data)))


@contextmanager
def one_stream(path: Path) -> Iterator[Write]:
    """Write all pieces as the blocks of one stream, as bzip2 and lbzip2 do."""
    with path.open("wb") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
        bits = _Bits(file)
        file.write(HEADER)
        checksum = 0

        def write(data: bytes | memoryview) -> None:
            nonlocal checksum
            for block, length, own in pool.map(_block, _pieces(data)):
                bits.write(block, length)
                checksum = ((checksum << 1 | checksum >> 31) & 0xFFFFFFFF) ^ own

        yield write
        bits.write(END << 32 | checksum, 80)
        bits.write(0, -bits.waiting % 8)


FORMS = {"stream": one_stream, "streams": many_streams, "plain": plain}


class _Bits:
    """Writes numbers of any length in bits; ``waiting`` of them do not fill a byte yet."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.value, self.waiting = file, 0, 0

    def write(self, value: int, length: int) -> None:
        value |= self.value << length
        whole, self.waiting = divmod(self.waiting + length, 8)
        self.file.write((value >> self.waiting).to_bytes(whole))
        self.value = value & ((1 << self.waiting) - 1)


def _pieces(data: bytes | memoryview) -> list[bytes | memoryview]:
    return [data[start : start + PIECE] for start in range(0, len(data), PIECE)]


def _block(piece: bytes | memoryview) -> tuple[int, int, int]:
    """Compress a piece to one block: its bits, their number, and its checksum."""
    stream = bz2.compress(piece)
    tail = int.from_bytes(stream[-11:])
    padding = next(n for n in range(8) if tail >> 32 + n & (1 << 48) - 1 == END)
    length = 8 * (len(stream) - len(HEADER)) - 80 - padding
    block = int.from_bytes(stream[len(HEADER) :]) >> 80 + padding
    checksum = tail >> padding & 0xFFFFFFFF
    assert block >> length - 80 & 0xFFFFFFFF == checksum, "a piece fills more than one block"
    return block, length, checksum
