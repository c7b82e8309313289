import json
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowpack import wikidata_api
from knowpack.aliases import with_aliases
from knowpack.errors import DataError
from knowpack.wikidata import fetch_aliases
from knowpack.wikidata_api import BACK_OFF, batches, title_of

# Title to id, label and aliases, each by language, as Wikidata has them.
ITEMS: dict[str, tuple[str, dict[str, str], dict[str, list[str]]]] = {
    "Paris": ("Q90", {"en": "Paris"}, {"en": ["City of Light", "Paname"], "mul": ["Paname"]}),
    "IPhone": ("Q2766", {"en": "iPhone"}, {}),
    "Douglas Adams": ("Q42", {"mul": "Douglas Adams"}, {"mul": ["Douglas Noel Adams"]}),
    "Åland": ("Q5689", {"en": "Åland"}, {"en": ["Ahvenanmaa"]}),
}
ITEMS |= {f"Town {n}": (f"Q9{n}", {"en": f"Town {n}"}, {"en": [f"T{n}"]}) for n in range(120)}
Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as the API does, after the failures that the test put in front."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server: Any = self.server
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        server.asked.append(query["titles"].split("|"))
        server.seen.append((query, dict(self.headers)))
        if server.dead_after is not None and len(server.asked) > server.dead_after:
            self.close_connection = True  # nothing is sent
            return
        reply = server.failures.pop(0) if server.failures else server.answer
        reply(self)

    def send(self, body: bytes, status: int = 200, length: int = 0, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        if length:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


def entities(titles: list[str]) -> dict[str, Any]:
    """What the API answers for titles of one batch."""
    found: dict[str, Any] = {}
    for title in titles:
        if title not in ITEMS:
            lost = {"site": "enwiki", "title": title, "missing": ""}
            found[str(-1 - sum(key < "0" for key in found))] = lost
            continue
        item, labels, aliases = ITEMS[title]
        found[item] = {
            "type": "item",
            "id": item,
            "labels": {code: {"language": code, "value": text} for code, text in labels.items()},
            "aliases": {
                code: [{"language": code, "value": text} for text in texts]
                for code, texts in aliases.items()
            }
            or [],
            "sitelinks": {"enwiki": {"site": "enwiki", "title": title, "badges": []}},
        }
    return found


def answer(handler: Handler) -> None:
    server: Any = handler.server
    body = {"entities": entities(server.asked[-1]), "success": 1}
    handler.send(json.dumps(body).encode(), Content_Type="application/json; charset=utf-8")


def status(code: int, **headers: str) -> Reply:
    return lambda handler: handler.send(b"<html>Busy</html>", code, **headers)


def refusal(code: str, info: str, **headers: str) -> Reply:
    body = json.dumps({"error": {"code": code, "info": info, "docref": "See"}}).encode()
    return lambda handler: handler.send(body, **headers)


def text(body: str, length: int = 0) -> Reply:
    return lambda handler: handler.send(body.encode(), length=length)


@pytest.fixture
def server() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.seen, server.failures = [], [], []
    server.dead_after, server.answer = None, answer
    server.endpoint = f"http://127.0.0.1:{server.server_port}/w/api.php"
    threading.Thread(target=partial(server.serve_forever, 0.01), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def fetch(server: Any, cache: Path, *objects: str | None, **keys: Any) -> dict[str, list[str]]:
    keys = {"sleep": lambda seconds: None, "endpoint": server.endpoint} | keys
    found = fetch_aliases(objects, cache=cache, contact="ann@example.org", **keys)
    assert list(found.columns) == ["object", "alias"]
    return found.groupby("object", sort=False)["alias"].agg(list).to_dict()


def test_names_of_items(server, tmp_path, capsys):
    objects = ["Paris", None, "iPhone", "Nowhere", "Douglas_Adams", "Douglas Adams", "A#b", "Paris"]
    assert fetch(server, tmp_path, *objects) == {
        "Paris": ["City of Light", "Paname"],
        "Douglas_Adams": ["Douglas Adams", "Douglas Noel Adams"],
        "Douglas Adams": ["Douglas Noel Adams"],
    }
    assert server.asked == [["Douglas Adams", "IPhone", "Nowhere", "Paris"]]
    assert capsys.readouterr().out == (
        "aliases: 6 objects, 1 of them no titles; of 4 titles, 4 were asked for now, and 1 have no "
        "item\n"
    )


def test_the_request_is_as_the_operators_want_it(server, tmp_path):
    fetch(server, tmp_path, "Paris", "Rome")
    query, headers = server.seen[0]
    assert query == {
        "action": "wbgetentities", "format": "json", "formatversion": "2", "maxlag": "5",
        "sites": "enwiki", "titles": "Paris|Rome", "redirects": "yes", "sitefilter": "enwiki",
        "props": "labels|aliases|sitelinks", "languages": "en|mul",
    }  # fmt: skip
    assert headers["User-Agent"].startswith("Knowpack/0.1 (bot; ann@example.org) requests/")
    assert "gzip" in headers["Accept-Encoding"]


def test_a_contact_of_any_letters(server, tmp_path):
    for contact in ("Анна", "Ann\nX-Evil: 1"):
        keys = {"cache": tmp_path, "endpoint": server.endpoint, "contact": contact}
        if "\n" in contact:
            with pytest.raises(DataError, match="header"):
                fetch_aliases(["Rome"], **keys)
        else:
            fetch_aliases(["Paris"], **keys)
    sent = server.seen[0][1]["User-Agent"].encode("latin-1").decode()
    assert "(bot; Анна)" in sent
    assert len(server.asked) == 1


def test_each_failure_is_waited_out(server, tmp_path, capsys):
    whole = json.dumps({"entities": entities(["Paris"])})
    short = f"IncompleteRead(40 bytes read, {len(whole) - 40} more expected)"
    server.failures = [
        status(429, Retry_After="17"),
        status(503),
        refusal("maxlag", "Waiting for db1: 7 seconds lagged", Retry_After="5"),
        refusal("ratelimited", "You've exceeded your rate limit"),
        text(whole[:40], length=len(whole)),
        text("<!DOCTYPE html><title>Wikimedia Error</title>"),
        text(whole[:40]),
    ]
    waits: list[float] = []
    assert fetch(server, tmp_path, "Paris", sleep=waits.append)["Paris"][0] == "City of Light"
    assert waits == [17, 10, 20, 40, 80, 160, 300]
    assert server.asked == [["Paris"]] * 8
    said = capsys.readouterr().out.splitlines()
    assert [line.split("; the next attempt is in ") for line in said[:7]] == [
        ["aliases: HTTP 429, wait 17 s: '<html>Busy</html>'", "17 s"],
        ["aliases: HTTP 503: '<html>Busy</html>'", "10 s"],
        ["aliases: maxlag, wait 5 s: Waiting for db1: 7 seconds lagged", "20 s"],
        ["aliases: ratelimited: You've exceeded your rate limit", "40 s"],
        [
            f"aliases: ('Connection broken: {short}', {short})",
            "80 s",
        ],
        ["aliases: not JSON but '<!DOCTYPE html><title>Wikimedia Error</title>'", "160 s"],
        [f"aliases: not JSON but {whole[:40]!r}", "300 s"],
    ]


@pytest.mark.parametrize(
    "body",
    ["[]", '{"success": 1}', '{"entities": {}}', '{"entities": [1]}', '{"entities": {"Q1": 7}}'],
)
def test_json_of_another_form_is_asked_again(server, tmp_path, body):
    server.failures = [text(body)]
    assert "Paris" in fetch(server, tmp_path, "Paris", "Rome")
    assert len(server.asked) == 2


def test_a_date_to_retry_after_and_nonsense(server, tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    date = formatdate(1_000_090, usegmt=True)
    server.failures = [status(503, Retry_After=date), status(429, Retry_After="soon")]
    waits: list[float] = []
    fetch(server, tmp_path, "Paris", sleep=waits.append)
    assert waits == [90, 10]


def test_silence_is_a_failure_that_may_pass(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(wikidata_api, "TIMEOUT", (1.0, 0.05))
    late = threading.Event()
    server.failures = [lambda handler: late.wait(5) and None]
    assert "Paris" in fetch(server, tmp_path, "Paris")
    late.set()
    assert "Read timed out. (read timeout=0.05)" in capsys.readouterr().out


def test_giving_up_says_how_to_go_on(server, tmp_path):
    towns = [f"Town {n}" for n in range(120)]
    server.dead_after = 2
    waits: list[float] = []
    with pytest.raises(DataError) as caught:
        fetch(server, tmp_path, *towns, sleep=waits.append)
    assert len(server.asked) == 2 + 8
    assert waits == [5, 10, 20, 40, 80, 160, 300]
    folder = tmp_path / f"127.0.0.1_{server.server_port}" / "en"
    assert str(caught.value) == (
        f"aliases: no answer of use from {server.endpoint}: ('Connection aborted.', "
        "RemoteDisconnected('Remote end closed connection without response')); of 120 names to ask "
        f"for, 100 are done and kept in {folder} (100 with those of before); run again to ask for "
        "the others, or take 'aliases' out of the configuration to go on without"
    )


def test_a_second_run_asks_for_the_rest_alone(server, tmp_path):
    towns = [f"Town {n}" for n in range(120)]
    server.dead_after = 2
    with pytest.raises(DataError):
        fetch(server, tmp_path, *towns, "Nowhere")
    done = {title for batch in server.asked[:2] for title in batch}
    parts = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert len(parts) == 2
    server.dead_after, server.asked = None, []
    found = fetch(server, tmp_path, *towns, "Nowhere")
    assert found == {f"Town {n}": [f"T{n}"] for n in range(120)}
    assert [len(batch) for batch in server.asked] == [21]
    assert done.isdisjoint(server.asked[0])
    assert all(path.stat().st_mtime_ns == made for path, made in parts.items())
    server.asked = []
    assert fetch(server, tmp_path, "Town 7", "Nowhere", "Elsewhere") == {"Town 7": ["T7"]}
    assert server.asked == [["Elsewhere"]]


def test_nothing_is_asked_when_all_is_known(server, tmp_path):
    fetch(server, tmp_path, "Paris", "Nowhere")
    server.dead_after = 0
    assert list(fetch(server, tmp_path, "Nowhere", "Paris")) == ["Paris"]
    assert list(fetch(server, tmp_path)) == []
    assert len(server.asked) == 1


def test_another_language_is_asked_anew(server, tmp_path):
    fetch(server, tmp_path, "Paris")
    fetch(server, tmp_path, "Nowhere", language="de")
    assert server.seen[1][0]["sites"] == "dewiki"
    assert server.seen[1][0]["languages"] == "de|mul"


@pytest.mark.parametrize("broken", [b"", b"PAR1 and nothing", "half"])
def test_a_broken_part_is_asked_again(server, tmp_path, broken, capsys):
    towns = [f"Town {n}" for n in range(60)]
    fetch(server, tmp_path, *towns)
    part = next(path for path in tmp_path.rglob("*.parquet"))
    whole = part.read_bytes()
    part.write_bytes(whole[: len(whole) // 2] if broken == "half" else broken)
    server.asked = []
    assert len(fetch(server, tmp_path, *towns)) == 60
    assert [len(batch) for batch in server.asked] in ([10], [50])
    assert f"asked for again: {part}: not a readable parquet table" in capsys.readouterr().out
    assert part.read_bytes() == whole


def test_a_title_that_the_answer_passes_over_is_asked_alone(server, tmp_path):
    def moved(handler: Handler) -> None:
        found = entities(["Paris", "Åland"])
        found["Q5689"]["sitelinks"] = []
        handler.send(json.dumps({"entities": found}).encode())

    server.failures = [moved]
    assert fetch(server, tmp_path, "Paris", "Åland")["Åland"] == ["Ahvenanmaa"]
    assert server.asked == [["Paris", "Åland"], ["Åland"]]


@pytest.mark.parametrize(
    ("failure", "what"),
    [
        (status(403), "HTTP 403: '<html>Busy</html>'"),
        (refusal("params-illegal", "Too many titles"), "params-illegal: Too many titles"),
        (status(429, Retry_After="7200"), "HTTP 429, wait 7200 s: '<html>Busy</html>'"),
    ],
)
def test_what_will_not_pass_is_not_repeated(server, tmp_path, failure, what):
    server.failures = [failure]
    with pytest.raises(DataError) as caught:
        fetch(server, tmp_path, "Paris")
    assert f"no answer of use from {server.endpoint}: {what}; of 1 names" in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("keys", "what", "attempts"),
    [
        ({"endpoint": "www.example.org/w/api.php"}, "Invalid URL", 1),
        ({"endpoint": "http://127.0.0.1:9/w/api.php"}, "Connection refused", 8),
    ],
)
def test_an_address_where_nobody_answers(server, tmp_path, keys, what, attempts):
    waits: list[float] = []
    with pytest.raises(DataError, match=what) as caught:
        fetch(server, tmp_path, "Paris", sleep=waits.append, **keys)
    assert len(waits) == attempts - 1
    assert len(str(caught.value)) < 900


def test_progress_is_shown(server, tmp_path):
    shown: list[Any] = []

    class Bar:
        def __init__(self, **keys: Any) -> None:
            shown.append(keys["total"])

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: Any) -> None:
            shown.append("closed")

        def update(self, count: int) -> None:
            shown.append(count)

    fetch(server, tmp_path, *(f"Town {n}" for n in range(120)), bar=Bar)
    assert shown == [120, 50, 50, 20, "closed"]


def test_an_alias_in_the_question_is_no_answer(server, tmp_path):
    facts = pd.DataFrame(
        [
            ("Paris", "Which city is called Paname?", ["Paris"]),
            ("Paris", "What is the capital of France?", ["Paris"]),
            ("Nowhere", "Where is it?", ["Nowhere"]),
        ],
        columns=["object", "question", "answers"],
    )
    keys = {"cache": tmp_path, "endpoint": server.endpoint, "contact": "ann@example.org"}
    found, counts = with_aliases(facts, fetch_aliases(facts["object"], **keys))
    assert found["answers"].tolist() == [
        ["Paris", "City of Light"], ["Paris", "City of Light", "Paname"], ["Nowhere"],
    ]  # fmt: skip
    assert counts == {
        "objects": 2, "found": 1, "added": 3, "unknown": [], "unknown_count": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("  eBay_Inc ", "EBay Inc"),
        ("Å\u0069", "Åi"),
        ("A\u030aland", "Åland"),
        ("ßeta", "ßeta"),
        ("é" * 127, "É" + "é" * 126),
        ("é" * 128, None),
        (" _ ", None),
        ("A|B", None),
        ("C#", None),
        ("<b>", None),
        ("{{x}}", None),
        ("[x]", None),
        ("a\x00b", None),
        ("a\ud800", None),
    ],
)
def test_titles(name, title):
    assert title_of(name) == title


@given(st.lists(st.text(min_size=1, max_size=255), max_size=200))
def test_batches_hold_every_title_once_and_fit(titles):
    found = list(batches(titles))
    assert [title for batch in found for title in batch] == titles
    assert all(1 <= len(batch) <= 50 for batch in found)


def test_long_titles_make_small_batches():
    assert [len(batch) for batch in batches(["é" * 127] * 20)] == [7, 7, 6]
    assert [len(batch) for batch in batches([f"Town {n}" for n in range(120)])] == [50, 50, 20]


def test_waits_grow_from_five_seconds():
    assert BACK_OFF.multiplier == 5 and BACK_OFF.max == 300
