"""Reading facts from a dataset of the Hugging Face hub, or from a folder laid out as one.

The `datasets` library reads it; no code that comes with a dataset ever runs.
"""

from collections.abc import Iterator, Mapping
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from knowpack.errors import ConfigError, DataError, suggest
from knowpack.files import locate
from knowpack.tabular import facts_of_columns, name_columns


def read_hub_source(spec: Mapping[str, Any]) -> tuple[pd.DataFrame, int]:
    """Read one split of the dataset that ``spec`` names, one fact a row; only the columns used.

    ``spec["columns"]`` maps our names to the dataset's where they differ. A field inside a column
    is named with a dot: `answer.aliases`.

    Returns:
        The frame that `tabular.read_table_source` returns, rows numbered from 1; and how many empty
        texts were left out of lists of answers, where each would match every text.

    Raises:
        ConfigError: the dataset cannot be fetched or read, or it would need its own code.
        DataError: it has no such split, lacks columns, or a cell is empty or of another type.
    """
    with TemporaryDirectory() as cache:
        return _read(spec, None if spec.get("revision") else cache)


def _read(spec: Mapping[str, Any], cache: str | None) -> tuple[pd.DataFrame, int]:
    name, split = spec["dataset"], spec["split"]
    splits = _load(name, spec.get("revision"), spec.get("subset"), cache)
    if split not in splits:
        has = ", ".join(f"'{known}'" for known in splits)
        raise DataError(
            f"facts: {name} has no split '{split}'{suggest(split, splits)}; it has {has}"
        )
    dataset, where = splits[split], f"{name}, split '{split}'"
    fields = dict(_fields(dataset.features))
    named = name_columns(where, list(fields), spec["columns"])
    used = {fields[theirs][0] for theirs in named.values()}
    # A published set may be mostly prompts and answers of its model, which nobody needs here.
    cells = dataset.select_columns(sorted(used)).to_dict()
    columns = {}
    for ours, theirs in named.items():
        first, *rest = fields[theirs]
        columns[ours] = [_inside(cell, rest) for cell in cells[first]]
    texts = [column for ours, column in columns.items() if ours != "correct"]
    empty = sum(_drop_empty(cell) for column in texts for cell in column)
    return facts_of_columns(where, columns, list(range(1, len(dataset) + 1))), empty


def _load(
    name: str, revision: str | None, subset: str | None, cache: str | None
) -> Mapping[str, Any]:
    """Every split of a dataset, by name.

    The library's own cache knows a folder by name and README, not by its data, so it is for the hub.
    """
    import datasets
    from datasets.exceptions import DatasetGenerationError

    place = name if revision else str(locate(name))
    try:
        builder = datasets.load_dataset_builder(place, subset, revision=revision, cache_dir=cache)
        # Where the hub is out of reach, the library takes any revision it fetched before.
        if revision and builder.hash != revision:
            raise ConnectionError("the hub is out of reach, and what is here is not that revision")
        builder.download_and_prepare()
        return builder.as_dataset()
    except Exception as error:  # the library lets errors of all its readers and clients through
        cause = error.__cause__ if isinstance(error, DatasetGenerationError) else None
        reason = " ".join(str(cause or error).partition("\nExample")[0].split())
        reason = reason or type(error).__name__
        if "scripts are no longer supported" in reason:
            raise ConfigError(
                f"facts: {name} comes with code of its own, which never runs ({reason}); give a "
                "commit of its branch `refs/convert/parquet` as 'revision', or save its rows as a "
                "table"
            ) from error
        if revision:
            raise ConfigError(
                f"facts: {name} at {revision[:12]} cannot be fetched ({reason}); check dataset, "
                "revision and subset, the network and HF_TOKEN, or give the folder of a local copy "
                "as 'dataset', without a revision"
            ) from error
        raise ConfigError(
            f"facts: {name} cannot be read ({reason}); check subset, and that the folder is laid "
            "out as a dataset of the hub"
        ) from error


def _fields(features: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the name and path of each field; one with fields of its own is given by those."""
    for name, feature in features.items():
        inner = feature
        while hasattr(inner, "feature"):  # a list's items
            inner = inner.feature
        if isinstance(inner, Mapping):
            yield from _fields(inner, (*path, name))
        else:
            yield ".".join((*path, name)), (*path, name)


def _inside(cell: Any, path: list[str]) -> Any:
    """The value at ``path`` in a cell; in a list, that of each item, in one list."""
    if isinstance(cell, list):
        found = [_inside(item, path) for item in cell]
        return [item for part in found for item in (part if isinstance(part, list) else [part])]
    if not path or cell is None:
        return cell
    return _inside(cell[path[0]], path[1:])


def _drop_empty(cell: Any) -> int:
    """Take empty texts and nulls out of a list; return how many."""
    if not isinstance(cell, list):
        return 0
    kept = [item for item in cell if item is not None and item != "" and not str(item).isspace()]
    lost = len(cell) - len(kept)
    cell[:] = kept
    return lost
