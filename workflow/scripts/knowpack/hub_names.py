"""Datasets of the hub that are known by name (`resources/datasets.yaml`).

Imported while Snakemake builds its graph: neither torch nor datasets is.
"""

from typing import Any

import yaml

from knowpack.config_sources import HubFacts
from knowpack.files import locate

DATASETS = "resources/datasets.yaml"


def known_datasets() -> dict[str, dict[str, Any]]:
    """Return what is known of each dataset, by its id: keys of `facts`."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(locate(DATASETS).read_text("utf-8"))
    return found


def with_known(facts: HubFacts) -> HubFacts:
    """Fill in what the configuration leaves out of a dataset that is known by name.

    A folder that is named as one of them, a local copy, has no revision.
    """
    known = known_datasets().get(facts.dataset, {})
    added = {key: value for key, value in known.items() if key not in facts.model_fields_set}
    if locate(facts.dataset).is_dir():
        added.pop("revision", None)
    return facts.model_copy(update=added)
