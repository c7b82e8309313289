"""Whether two runs of a study made the same, but for what is time, memory or rate."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from killing import files_in

MEASURED = ("seconds", "memory", "per_second", "begun", "ended", "started", "finished", "peak")
# They show the costs.
SHOWN = {"tables/costs.md", "tables/costs.tex", "tables/costs.html", "report.html"}


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two results folders, a line each."""
    left, right = ({str(path.relative_to(top)) for path in files_in(top)} for top in (one, other))
    found = [f"only in one of them: {name}" for name in sorted(left ^ right)]
    for name in sorted(left & right - SHOWN):
        reader = READERS.get(Path(name).suffix, Path.read_bytes)
        if (one / name).read_bytes() != (other / name).read_bytes():
            first, second = reader(one / name), reader(other / name)
            if first != second:
                found.append(f"{name}: {str(first)[:300]} ... {str(second)[:300]}")
    return found


def _parquet(path: Path) -> Any:
    """Columns and footer; no column of any table but costs is measured."""
    table = pq.read_table(path)
    kept = [name for name in table.column_names if not _measured(name)]
    footer = table.schema.metadata or {}
    return table.select(kept).to_pydict(), _lasting({k.decode(): v for k, v in footer.items()})


def _json(path: Path) -> Any:
    return _lasting(json.loads(path.read_text()))


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(item) for key, item in value.items() if not _measured(key)}
    return [_lasting(item) for item in value] if isinstance(value, list) else value


def _measured(name: str) -> bool:
    return any(part in name for part in MEASURED)


READERS = {".parquet": _parquet, ".json": _json}
