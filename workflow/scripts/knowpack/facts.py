"""From triples or a user's table to the facts of a study (paper, section Facts)."""

import hashlib
import unicodedata
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from knowpack.errors import DataError, suggest
from knowpack.templates import Relation

FACTS = pa.schema(
    [
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("subject", pa.string()),
        pa.field("relation", pa.string()),
        pa.field("object", pa.string()),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answers", pa.list_(pa.string()), nullable=False),
        pa.field("popularity", pa.string()),
        pa.field("domain", pa.string()),
    ]
)
TEXTS = ("subject", "relation", "object", "question", "popularity", "domain")


def build_facts(
    triples: pd.DataFrame,
    relations: Mapping[str, Relation],
    size: int | None,
    seed: int,
    table: str | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Clean the triples, class them by popularity and draw ``size`` facts (None: all).

    Takes what ``clean_facts`` takes. Returns a frame of schema ``FACTS`` sorted by fact_id, and how
    many rows each rule dropped.

    Raises:
        DataError: see ``clean_facts`` and ``draw_facts``; or no fact is left.
    """
    candidates, drops = clean_facts(triples, relations, table)
    if candidates.empty:
        counts = ", ".join(f"{name} {count}" for name, count in drops.items())
        raise DataError(f"{table or 'facts'}: no fact is left of {len(triples)} rows ({counts})")
    facts = draw_facts(candidates, size, seed)
    return facts[FACTS.names], drops


def clean_facts(
    triples: pd.DataFrame, relations: Mapping[str, Relation], table: str | None = None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Turn triples into candidate facts and drop those that cannot be asked.

    ``triples`` has the columns of ``tabular.read_table_source``, or subject, relation, object and
    optionally aliases (list or null), question, score, popularity and domain. Where it has no
    question, the relation's first template asks. ``table`` is the path of a user's table, in which
    a duplicate is an error; elsewhere the duplicate with the highest score stays.

    Texts that differ in case, white space or Unicode compatibility form alone are the same.

    Returns:
        The candidates, sorted by fact_id: the columns of ``FACTS`` and score; and the counts
        duplicate, ambiguous (a (subject, relation) or a question with several answers) and
        answer_in_question, of rows, and alias_in_question, of aliases that a kept fact lost.

    Raises:
        DataError: a relation has neither template nor questions, an answer is empty, a user's table
            holds a duplicate.
    """
    frame = _with_columns(triples, relations, table or "facts")
    keys = _keys(frame)
    frame["fact_id"] = _digests(keys["triple"].where(keys["triple"].notna(), keys["asked"]))
    if table is not None:
        _refuse_duplicates(frame, keys["asked"], table)
    unique = _first_of_each(frame, keys["asked"])
    ambiguous = _ambiguous(keys["pair"], keys["label"])
    ambiguous |= _ambiguous(keys["question"], keys["label"])
    texts = zip(keys["label"].tolist(), keys["question"].tolist(), strict=True)
    given = pd.Series([label in question for label, question in texts], frame.index, dtype=bool)
    drops = {
        "duplicate": int((~unique).sum()),
        "ambiguous": int((unique & ambiguous).sum()),
        "answer_in_question": int((unique & ~ambiguous & given).sum()),
    }
    frame = frame[unique & ~ambiguous & ~given].sort_values("fact_id", ignore_index=True)
    frame, drops["alias_in_question"] = _without_given_aliases(frame)
    frame["popularity"] = frame["popularity"].where(frame["popularity"].notna(), _popularity(frame))
    return frame[[*FACTS.names, "score"]], drops


def draw_facts(candidates: pd.DataFrame, size: int | None, seed: int) -> pd.DataFrame:
    """Draw ``size`` candidates in equal shares of relations, and within each of popularities.

    A relation or a popularity with too few gives all it has, and the others fill up. The draw
    depends on ``seed`` and the set of candidates, not on their order; a smaller one is part of a
    larger. None draws all. Returns the drawn rows sorted by fact_id.

    Raises:
        DataError: ``size`` is below 1 or above the number of candidates.
    """
    candidates = candidates.reset_index(drop=True)
    supply = len(candidates)
    if size is not None and not 1 <= size <= supply:
        raise DataError(
            f"{size} facts are asked for and there are {supply}; ask for 1 to {supply}, or for all"
        )
    relation = candidates["relation"].fillna("")
    stratum = relation + "\x1f" + candidates["popularity"].fillna("")
    order = pd.DataFrame(
        {
            "relation": _shuffled(relation, seed),
            "stratum": _shuffled(stratum, seed),
            "fact": _shuffled(candidates["fact_id"], seed),
        }
    )
    # Turns in a round of all strata, then in a round of all relations, are water-filling.
    order = order.sort_values("fact")
    order["turn"] = order.groupby("stratum").cumcount()
    order = order.sort_values(["turn", "stratum"])
    order["turn"] = order.groupby("relation").cumcount()
    drawn = order.sort_values(["turn", "relation"]).index[:size]
    return candidates.loc[drawn].sort_values("fact_id", ignore_index=True)


def _with_columns(
    triples: pd.DataFrame, relations: Mapping[str, Relation], where: str
) -> pd.DataFrame:
    """Return a frame with every column of FACTS but fact_id, and score; null where unknown."""
    frame = triples.reset_index(drop=True)
    for name in TEXTS:
        present = frame[name] if name in frame else pd.Series(None, index=frame.index)
        frame[name] = present.astype("str")
    frame["score"] = frame["score"].astype("float64") if "score" in frame else float("nan")
    unasked = frame["question"].isna()
    if unasked.any():
        frame.loc[unasked, "question"] = _questions(frame[unasked], relations, where)
    if "answers" not in frame:
        none: list[list[str] | None] = [None] * len(frame)
        aliases = frame.get("aliases", none)
        frame["answers"] = [
            list(dict.fromkeys([label, *(more if pd.api.types.is_list_like(more) else [])]))
            for label, more in zip(frame["object"].tolist(), aliases, strict=True)
        ]
    for position, answers in enumerate(frame["answers"]):
        if not all(isinstance(text, str) and text.strip() for text in answers):
            raise DataError(
                f"{where}: an answer of {frame['question'][position]!r} is empty, which would "
                f"match every text: {answers}; remove it"
            )
    domains = {name: relation.domain or relation.range for name, relation in relations.items()}
    known = frame["relation"].map(domains).astype("str")
    frame["domain"] = frame["domain"].where(frame["domain"].notna(), known)
    return frame


def _questions(triples: pd.DataFrame, relations: Mapping[str, Relation], where: str) -> list[str]:
    names = triples["relation"].tolist()
    missing = sorted(set(names) - relations.keys())
    if missing:
        listed = ", ".join(f"'{name}'{suggest(name, relations)}" for name in missing)
        raise DataError(
            f"{where}: relations without a template: {listed}; add them to the file of relations, "
            "or give the table a column 'question'"
        )
    pairs = zip(names, triples["subject"].tolist(), strict=True)
    return [relations[name].question(subject) for name, subject in pairs]


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _normalised(texts: pd.Series) -> pd.Series:
    """Return the texts in one case, Unicode form and spacing; null stays null."""
    codes, found = pd.factorize(texts)
    changed = [_plain(text) for text in found.tolist()]
    return pd.Series(pd.array(changed, dtype="str").take(codes, allow_fill=True), texts.index)


def _digests(texts: pd.Series) -> list[str]:
    return [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts.tolist()]


def _shuffled(texts: pd.Series, seed: int) -> pd.Series:
    """Return a sort key for each text, random in ``seed`` and equal for equal texts."""
    codes, found = pd.factorize(texts)
    keys = pd.Series(_digests(f"{seed}\x1f" + pd.Series(found, dtype="str")), dtype="str")
    return keys.take(codes).set_axis(texts.index)


def _keys(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what makes facts the same: normalised texts, and joins of them (null where one is)."""
    keys = pd.DataFrame({name: _normalised(frame[name]) for name in TEXTS[:4]})
    keys["label"] = _normalised(frame["answers"].str[0])
    keys["pair"] = keys["subject"] + "\x1f" + keys["relation"]
    keys["triple"] = keys["pair"] + "\x1f" + keys["object"]
    keys["asked"] = keys["question"] + "\x1f" + keys["label"]
    return keys


def _first_of_each(frame: pd.DataFrame, asked: pd.Series) -> pd.Series:
    """Tell which rows stay when each fact, and each question with its answer, stands once."""
    ties = frame["answers"].str.join("\x1f") + "\x1f" + frame["question"]
    order = frame[["fact_id", "score"]].assign(ties=ties, asked=asked)
    order = order.sort_values(["score", "fact_id", "ties"], ascending=[False, True, True])
    order = order.drop_duplicates("fact_id").drop_duplicates("asked")
    return pd.Series(frame.index.isin(order.index), index=frame.index)


def _ambiguous(key: pd.Series, label: pd.Series) -> pd.Series:
    """Tell which rows have a key that stands with more than one label; a null key never has."""
    pairs = pd.DataFrame({"key": key, "label": label}).dropna().drop_duplicates()["key"]
    return key.isin(pairs[pairs.duplicated()])


def _refuse_duplicates(frame: pd.DataFrame, asked: pd.Series, table: str) -> None:
    for key, what in ((frame["fact_id"], "fact"), (asked, "question and answer")):
        repeated = key[key.duplicated()]
        if len(repeated):
            rows = " and ".join(map(str, frame["row"][key == repeated.iloc[0]]))
            raise DataError(
                f"{table}: rows {rows} hold the same {what}; keep one of each "
                f"(rows to remove in all: {len(repeated)})"
            )


def _without_given_aliases(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Take away aliases that stand in the question, where repeating it would count as right."""
    asked = _normalised(frame["question"]).tolist()
    kept = [
        [answers[0], *(alias for alias in answers[1:] if _plain(alias) not in question)]
        for question, answers in zip(asked, frame["answers"], strict=True)
    ]
    lost = frame["answers"].str.len().sum() - sum(map(len, kept))
    return frame.assign(answers=pd.Series(kept, index=frame.index, dtype=object)), int(lost)


def _popularity(frame: pd.DataFrame) -> pd.Series:
    """Class each fact by the share of its relation's score that lies above it, in thirds."""
    order = frame.sort_values(["score", "fact_id"], ascending=[False, True])
    scores = order.groupby("relation", dropna=False)["score"]
    above, total = scores.cumsum() - order["score"], scores.transform("sum")
    found = pd.Series("tail", index=order.index).where(3 * above >= 2 * total, "torso")
    found = found.where(3 * above >= total, "head")
    return found.where((total > 0) & order["score"].notna()).reindex(frame.index)
