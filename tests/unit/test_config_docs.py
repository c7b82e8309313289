"""config/README.md and config/schema.json say what the model of the configuration says."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from knowpack.config import Study
from knowpack.config_docs import FOLDER, readme_text, schema_text
from knowpack.strict import sections

LEAST = (
    "study: s\nmodels: [{name: m, source: folder, path: x}]\ngrid: [{unknown: [1], seeds: [1]}]\n"
)


@pytest.mark.parametrize(
    ("name", "made"), [("README.md", readme_text), ("schema.json", schema_text)]
)
def test_what_is_made_from_the_model_is_up_to_date(name, made):
    path = FOLDER / name
    assert path.is_file() and path.read_text() == made(), f"{path} is not; run `make docs`"


def every_section(model=Study) -> set:
    below = [part for field in model.model_fields.values() for part in sections(field.annotation)]
    return {model, *(found for part in below for found in every_section(part))}


def test_every_key_has_a_meaning_and_a_row():
    assert len(every_section()) == 24
    rows = [line for line in readme_text().splitlines() if line.startswith("| `")]
    assert len(rows) == sum(len(section.model_fields) for section in every_section())
    for row in rows:
        assert row.rstrip(" |").count(" | ") >= 2, row
        assert not row.endswith("|  |"), f"no meaning: {row}"
    for section in every_section():
        assert section.__doc__


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_the_embedded_configurations_fit_the_schema(path: Path):
    jsonschema.validate(yaml.safe_load(path.read_text()), json.loads(schema_text()))


@pytest.mark.parametrize(
    ("facts", "path"),
    [
        ("{source: world, size: 3}", ["facts", "size"]),
        ("{source: world, sze: 3}", ["facts"]),
        ("{source: world, size: 100}\ntraining: {dropout: 1}", ["training", "dropout"]),
        ("{source: world, size: 100}\ntraining: {rnak: 1}", ["training"]),
    ],
)
def test_the_schema_finds_what_the_model_finds(facts, path):
    values = yaml.safe_load(f"{LEAST}facts: {facts}")
    faults = list(jsonschema.Draft202012Validator(json.loads(schema_text())).iter_errors(values))
    deepest = [list(below.absolute_path) for fault in faults for below in [fault, *fault.context]]
    assert path in deepest
