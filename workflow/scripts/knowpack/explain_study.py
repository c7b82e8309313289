"""The page of a run or a table of a study, from its folder of results: `make explain`."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from knowpack.conditions import KINDS, final_epoch
from knowpack.config import Study, load
from knowpack.contents import TABLES
from knowpack.errors import ConfigError, DataError, KnowpackError, suggest
from knowpack.evidence import Evidence, key
from knowpack.explain import page
from knowpack.files import checksum
from knowpack.plain_text import Line, listed
from knowpack.present import differences
from knowpack.records import Record, history, read_records
from knowpack.runs import run_table
from knowpack.tables import read_metadata, read_table

PASSING = {"epochs", "checkpoints", "README.md"}  # in a run's folder, and no result


@dataclass(frozen=True)
class Place:
    """A study: its folder of results, its present configuration, and its records."""

    folder: Path
    study: Study
    runs: list[dict[str, Any]]
    records: list[Record]


def explain_run(place: Place, run: str, model: str | None) -> str:
    """Return the page of a run, or of a model itself (`base`).

    Raises:
        ConfigError: there is no such run or model, or several models have it, or nothing was made.
    """
    pairs = {(row["model"], row["run"]) for row in place.runs}
    pairs |= {(m.name, "base") for m in place.study.models}
    recorded = [record["wildcards"] for record in place.records]
    pairs |= {(w["model"], w["run"]) for w in recorded if "model" in w and "run" in w}
    if model is not None and model not in {m for m, _ in pairs}:
        models = sorted({m for m, _ in pairs})
        raise ConfigError(f"there is no model '{model}'{suggest(model, models)}; {_one_of(models)}")
    runs = sorted({r for m, r in pairs if model in (None, m)})
    if run not in runs:
        raise ConfigError(f"there is no run '{run}'{suggest(run, runs)}; {_one_of(runs)}")
    models = sorted({m for m, r in pairs if r == run and model in (None, m)})
    if len(models) > 1:
        raise ConfigError(f"several models have a run '{run}'; write MODEL=, {_one_of(models)}")
    folder = place.folder / models[0] / run
    files = [folder.with_name("model") / "model.json"] * (run == "base")
    files += [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and PASSING.isdisjoint(path.parts) and not path.name.startswith(".")
    ]
    if not any(path.is_file() for path in files):
        raise ConfigError(f"{folder}: nothing of this run has been made yet")
    return page(_evidence(place, f"{run} of {models[0]}", files, models[0], run))


def explain_table(place: Place, name: str) -> str:
    """Return the page of a table.

    Raises:
        ConfigError: there is no such table, or it has not been made.
    """
    if name not in TABLES:
        raise ConfigError(f"there is no table '{name}'{suggest(name, TABLES)}; {_one_of(TABLES)}")
    files = sorted((place.folder / "tables").glob(f"{name}.*"))
    if not files:
        raise ConfigError(f"{place.folder}/tables/{name}.parquet has not been made yet")
    return page(_evidence(place, f"table '{name}'", files, table=name))


def _evidence(
    place: Place,
    subject: str,
    files: Iterable[Path],
    model: str = "",
    run: str = "",
    table: str = "",
) -> Evidence:
    folder = place.folder
    paths = [path.relative_to(folder).as_posix() for path in files]
    records, unrecorded = history(place.records, paths)
    touched = {file for record in records for file in (*record["inputs"], *record["outputs"])}
    about = touched | {f"{model}/model/model.json"} | {"facts.parquet"} if run else touched
    taught = {
        (record["wildcards"]["model"], record["wildcards"]["run"])
        for record in records
        if record["rule"] in ("train_adapter", "scale_adapter")
    }
    present = {
        (row["model"], row["run"]): " ".join([row["model"], row["run"]]) for row in place.runs
    }
    models = _models(folder, about)
    return Evidence(
        study=place.study.study,
        subject=subject,
        records=records,
        run=run,
        table=table,
        unrecorded=unrecorded,
        now={file: _checksum(folder / file) for file in sorted(touched)},
        differs={key(r): differences(r, place.study, place.runs) for r in records},
        models=models,
        resized=[file for name, made in models.items() for file in _resized(folder, name, made)],
        made=_read_json(folder / model / run / "adapter/run.json") if run else {},
        counts=_counts(folder, about),
        roles=_roles(folder / model / run / "rows.parquet") if run else {},
        asked=_footers(folder, [key(r) for r in records if r["rule"] == "ask"]) if run else {},
        results=_results(folder, model, run) if run else (),
        new_runs=[present[pair] for pair in present if taught and not run and pair not in taught],
    )


def _checksum(path: Path) -> str | None:
    return checksum(path) if path.is_file() else None


def _models(folder: Path, touched: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The content of each model.json, by the model's name."""
    found = {Path(file).parts[0]: folder / file for file in touched if file.endswith("model.json")}
    read = {name: _read_json(found[name]) for name in sorted(found)}
    return {name: made for name, made in read.items() if made}


def _resized(folder: Path, name: str, made: dict[str, Any]) -> list[str]:
    """Files of a model that are gone or of another size (their content is not read: it takes long)."""
    paths = {file: folder / name / "model" / file for file in made["files"]}
    return [
        f"{name}/model/{file}"
        for file, path in paths.items()
        if not path.is_file() or path.stat().st_size != made["files"][file]["bytes"]
    ]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _table(path: Path, columns: list[str] | None = None) -> pd.DataFrame | None:
    try:
        return read_table(path, columns)
    except DataError:  # it is absent, or the page says that it is changed
        return None


def _counts(folder: Path, touched: Iterable[str]) -> dict[str, int]:
    tables = {
        name: _table(folder / f"{name}.parquet", ["fact_id"])
        for name in ("facts", "extra_facts")
        if f"{name}.parquet" in touched
    }
    return {name: len(table) for name, table in tables.items() if table is not None}


def _roles(path: Path) -> dict[str, int]:
    rows = _table(path, ["role"])
    return {} if rows is None else dict(Counter(rows.role))


def _footers(folder: Path, files: Iterable[str]) -> dict[str, dict[str, str]]:
    found = {}
    for file in files:
        try:
            found[file] = read_metadata(folder / file)
        except DataError:  # the page says that it is gone or changed
            continue
    return found


def _results(folder: Path, model: str, run: str) -> list[Line]:
    """What a run learned and lost, as the tables have it; of a model itself, what it knows."""
    if run == "base":
        labels = _table(folder / model / run / "labels.parquet", ["category"])
        counts = {} if labels is None else labels.category.value_counts().to_dict()
        return [("categories", ", ".join(f"{n:,} {name}" for name, n in counts.items()))] * bool(
            counts
        )
    lines = []
    reliability, shifts = (
        _table(folder / f"tables/{n}.parquet") for n in ("reliability", "shifts")
    )
    for row in _rows(reliability, model, run, final=True):
        text = f"{row['reliability']:.3f} after epoch {row['epoch']}, of {row['facts']} facts"
        lines.append(("reliability", text))
    for row in _rows(shifts, model, run):
        text = f"{row['positive_shift']:.3f} of all facts risen, {row['negative_shift']:.3f} fallen"
        lines.append(("shifts", text))
    for row in _rows(_table(folder / "tables/generalization.parquet"), model, run):
        text = f"{row['p_correct']:.3f}, asked as taught {row['reliability']:.3f}, "
        lines.append((KINDS[row["kind"]], f"{text}of {row['facts']} facts"))
    return lines


def _rows(table: pd.DataFrame | None, model: str, run: str, final: bool = False) -> list[Any]:
    if table is None:
        return []
    table = table[(table["model"] == model) & (table["run"] == run)]
    return (final_epoch(table) if final and len(table) else table).to_dict("records")


def _one_of(names: Iterable[str]) -> str:
    return f"one of {listed([*names], 20)}"


def main() -> None:
    """Print the page that the command line asks for, or say in a line what can be asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("config", "run", "model", "table"):
        parser.add_argument(f"--{name}", default="")
    given = parser.parse_args()
    values = yaml.safe_load(Path(given.config).read_text(encoding="utf-8"))
    study = load(values)
    runs = run_table(study)
    folder = Path("results") / study.study
    place = Place(folder, study, runs, read_records(folder))
    if given.table:
        print(explain_table(place, given.table), end="")
    elif given.run:
        print(explain_run(place, given.run, given.model or None), end="")
    else:
        names = dict.fromkeys(["base", *(row["run"] for row in runs)])
        raise ConfigError(f"write RUN=, {_one_of(names)}; or TABLE=, {_one_of(TABLES)}")


if __name__ == "__main__":
    try:
        main()
    except KnowpackError as error:
        sys.exit(f"error: {error}")
