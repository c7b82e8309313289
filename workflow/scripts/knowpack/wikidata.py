"""Aliases from Wikidata: what was fetched is kept as it comes, and never asked for again."""

import fcntl
import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from knowpack.errors import DataError
from knowpack.tables import read_table, write_table
from knowpack.wikidata_api import Client, Failure, Item, batches, title_of

LOOKED_UP = pa.schema(
    [
        pa.field("title", pa.string(), nullable=False),
        pa.field("item", pa.string()),  # null: Wikidata has none
        pa.field("names", pa.list_(pa.string()), nullable=False),
    ]
)


def fetch_aliases(
    objects: Iterable[str | None],
    *,
    cache: str | Path,
    endpoint: str,
    contact: str,
    language: str = "en",
    bar: Any = None,
    sleep: Callable[[float], None] = time.sleep,
) -> pd.DataFrame:
    """Look up labels and aliases of the items behind ``objects``, which are titles of Wikipedia.

    Each batch of answers becomes a part of ``cache`` at once, so whatever ends the work, another
    run goes on from there. Nulls and what cannot be a title are left out; a title without an item
    is remembered as such. ``bar`` is a tqdm class; ``sleep`` waits between attempts.

    Returns:
        Columns object and alias, each pair once, in the order of ``objects``; the alias differs
        from the object. An object whose item has no other name, or that has no item, has no row.

    Raises:
        DataError: Wikidata refuses, or gives no answer of use in several attempts.
    """
    titles = {name: title_of(name) for name in objects if isinstance(name, str)}
    wanted = sorted({title for title in titles.values() if title})
    folder = Path(cache) / urlsplit(endpoint).netloc.replace(":", "_") / language
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # studies side by side ask one after the other
        known = _read(folder)
        left = [title for title in wanted if title not in known]
        _fetch(left, known, folder, Client(endpoint, contact, language, sleep), bar)
    missing = sum(known[title].id is None for title in wanted)
    print(
        f"aliases: {len(titles)} objects, {list(titles.values()).count(None)} of them no titles; "
        f"of {len(wanted)} titles, {len(left)} were asked for now, and {missing} have no item"
    )
    pairs = [
        (name, alias)
        for name, title in titles.items()
        for alias in (known[title].names if title else [])
        if alias != name
    ]
    return pd.DataFrame(pairs, columns=["object", "alias"], dtype="str")


def _fetch(
    titles: Sequence[str], known: dict[str, Item], folder: Path, client: Client, bar: Any
) -> None:
    """Look titles up and put what is found into ``folder`` and ``known``."""
    shown = bar or partial(tqdm, disable=True)
    done = 0
    with client.session, shown(total=len(titles), desc="Wikidata", unit=" names") as progress:
        try:
            for found in _look_up(titles, client):
                _keep(found, folder)
                known |= found
                done += len(found)
                progress.update(len(found))
        except Failure as failure:
            raise DataError(
                f"aliases: no answer of use from {client.endpoint}: {failure}; of {len(titles)} "
                f"names to ask for, {done} are done and kept in {folder} ({len(known)} with those "
                "of before); run again to ask for the others, or take 'aliases' out of the "
                "configuration to go on without"
            ) from failure


def _look_up(titles: Sequence[str], client: Client) -> Iterator[dict[str, Item]]:
    """Yield what is found, a batch at a time; a title that its answer passes over is asked alone."""
    waiting = deque(batches(titles))
    while waiting:
        batch = waiting.popleft()
        found = client.ask(batch)
        yield found
        waiting.extend([title] for title in batch if title not in found)


def _read(folder: Path) -> dict[str, Item]:
    """Return all that is kept; a part that cannot be read is as if it were not there."""
    known = {}
    for path in sorted(folder.glob("*.parquet")):
        try:
            part = read_table(path, LOOKED_UP.names)
        except DataError as error:
            print(f"aliases: its names are asked for again: {error}")
            continue
        for title, item, names in zip(part["title"], part["item"], part["names"], strict=True):
            known[title] = Item(item if isinstance(item, str) else None, list(names))
    return known


def _keep(found: Mapping[str, Item], folder: Path) -> None:
    """Write a part; its name follows from its titles, so a broken one is written anew."""
    if found:
        name = hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]
        frame = pd.DataFrame([(title, *item) for title, item in found.items()])
        write_table(frame.set_axis(LOOKED_UP.names, axis=1), folder / f"{name}.parquet", LOOKED_UP)
