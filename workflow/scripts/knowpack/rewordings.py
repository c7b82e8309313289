"""Taught facts asked otherwise: in wordings that no run is trained on, and back from the object."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from knowpack.answers import matches, normalise
from knowpack.templates import BACK, Relation

REWORDINGS = pa.schema(
    [
        pa.field("fact_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("wording", pa.int64(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answers", pa.list_(pa.string()), nullable=False),
    ]
)
HELD_OUT, REVERSED = "held_out", "reversed"
SHORT = 3  # characters of a code, such as Fe or CDG, which many a longer word holds


class _Question(NamedTuple):
    fact_id: str
    kind: str
    wording: int
    question: str
    answers: list[str]


def rewordings(
    facts: pd.DataFrame,
    rows: pd.DataFrame,
    paraphrases: pd.DataFrame | None,
    relations: Mapping[str, Relation],
    shots: pd.DataFrame,
    *,
    wordings: int,
    trained: int,
) -> pd.DataFrame:
    """Return columns `REWORDINGS`: what taught facts are asked beside the question they were taught.

    Kind ``held_out``: of a fact's paraphrases the last ``wordings`` of those after the first
    ``trained``, on which runs may be trained; ``wording`` is the paraphrase's number. Kind
    ``reversed``: the question of the relation's reverse template, whose answers are the subject and
    the accepted answers of facts that have this subject as their object (with or without a "the");
    ``wording`` is 0. It is asked only where the relation's facts have no other subject with this
    object, and where the subject is more than a single character.

    Left out are questions that hold their answer, and facts that a few-shot example states: one
    that holds subject and object. An accepted answer that stands in a question does not count.

    Args:
        facts: all facts of the study, columns `knowpack.facts.FACTS`.
        rows: fact_id and role of the run that is taught the most; those of role unknown are meant.
        paraphrases: columns `knowpack.paraphrases.PARAPHRASES`; None where none are held out.
        relations: those with a reverse template are asked so.
        shots: question and answer of all examples that the prompts show.
        wordings: how many wordings of a fact are held out.
        trained: how many of its paraphrases a run of the model may be trained on.
    """
    taught = rows.loc[rows["role"] == "unknown", "fact_id"].drop_duplicates()
    known = facts.set_index("fact_id", drop=False).loc[taught]
    questions = [*_reversed(known, facts, relations)]
    if paraphrases is not None and wordings:
        questions += _held_out(known, paraphrases, wordings, trained)
    told = _told(known, shots)
    kept = [_without_given(question) for question in questions if question.fact_id not in told]
    table = pd.DataFrame([q for q in kept if q.answers], columns=REWORDINGS.names)
    return table.sort_values(["kind", "wording", "fact_id"], ignore_index=True)


def rule(kind: str, answers: Sequence[str], match: str) -> str:
    """Return the rule by which an answer is right: ``match``, or "word" for a short reversed one."""
    short = kind == REVERSED and min(map(len, answers)) <= SHORT
    return "word" if short else match


def _held_out(
    known: pd.DataFrame, paraphrases: pd.DataFrame, wordings: int, trained: int
) -> Iterator[_Question]:
    """The last wordings of each fact; the question that it is taught in is none of them."""
    of_known = paraphrases[paraphrases["fact_id"].isin(known["fact_id"])]
    its = dict([*of_known.sort_values("number").groupby("fact_id")])
    for fact in known[known["fact_id"].isin(its)].to_dict("records"):
        free = its[fact["fact_id"]].iloc[trained:]
        free = free[free["question"].map(normalise) != normalise(fact["question"])].tail(wordings)
        for number, question in zip(free["number"], free["question"], strict=True):
            yield _Question(fact["fact_id"], HELD_OUT, number, question, list(fact["answers"]))


def _reversed(
    known: pd.DataFrame, facts: pd.DataFrame, relations: Mapping[str, Relation]
) -> Iterator[_Question]:
    names = [name for name, relation in relations.items() if relation.reverse]
    facts = facts[facts["subject"].notna()]
    aliases = {normalise(answers[0]): answers for answers in facts["answers"]}
    facts = facts[facts["relation"].isin(names)]
    accepted = facts[["relation", "subject", "answers"]].explode("answers")
    accepted["answers"] = accepted["answers"].map(normalise)
    subjects = accepted.groupby(["relation", "answers"])["subject"].nunique()
    for fact in known[known["fact_id"].isin(facts["fact_id"])].to_dict("records"):
        subject, label = fact["subject"], fact["answers"][0]
        if len(subject) > 1 and subjects[fact["relation"], normalise(label)] == 1:
            question = str(relations[fact["relation"]].reverse).replace(BACK, label)
            names = [subject, subject.removeprefix("the ")]
            known_as = [alias for name in names for alias in aliases.get(normalise(name), [])]
            answers = [*dict.fromkeys(names + known_as)]
            yield _Question(fact["fact_id"], REVERSED, 0, question, answers)


def _told(known: pd.DataFrame, shots: pd.DataFrame) -> set[str]:
    """The facts that an example states."""
    examples = [normalise(f"{q} {a}") for q, a in zip(shots.question, shots.answer, strict=True)]
    told = set()
    for fact in known[known["subject"].notna()].to_dict("records"):
        subject, label = normalise(fact["subject"]), normalise(fact["answers"][0])
        if any(subject in example and label in example for example in examples):
            told.add(fact["fact_id"])
    return told


def _without_given(question: _Question) -> _Question:
    """A question without answers that it holds itself; without any, where it holds the first."""
    by = rule(question.kind, question.answers, "substring")
    first, *others = question.answers
    given = [answer for answer in question.answers if matches([question.question], [answer], by)[0]]
    kept = [] if first in given else [first, *(text for text in others if text not in given)]
    return question._replace(answers=kept)
