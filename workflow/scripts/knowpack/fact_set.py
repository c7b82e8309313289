"""What a set of facts is like, before anything is asked about it: counts, lengths, a sample."""

from collections.abc import Mapping

import pandas as pd

from knowpack.draws import POPULARITIES

# Why something was left out; each begins with what is counted.
REASONS = {
    "comment": "lines that are comments or empty",
    "malformed": "lines that hold no whole triple",
    "literal": "triples whose object is a text or a number, not an entity",
    "no_template": "triples of a relation that no question template asks about",
    "several_objects": "triples of a subject and relation that have several objects",
    "empty_answer": "empty texts in lists of answers, which would match every text",
    "duplicate": "repeats of a fact, or of a question with its answer",
    "not_an_entity": "facts whose subject or object is no entity of the source's language",
    "generated_node": "facts about a node that the source made up for a part of a page",
    "list_page": "facts about a page about pages, such as a list or a category",
    "cleaning_rule": "facts whose object answers nothing, such as the relation's own name",
    "ambiguous": "facts whose question, or subject and relation, has several answers",
    "answer_in_question": "facts whose answer stands in the question",
    "alias_in_question": "aliases that stand in the question of their fact, which stays",
    "studied": "facts that the study itself asks about",
    "too_few_of_a_popularity": "facts of a relation that lacks head, torso or tail",
    "over_the_cap": "facts of a relation and popularity above the number that is drawn",
    "not_drawn": "facts that were not drawn, as fewer are asked for",
}


def by_relation(facts: pd.DataFrame) -> pd.DataFrame:
    """Count the facts of each relation and domain by popularity, those with the most facts first.

    ``facts`` has the columns relation, domain and popularity, each null where unknown. Returns
    columns relation, domain, head, torso, tail, none (facts without a popularity) and facts.
    """
    popularity = facts["popularity"].fillna("none")
    counts = {
        name: (popularity == name).groupby([facts["relation"], facts["domain"]], dropna=False).sum()
        for name in (*POPULARITIES, "none")
    }
    table = pd.DataFrame(counts)
    table["facts"] = table.sum(axis="columns")
    keys = ["facts", "relation", "domain"]
    return table.reset_index().sort_values(keys, ascending=[False, True, True], ignore_index=True)


def shared_answers(facts: pd.DataFrame, count: int = 20) -> pd.DataFrame:
    """Return the labels (first answers) of more than one fact, the most frequent ``count`` of them.

    ``facts`` has the column answers. Returns columns answer, facts, and share of all facts.
    """
    labels = pd.Series([answers[0] for answers in facts["answers"]], name="answer", dtype="str")
    found = labels.value_counts().rename("facts").reset_index()
    found = found[found["facts"] > 1]
    found = found.sort_values(["facts", "answer"], ascending=[False, True], ignore_index=True)
    return found.head(count).assign(share=found["facts"] / len(facts))


def lengths(facts: pd.DataFrame) -> pd.DataFrame:
    """Return the lengths of each fact: columns question and label (characters), answers (number)."""
    return pd.DataFrame(
        {
            "question": [len(text) for text in facts["question"]],
            "label": [len(answers[0]) for answers in facts["answers"]],
            "answers": [len(answers) for answers in facts["answers"]],
        }
    )


def spread(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return min, median, p95 (95th percentile) and max of each column, a row a column."""
    found = numbers.quantile([0, 0.5, 0.95, 1]).T
    return found.set_axis(["min", "median", "p95", "max"], axis="columns")


def left_out(dropped: Mapping[str, int]) -> pd.DataFrame:
    """Return what was left out, in the order given: columns reason, words and count.

    A reason that is not among ``REASONS`` is its own words.
    """
    rows = [(reason, REASONS.get(reason, reason), count) for reason, count in dropped.items()]
    return pd.DataFrame(rows, columns=["reason", "words", "count"])


def without_template(unasked: Mapping[str, int], count: int = 30) -> pd.DataFrame:
    """Return the ``count`` relations with the most triples: columns relation and triples."""
    table = pd.DataFrame(list(unasked.items()), columns=["relation", "triples"])
    keys = ["triples", "relation"]
    return table.sort_values(keys, ascending=[False, True], ignore_index=True).head(count)


def sample(facts: pd.DataFrame, seed: int, count: int = 20) -> pd.DataFrame:
    """Draw at most ``count`` facts, the same of the same facts in any order of rows."""
    ordered = facts.sort_values("fact_id", ignore_index=True)
    return ordered.sample(min(count, len(facts)), random_state=seed).reset_index(drop=True)
