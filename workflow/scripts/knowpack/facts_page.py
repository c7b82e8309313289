"""What stands on the page of a fact set, in words: made before a model is asked anything."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from knowpack import fact_set
from knowpack.errors import DataError
from knowpack.pages import Picture, Table, fill
from knowpack.plots import STYLE, to_svg

TEMPLATE = Path(__file__).parents[2] / "report" / "facts.html.j2"
UNKNOWN = "–"
READ = {"dbpedia": "lines", "world": "triples"}  # what a source is read in; others in rows
POPULARITY = (
    "From head, the best known, to tail, the least known; each holds a third of the popularity, "
    "so few are head."
)
_RECORD = ("read", "dropped", "unasked", "aliases")
_RELATIONS = 200  # printed at most
_LONGEST = 300  # characters of a text that are printed
_ANSWERS = 8  # of a fact, printed at most
_BARS = 30
_TITLES = {"none": "No popularity", "words": "What", "p95": "95%"}


def read_record(metadata: Mapping[str, str], path: str) -> dict[str, Any]:
    """Return what the job that built the facts wrote into the table's footer.

    Raises:
        DataError: the footer lacks a part of it.
    """
    texts = {"unasked": "{}"} | dict(metadata)
    missing = [name for name in _RECORD if name not in texts]
    if missing:
        raise DataError(f"{path}: its footer lacks {missing}; delete the file and run again")
    return {name: json.loads(texts[name]) for name in _RECORD}


def compose(facts: pd.DataFrame, record: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    """Return the page of a fact set as HTML.

    Args:
        facts: of schema `knowpack.facts.FACTS`.
        record: from ``read_record``.
        spec: the keys title, source, place (path or dataset; None: packages) and seed (of the sample).
    """
    return fill(
        TEMPLATE,
        title=spec["title"],
        headline=headline(facts, record["read"], spec),
        relations=_relations(facts),
        answers=_shared_answers(facts),
        lengths=_lengths(facts),
        histogram=_histogram(facts),
        left_out=_left_out(record["dropped"]),
        unasked=_unasked(record["unasked"]),
        aliases=aliases_in_words(record["aliases"], facts),
        unknown_objects=_unknown_objects(record["aliases"]),
        sample=_sample(facts, spec["seed"]),
    )


def headline(facts: pd.DataFrame, read: int, spec: Mapping[str, Any]) -> str:
    """Return one sentence: how many facts, of how many relations, from where, out of how much."""
    relations = facts["relation"].nunique()
    of = f" of {_count(relations, 'relation')}" if relations else ""
    place = " ".join(str(spec["place"] or "data packages").split())
    unit = READ.get(spec["source"], "rows").removesuffix("s")
    return (
        f"{_count(len(facts), 'fact')}{of}, out of {_count(read, unit)} read from {place} "
        f"(source '{spec['source']}')."
    )


def aliases_in_words(record: Mapping[str, Any], facts: pd.DataFrame) -> str:
    """Return how many objects or facts are also judged by other answers than their label."""
    several = int(sum(len(answers) > 1 for answers in facts["answers"]))
    have = f"{_count(several, 'fact')} of {len(facts):,} {'has' if several == 1 else 'have'}"
    if record["source"] != "none":
        source = {"table": "a table", "wikidata": "Wikidata"}.get(record["source"])
        return (
            f"{record['found']:,} of {_count(record['objects'], 'object')} got an alias from "
            f"{source or record['source']}, {_count(record['added'], 'alias')} in all; "
            f"{have} more than one accepted answer."
        )
    if several:
        return f"No aliases were looked up; {have} more than one answer in the source itself."
    return "There are no aliases: an answer is judged by the facts' labels alone."


def _relations(facts: pd.DataFrame) -> Table:
    title, table = "Relations and popularity", fact_set.by_relation(facts)
    known = facts[["relation", "domain", "popularity"]].notna().any()
    said = "" if known.all() else f"Not known of these facts: {', '.join(known.index[~known])}."
    if not known.any():
        return Table(title, "", said, None)
    if known["popularity"]:
        said = f"{POPULARITY} {said}"
    else:
        table = table[["relation", "domain", "facts"]]
    if len(table) > _RELATIONS:
        said = f"{said} The {_RELATIONS} with the most facts, of {len(table):,}."
    if "none" in table and not table["none"].any():
        table = table.drop(columns="none")
    return Table(title, "", said.strip(), _printed(_known(table.head(_RELATIONS))))


def _shared_answers(facts: pd.DataFrame) -> Table:
    title, table = "Answers of many facts", fact_set.shared_answers(facts)
    if table.empty:
        return Table(title, "", "No two facts have the same answer.", None)
    first = table.iloc[0]
    said = (
        f"Such answers let a model score by guessing: one that always said “{_short(first['answer'])}” "
        f"would be right about {_share(first['share'])} of the facts."
    )
    return Table(title, "", said, _printed(table.assign(share=table["share"].map(_share))))


def _lengths(facts: pd.DataFrame) -> Table:
    table = fact_set.spread(fact_set.lengths(facts)).map(
        lambda number: f"{number:,.1f}".removesuffix(".0")
    )
    table.insert(0, "of", ["Question, characters", "Label, characters", "Answers of a fact"])
    said = (
        "The label is a fact's first answer, the one that is taught; any of them counts as right."
    )
    return Table("Lengths", "", said, _printed(table))


def _histogram(facts: pd.DataFrame) -> Picture:
    """The lengths of questions and labels, the longest hundredth in the last bar."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 2.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for axes, name in ((left, "question"), (right, "label")):
            numbers = fact_set.lengths(facts)[name]
            least, most = int(numbers.min()), int(numbers.quantile(0.99, "higher"))
            width = -(-(most - least + 1) // _BARS)
            edges = np.arange(least, most + width + 1, width)
            axes.hist(numbers.clip(upper=edges[-1]), edges, color="#0072B2")
            axes.set(xlabel=f"characters of the {name}", ylabel="facts")
    caption = "Facts by the length of question and label; the last bar also holds the longest 1%."
    return Picture("Histogram of lengths", "", caption, to_svg(figure, caption))


def _left_out(dropped: Mapping[str, int]) -> Table:
    title, table = "What was left out", fact_set.left_out(dropped)
    if not any(dropped.values()):
        return Table(title, "", "Nothing was left out.", None)
    return Table(title, "", "In the order of the way.", _printed(table[["words", "count"]]))


def _unasked(unasked: Mapping[str, int]) -> Table:
    title, table = "Relations without a template", fact_set.without_template(unasked)
    if table.empty:
        return Table(title, "", "None was left out for want of a question template.", None)
    relations, triples = _count(len(unasked), "relation"), _count(sum(unasked.values()), "triple")
    said = f"{relations} with {triples} in all could not be asked about; add templates to ask."
    if len(table) < len(unasked):
        said += f" Here are the {len(table)} with the most triples."
    return Table(title, "", said, _printed(table))


def _unknown_objects(record: Mapping[str, Any]) -> str:
    """The objects of the user's table of aliases that no fact has; empty where there are none."""
    count, listed = record.get("unknown_count", 0), record.get("unknown", [])
    if not count:
        return ""
    more = f", and {count - len(listed):,} more" if count > len(listed) else ""
    names, verb = ", ".join(map(_short, listed)), "is" if count == 1 else "are"
    return f"{_count(count, 'object')} of the table of aliases {verb} in no fact: {names}{more}."


def _sample(facts: pd.DataFrame, seed: int) -> Table:
    drawn = fact_set.sample(facts, seed)
    table = drawn[["question", "answers", "popularity", "domain", "relation"]]
    table = table.assign(answers=[_listed(answers) for answers in drawn["answers"]])
    whole = len(drawn) == len(facts)
    said = "All facts." if whole else f"{len(drawn)} facts, drawn at random (seed {seed})."
    return Table("A sample", "", said, _printed(_known(table)))


def _known(table: pd.DataFrame) -> pd.DataFrame:
    """The table without the columns in which nothing is known."""
    return table.loc[:, table.notna().any()]


def _printed(table: pd.DataFrame) -> pd.DataFrame:
    def cell(value: Any) -> str:
        if pd.isna(value):
            return UNKNOWN
        return f"{value:,}" if isinstance(value, int) else _short(value)

    printed = table.astype(object).map(cell)
    return printed.rename(columns=lambda name: _TITLES.get(name, name.capitalize()))


def _listed(answers: Iterable[str]) -> str:
    texts = [_short(answer) for answer in answers]
    more = [f"and {len(texts) - _ANSWERS} more"] if len(texts) > _ANSWERS else []
    return "; ".join(texts[:_ANSWERS] + more)


def _short(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "less than 0.1%"


def _count(number: int, noun: str) -> str:
    """Return "1 fact" or "2,000 facts"."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
