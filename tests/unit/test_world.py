"""The facts about the world, their question templates and the few-shot examples."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from knowpack.world import COLUMNS, _unambiguous, world_triples
from knowpack.worldlanguages import official_language
from knowpack.worldnames import countries, plain, spellings

RESOURCES = Path(__file__).parents[2] / "resources"


@pytest.fixture(scope="module")
def triples() -> pd.DataFrame:
    return world_triples()


@pytest.fixture(scope="module")
def relations() -> dict:
    return yaml.safe_load((RESOURCES / "relations.yaml").read_text(encoding="utf-8"))


def test_every_relation_has_templates_and_facts(triples, relations):
    assert set(triples["relation"]) == set(relations)


def test_a_relation_names_domain_range_and_twelve_templates(relations):
    for name, relation in relations.items():
        assert set(relation) - {"reverse"} == {"domain", "range", "templates"}, name
        templates = relation["templates"]
        assert len({template.casefold() for template in templates}) == len(templates) >= 12, name
        for template in templates:
            assert template.count("{subject}") == 1 == template.count("{"), (name, template)
            assert template[-1] in "?." and not template.startswith("the"), (name, template)


def test_a_relation_is_asked_back_where_an_object_has_one_subject(triples, relations):
    reversible = {
        name: relation["reverse"] for name, relation in relations.items() if "reverse" in relation
    }
    assert {"capital", "airport_city", "element_symbol"} <= reversible.keys()
    for name, template in reversible.items():
        assert template.count("{object}") == 1 == template.count("{"), name
        assert template.endswith("?"), name
        objects = triples.loc[triples["relation"] == name, "object"]
        assert objects.is_unique or (~objects.duplicated(keep=False)).mean() > 0.8, name


def test_columns_hold_text_without_blanks(triples):
    assert list(triples) == COLUMNS
    for column in ["subject", "object"]:
        assert (triples[column] == triples[column].str.strip()).all()
        assert triples[column].str.len().gt(0).all()
    assert triples["object"].str.len().gt(2).all()
    assert (triples["score"] > 0).all()


def test_an_alias_is_not_blank_short_or_the_label(triples):
    for label, aliases in zip(triples["object"], triples["aliases"], strict=True):
        assert label not in aliases and len(set(aliases)) == len(aliases)
        assert all(len(alias.strip()) > 2 for alias in aliases)


def test_there_are_enough_facts_for_forty_thousand(triples):
    assert len(triples) >= 60_000
    assert triples["relation"].value_counts().min() >= 50


def test_a_subject_has_one_answer_in_a_relation(triples):
    folded = triples["subject"].map(plain).str.casefold()
    assert not pd.DataFrame({"relation": triples["relation"], "subject": folded}).duplicated().any()


@pytest.mark.parametrize(
    ("subject", "relation", "answer"),
    [
        ("France", "capital", "Paris"),
        ("the Netherlands", "capital", "Amsterdam"),
        ("Kazakhstan", "capital", "Astana"),
        ("Croatia", "currency", "euro"),
        ("Croatia", "currency", "EUR"),
        ("Poland", "currency", "zloty"),
        ("Brazil", "official_language", "Portuguese"),
        ("Peru", "continent", "South America"),
        ("Turkey", "largest_city", "Istanbul"),
        ("the Philippines", "demonym", "Filipino"),
        (".ch", "internet_domain", "Switzerland"),
        ("+420", "calling_code", "Czech Republic"),
        ("DEU", "country_code", "Germany"),
        ("Germany", "name_in_french", "Allemagne"),
        ("Germany", "name_in_spanish", "Alemania"),
        ("Japan", "name_in_french", "Japon"),
        ("Paris", "city_country", "France"),
        ("London", "city_country", "England"),
        ("Rome", "city_country", "Italy"),
        ("GRU", "airport_city", "São Paulo"),
        ("BLR", "airport_city", "Bengaluru"),
        ("Leeds", "city_country", "England"),
        ("Manchester", "city_country", None),
        ("Chicago", "city_country", "USA"),
        ("Chicago", "city_state", "Illinois"),
        ("Cook County", "county_state", None),
        ("Los Angeles County", "county_state", "California"),
        ("AK", "state_abbreviation", "Alaska"),
        ("Tasmania", "subdivision_country", "Australia"),
        ("LHR", "airport_city", "London"),
        ("London Heathrow Airport", "airport_country", "United Kingdom"),
        ("Los Angeles International Airport", "airport_state", "California"),
        ("Fe", "element_symbol", "Iron"),
        ("8", "atomic_number", "Oxygen"),
        ("chlorine", "element_category", "halogen"),
        ("JPY", "currency_code", "Japanese yen"),
        ("de", "language_code", "German"),
        ("zu", "language_code", "Zulu"),
        ("Zulu", "language_country", "South Africa"),
        ("Ukrainian", "language_script", "Cyrillic"),
        ("Springfield", "city_state", None),
        ("Bolivia", "capital", None),
        ("+1", "calling_code", None),
    ],
)
def test_spot_facts(triples, subject, relation, answer):
    rows = triples[(triples["subject"] == subject) & (triples["relation"] == relation)]
    if answer is None:
        assert rows.empty
    else:
        (label,), (aliases,) = rows["object"], rows["aliases"]
        assert answer in [label, *aliases]


def test_a_shared_name_goes_unless_its_best_known_bearer_leads_twentyfold():
    rows = [
        ("Paris", "city_country", "France", [], 2000.0),
        ("París", "city_country", "Mexico", [], 60.0),
        ("Paris", "city_country", "Canada", [], 40.0),
        ("Cork", "city_country", "Ireland", [], 1999.0),
        ("Cork", "city_country", "Canada", [], 100.0),
        ("Lund", "city_country", "Sweden", [], 5.0),
        ("Lund", "city_country", "Sweden", [], 6.0),
        ("Cork", "city_state", "Maine", [], 1.0),
    ]
    kept = _unambiguous(pd.DataFrame(rows, columns=COLUMNS))
    assert kept[["subject", "relation", "object", "score"]].values.tolist() == [
        ["Paris", "city_country", "France", 2000.0],
        ["Lund", "city_country", "Sweden", 6.0],
        ["Cork", "city_state", "Maine", 1.0],
    ]


def test_country_names():
    assert "United States of America" in countries()["US"].aliases
    assert "USA" in countries()["US"].aliases
    assert countries()["US"].subject == "the United States"
    assert "Congo" not in countries()["CG"].aliases
    assert not countries()["PR"].sovereign


def test_spellings_leave_out_the_label_and_short_names():
    assert spellings("São Tomé", "ST", "Sao Tome") == ["Sao Tome"]
    assert plain("Łódź, Tromsø, Nuku‘alofa") == "Lodz, Tromso, Nuku'alofa"


def test_official_language_only_where_there_is_one():
    assert official_language("UA") == "uk"
    assert official_language("CH") is None


def test_shots_are_valid_unique_and_short(triples):
    lines = (RESOURCES / "shots.jsonl").read_text(encoding="utf-8").splitlines()
    shots = [json.loads(line) for line in lines]
    assert len(shots) >= 80
    assert all(set(shot) == {"question", "answer"} for shot in shots)
    assert max(Counter(shot["question"].casefold() for shot in shots).values()) == 1
    for shot in shots:
        assert shot["question"].endswith("?")
        assert 1 <= len(shot["answer"].split()) <= 4
        assert shot["answer"].casefold() not in shot["question"].casefold()
