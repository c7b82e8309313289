"""Questions to Wikidata's API, asked as its operators want it; failures that may pass are repeated.

The API is described at https://www.wikidata.org/w/api.php?action=help&modules=wbgetentities, how to
behave at https://www.mediawiki.org/wiki/API:Etiquette and Manual:Maxlag_parameter there.
"""

import re
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote_plus

import requests
import tenacity
import urllib3

VERSION = "0.1"
MOST_TITLES, MOST_BYTES = 50, 6000  # what the API takes, and what an address may hold of them
ATTEMPTS, LONGEST_WAIT = 8, 1800.0
TIMEOUT = (10.0, 60.0)  # seconds to connect, and without a byte
BACK_OFF = tenacity.wait_exponential(multiplier=5, max=300)
PASSING = re.compile(r"maxlag|ratelimited|readonly|internal_api_error_.*")
NO_TITLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff|#<>\[\]{}]")


class Item(NamedTuple):
    """What is known of a title: its item, None if there is none, and the item's label and aliases."""

    id: str | None
    names: list[str]


class Failure(Exception):
    """A request without a usable answer; ``wait`` is what the server asks for, in seconds."""

    def __init__(self, what: str, wait: float = 0.0, passing: bool = True) -> None:
        """Say what happened, and whether it may pass."""
        super().__init__(what)
        self.wait, self.passing = wait, passing


def title_of(name: str) -> str | None:
    """Return the title that Wikipedia makes of ``name``, None if no page can have it as a title.

    The API would do the same (`normalize`), but for one title a request.
    """
    title = " ".join(unicodedata.normalize("NFC", name).replace("_", " ").split())
    if title and len(title[0].upper()) == 1:
        title = title[0].upper() + title[1:]
    if not title or NO_TITLE.search(title) or len(title.encode()) > 255:
        return None
    return title


def batches(titles: Sequence[str]) -> Iterator[list[str]]:
    """Yield the titles in lots that fit into one request."""
    batch: list[str] = []
    room = MOST_BYTES
    for title in titles:
        length = len(quote_plus(f"{title}|"))
        if batch and (len(batch) == MOST_TITLES or length > room):
            yield batch
            batch, room = [], MOST_BYTES
        batch.append(title)
        room -= length
    if batch:
        yield batch


class Client:
    """One connection to the API; ``sleep`` waits between attempts."""

    def __init__(
        self,
        endpoint: str,
        contact: str,
        language: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the API's address, and how its operators reach the user."""
        self.endpoint, self.site = endpoint, f"{language}wiki"
        # Names that are the same in many languages stand under `mul` alone.
        self.languages = [language, "mul"]
        self.session = requests.Session()
        agent = f"Knowpack/{VERSION} (bot; {contact}) requests/{requests.__version__}"
        # Headers are sent as Latin-1; a contact of other letters goes as UTF-8.
        self.session.headers["User-Agent"] = agent.encode().decode("latin-1")
        self._again = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_passes),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=lambda state: max(BACK_OFF(state), _failure(state).wait),
            sleep=sleep,
            before_sleep=_tell,
            reraise=True,
        )

    def ask(self, titles: Sequence[str]) -> dict[str, Item]:
        """Look titles of one batch up, in several attempts; return those that the answer names.

        Raises:
            Failure: the last one; or the first that cannot pass.
        """
        query = {
            "action": "wbgetentities", "format": "json", "formatversion": "2", "maxlag": "5",
            "sites": self.site, "titles": "|".join(titles), "redirects": "yes",
            "props": "labels|aliases|sitelinks", "languages": "|".join(self.languages),
            "sitefilter": self.site,
        }  # fmt: skip

        def attempt() -> dict[str, Item]:
            entities = _entities(self._get(query))
            try:
                return self._items(entities, titles)
            except (AttributeError, KeyError, TypeError) as error:
                raise Failure(f"entities of an unknown form ({error!r})") from error

        return self._again(attempt)

    def _get(self, query: Mapping[str, str]) -> requests.Response:
        try:
            return self.session.get(self.endpoint, params=query, timeout=TIMEOUT)
        except requests.RequestException as error:
            # The error itself holds the whole address; its reason says what happened.
            reason = getattr(error.args[0], "reason", error) if error.args else repr(error)
            # Those that are ValueErrors say that address or header is wrong, and always will be.
            passing = not isinstance(error, ValueError)
            raise Failure(str(reason)[:300], passing=passing) from error

    def _items(self, entities: Any, titles: Sequence[str]) -> dict[str, Item]:
        """Return the item of each title that the answer names: by its sitelink, or as missing."""
        found = {}
        for entity in entities.values():
            missing = "missing" in entity
            link = entity if missing else (entity.get("sitelinks") or {}).get(self.site, {})
            title = titles[0] if len(titles) == 1 else title_of(link.get("title", ""))
            if title and title in titles:
                found[title] = (
                    Item(None, []) if missing else Item(entity["id"], self._names(entity))
                )
        return found

    def _names(self, entity: Mapping[str, Any]) -> list[str]:
        """Return labels, then aliases, each once; the API may write an empty map as a list."""
        labels, aliases = entity.get("labels") or {}, entity.get("aliases") or {}
        texts = [labels[language] for language in self.languages if language in labels]
        texts += [alias for language in self.languages for alias in aliases.get(language, [])]
        names = (" ".join(text["value"].split()) for text in texts)
        return [name for name in dict.fromkeys(names) if name]


def _entities(response: requests.Response) -> Any:
    """Return the entities in an answer.

    Raises:
        Failure: it holds none.
    """
    status = response.status_code
    shown = repr(" ".join(response.content[:300].decode(errors="replace").split()))
    wait = _seconds(response.headers.get("Retry-After"))
    asks = f", wait {wait:.0f} s" if wait else ""
    if status != 200:
        raise Failure(f"HTTP {status}{asks}: {shown}", wait, status == 429 or status >= 500)
    try:
        body = response.json()
    except requests.JSONDecodeError as error:
        raise Failure(f"not JSON but {shown}") from error
    found = body if isinstance(body, dict) else {}
    if isinstance(refusal := found.get("error"), dict):
        code = str(refusal.get("code"))
        what = f"{code}{asks}: {refusal.get('info')}"
        raise Failure(what, wait, passing=bool(PASSING.fullmatch(code)))
    if not found.get("entities"):
        raise Failure(f"no entities but {shown}")
    return found["entities"]


def _seconds(header: str | None) -> float:
    """Seconds that a Retry-After header asks for; it holds seconds or a date."""
    try:
        return float(urllib3.Retry().parse_retry_after(header)) if header else 0.0
    except urllib3.exceptions.InvalidHeader:
        return 0.0


def _passes(error: BaseException) -> bool:
    return isinstance(error, Failure) and error.passing and error.wait <= LONGEST_WAIT


def _failure(state: tenacity.RetryCallState) -> Any:
    return state.outcome.exception() if state.outcome else None


def _tell(state: tenacity.RetryCallState) -> None:
    print(f"aliases: {_failure(state)}; the next attempt is in {state.upcoming_sleep:.0f} s")
