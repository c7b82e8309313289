"""Facts about languages, from ISO 639 (pycountry) and CLDR (babel)."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache

import pycountry
from babel import Locale
from babel.core import get_global

from knowpack.worldnames import Triple, codes, countries, spellings

# Where CLDR's list of official languages is out of date or leaves some out.
_SEVERAL_OFFICIAL = codes("BF ET IQ ME ML NE NZ PS SO VA XK ZA")
_LABELS = {"bn": "Bengali"}
_MORE_NAMES = {
    "bn": ["Bangla"],
    "dv": ["Dhivehi", "Maldivian"],
    "el": ["Modern Greek"],
    "fa": ["Farsi"],
    "ms": ["Bahasa"],
    "my": ["Myanmar"],
    "si": ["Sinhalese"],
    "zh": ["Mandarin"],
}
_SCRIPTS = {"Beng": "Bengali", "Cans": "Canadian Aboriginal syllabics", "Kore": "Hangul"}
_NO_HOME = frozenset(
    {"aln", "apc", "dyu", "hyw", "rmt"}
)  # likelier tags name a country where few speak it
_MORE_SCRIPT_NAMES = {
    "Beng": ["Bangla", "Assamese"],
    "Cans": ["Canadian syllabics", "Cree syllabics"],
    "Ethi": ["Ge'ez", "Geez", "Amharic"],
    "Kore": ["Hangeul", "Korean"],
    "Latn": ["Roman"],
    "Orya": ["Oriya"],
}


@cache
def languages() -> dict[str, tuple[str, list[str]]]:
    """Return name and other names of each language by its ISO 639 code (two letters where it has).

    Names with a comma or a bracket are notes ("Kol (Cameroon)") and are left out.
    """
    english = Locale("en").languages
    found = {}
    for entry in pycountry.languages:
        code = getattr(entry, "alpha_2", entry.alpha_3)
        names = [
            _LABELS.get(code) or english.get(code, ""),
            entry.name,
            getattr(entry, "common_name", ""),
        ]
        names = [name for name in names if name and not set(name) & set("(),;")]
        if names and len(names[0]) > 2 and entry.type != "S":
            found[code] = (names[0], spellings(*names, *_MORE_NAMES.get(code, [])))
    return found


@cache
def speakers() -> dict[str, dict[str, float]]:
    """Return how many people speak a language in each country, by both codes (CLDR's estimates)."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    spoken = get_global("territory_languages")
    for code, country in countries().items():
        for tag, entry in spoken.get(code, {}).items():
            share = entry["population_percent"] / 100
            found[tag.split("_")[0]][code] += share * country.population
    return found


def official_language(code: str) -> str | None:
    """Return the code of a country's only official language, None if it has none or several."""
    entries = get_global("territory_languages").get(code, {}).items()
    tags: set[str] = set()
    for status in ("official", "de_facto_official"):
        if not tags:
            tags = {tag.split("_")[0] for tag, e in entries if e["official_status"] == status}
    return tags.pop() if len(tags) == 1 and code not in _SEVERAL_OFFICIAL else None


def language_triples() -> Iterator[Triple]:
    """Yield the triples of all relations whose subject is a language or its code."""
    living = {getattr(e, "alpha_2", e.alpha_3) for e in pycountry.languages if e.type == "L"}
    for code, (name, aliases) in sorted(languages().items()):
        score = max(1.0, sum(speakers().get(code, {}).values()))
        yield code, "language_code", name, aliases, score
        if code in living:
            yield from _home(code, name, score)
            yield from _script(code, name, score)


def _official(entry: dict) -> bool:
    return entry["official_status"] in ("official", "de_facto_official")


@cache
def _official_in() -> Counter[str]:
    """Return in how many countries each language is official."""
    spoken = get_global("territory_languages")
    return Counter(
        tag.split("_")[0]
        for code in countries()
        for tag, entry in spoken.get(code, {}).items()
        if _official(entry)
    )


@cache
def _scripts() -> dict[str, set[str]]:
    """Return the scripts in which CLDR knows each language to be written."""
    found: dict[str, set[str]] = defaultdict(set)
    for key, tag in get_global("likely_subtags").items():
        found[key.split("_")[0]].add(tag.split("_")[1])
    return found


def _home(code: str, name: str, score: float) -> Iterator[Triple]:
    """Yield (language, language_country, country) unless it is official or larger elsewhere."""
    home = get_global("likely_subtags").get(code, "").split("_")[-1]
    land = countries().get(home)
    ranked = sorted(speakers().get(code, {}).items(), key=lambda item: -item[1])
    first = not ranked or ranked[0][0] == home
    clear = len(ranked) < 2 or ranked[0][1] >= 2 * ranked[1][1]
    if (
        code not in _NO_HOME
        and land
        and land.sovereign
        and first
        and clear
        and _official_in()[code] < 2
    ):
        yield name, "language_country", land.label, list(land.aliases), score


def _script(code: str, name: str, score: float) -> Iterator[Triple]:
    """Yield (language, language_script, script) where CLDR names the language and one script."""
    locale = Locale("en")
    likely = _scripts().get(code, set())
    if code not in locale.languages or len(likely) != 1 or likely & {"Hans", "Hant", "Jpan"}:
        return
    script = next(iter(likely))
    label = _SCRIPTS.get(script, locale.scripts[script])
    if len(label) > 2:
        aliases = spellings(label, *_MORE_SCRIPT_NAMES.get(script, []))
        yield name, "language_script", label, aliases, score
