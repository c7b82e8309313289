"""Fetching and reading dumps; a server on this machine stands in for one far away."""

import bz2
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tqdm import tqdm

from knowpack import dumps
from knowpack.dumps import fetch_dump, read_parts
from knowpack.errors import DataError

CONTENT = b"<a> <b> <c> .\n" * 1000


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path != "/gone" else 404)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if self.path == "/whole":
            self.wfile.write(CONTENT)
        elif self.path == "/cut":
            self.wfile.write(CONTENT[:100])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


def test_a_dump_is_fetched_whole(server: str, tmp_path: Path) -> None:
    fetch_dump(f"{server}/whole", tmp_path / "dump", tqdm)
    assert (tmp_path / "dump").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["dump"]


@pytest.mark.parametrize("name", ["cut", "gone"])
def test_a_dump_that_does_not_come_whole_leaves_nothing(
    server: str, tmp_path: Path, name: str
) -> None:
    with pytest.raises(DataError, match=rf"facts\.path: {server}/{name} cannot be fetched \("):
        fetch_dump(f"{server}/{name}", tmp_path / "dump", tqdm)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [1, 5, 14, 100, 10_000, 10**6])
def test_parts_hold_whole_lines_and_together_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(dumps, "PART", size)
    content = b"one line\nand a longer line after it\n\nlast line without end" * 3
    (tmp_path / "dump.bz2").write_bytes(bz2.compress(content))
    parts = [part.read_bytes() for part in read_parts(tmp_path / "dump.bz2", tmp_path, 2)]
    assert b"".join(parts) == content
    assert all(part.endswith(b"\n") for part in parts[:-1] if part)


def test_a_plain_dump_is_its_own_part(tmp_path: Path) -> None:
    (tmp_path / "dump.ttl").write_bytes(CONTENT)
    assert list(read_parts(tmp_path / "dump.ttl", tmp_path, 2)) == [tmp_path / "dump.ttl"]
