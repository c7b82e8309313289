"""From triples or a user's table to the facts of a study (paper, section Facts)."""

import unicodedata
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from knowpack.draws import cap_facts, digests, draw_facts
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
        pa.field("published_category", pa.string()),
    ]
)
TEXTS = (
    "subject", "relation", "object", "question", "popularity", "domain", "published_category",
)  # fmt: skip


def facts_schema(facts: pd.DataFrame) -> pa.Schema:
    """Return ``FACTS``, without published_category where no fact has one."""
    if "published_category" in facts and facts["published_category"].notna().any():
        return FACTS
    return FACTS.remove(FACTS.get_field_index("published_category"))


def build_facts(
    triples: pd.DataFrame,
    relations: Mapping[str, Relation],
    size: int | None,
    seed: int,
    table: str | None = None,
    cap: int | None = None,
    studied: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Clean the triples, class them by popularity and draw ``size`` facts (None: all).

    Takes what ``clean_facts`` takes. Facts that stand in ``studied`` (fact_id, question) are left
    out, as ``leave_out`` does. With ``cap``, ``size`` draws from the facts that ``cap_facts``
    leaves. Returns a frame of schema ``FACTS`` sorted by fact_id, and how many rows each rule
    dropped, not_drawn being those that ``size`` left.

    Raises:
        DataError: see ``clean_facts`` and ``draw_facts``; or no fact is left.
    """
    candidates, drops = clean_facts(triples, relations, table)
    if studied is not None:
        candidates, drops["studied"] = leave_out(candidates, studied)
    if cap is not None:
        candidates, capped = cap_facts(candidates, cap, seed)
        drops |= capped
    if candidates.empty:
        counts = ", ".join(f"{name} {count}" for name, count in drops.items())
        raise DataError(f"{table or 'facts'}: no fact is left of {len(triples)} rows ({counts})")
    facts = draw_facts(candidates, size, seed)
    drops["not_drawn"] = len(candidates) - len(facts)
    return facts[FACTS.names], drops


def leave_out(facts: pd.DataFrame, others: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Leave out the facts that stand in ``others``, and say how many.

    They do with their question, whatever its case, white space or Unicode compatibility form, or,
    where ``others`` has the column, with their fact_id.
    """
    found = _normalised(facts["question"]).isin(_normalised(others["question"]))
    if "fact_id" in others:
        found |= facts["fact_id"].isin(others["fact_id"])
    return facts[~found].reset_index(drop=True), int(found.sum())


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
    frame["fact_id"] = digests(keys["triple"].where(keys["triple"].notna(), keys["asked"]))
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
    frame, drops["alias_in_question"] = without_given_aliases(frame)
    frame["popularity"] = frame["popularity"].where(frame["popularity"].notna(), _popularity(frame))
    return frame[[*FACTS.names, "score"]], drops


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
    domains = {name: relation.topic for name, relation in relations.items()}
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


def plain(text: str) -> str:
    """Return ``text`` in one case, Unicode compatibility form and spacing."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _normalised(texts: pd.Series) -> pd.Series:
    """Return the texts in one case, Unicode form and spacing; null stays null."""
    codes, found = pd.factorize(texts)
    changed = [plain(text) for text in found.tolist()]
    return pd.Series(pd.array(changed, dtype="str").take(codes, allow_fill=True), texts.index)


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


def without_given_aliases(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Take away aliases that stand in the question, where repeating it would count as right."""
    asked = _normalised(frame["question"]).tolist()
    kept = [
        [answers[0], *(alias for alias in answers[1:] if plain(alias) not in question)]
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
