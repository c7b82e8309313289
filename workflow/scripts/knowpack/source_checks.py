"""What can be known to be wrong with a source of facts before any job starts.

Imported while Snakemake builds its graph: torch and its kin are not.
"""

from knowpack.config_sources import DBpediaFacts, FactSource, HubFacts, TableFacts, WorldFacts
from knowpack.errors import ConfigError, suggest
from knowpack.facts import build_facts
from knowpack.files import is_address, locate, locate_all
from knowpack.hub_names import known_datasets, with_known
from knowpack.tabular import check_columns, read_table_source
from knowpack.templates import Relation, load_templates

BYTES_READ_AHEAD = 20_000_000  # a larger table is checked by the job that reads it anyway


def check_source(key: str, facts: FactSource) -> dict[str, Relation]:
    """Check the source of facts that stands at ``key``; return the relations of its templates.

    Raises:
        KnowpackError: the first thing found wrong.
    """
    files = {"templates": facts.templates, "aliases.path": [], "path": []}
    if isinstance(facts, TableFacts | DBpediaFacts) and not is_address(facts.path):
        files["path"] = [facts.path]
    if facts.aliases and facts.aliases.path:
        files["aliases.path"] = [facts.aliases.path]
    for name, paths in files.items():
        for path in paths:
            if not locate(path).is_file():
                raise ConfigError(f"{key}.{name}: there is no file {path}; write the path of one")
    relations = load_templates(locate_all(facts.templates))
    if isinstance(facts, WorldFacts):
        _check_relations(key, facts, relations)
    elif isinstance(facts, HubFacts):
        check_columns(key, facts.columns)
        _check_dataset(key, with_known(facts))
    elif isinstance(facts, TableFacts):
        _check_table(facts, relations)
    return relations


def _check_relations(key: str, facts: WorldFacts, relations: dict[str, Relation]) -> None:
    for name in facts.relations or []:
        if name not in relations:
            raise ConfigError(
                f"{key}.relations: {', '.join(facts.templates)} has no relation '{name}'"
                f"{suggest(name, relations)}; it has {', '.join(sorted(relations))}"
            )


def _check_table(facts: TableFacts, relations: dict[str, Relation]) -> None:
    path = locate(facts.path)
    if path.stat().st_size <= BYTES_READ_AHEAD:
        rows = read_table_source(path, facts.columns)
        build_facts(rows, relations, facts.size, facts.seed, str(path))


def _check_dataset(key: str, facts: HubFacts) -> None:
    """Check that a dataset is one of the hub at a commit, or a folder; nothing is fetched."""
    folder = locate(facts.dataset).is_dir()
    if not folder and facts.revision is None:
        known = known_datasets()
        hint = "" if facts.dataset in known else suggest(facts.dataset, known)
        raise ConfigError(
            f"{key}.dataset: there is no folder {facts.dataset}{hint}; write the path of one, or pin a "
            f"dataset of the hub with {key}.revision, the commit's 40 hexadecimal digits"
        )
    if folder and facts.revision:
        raise ConfigError(
            f"{key}.dataset: {facts.dataset} is a folder here, which has no revision; remove "
            f"{key}.revision, or rename the folder"
        )
