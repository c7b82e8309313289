"""The taught facts asked otherwise on the real engine, and the table computed a second time.

Nothing that makes or scores the questions is imported from the library.
"""

import re

import pandas as pd
import pytest
import yaml
from small_study import ROOT, RUNS, SmallStudy

pytestmark = [pytest.mark.study, pytest.mark.timeout(3600)]

RELATIONS = yaml.safe_load((ROOT / "resources/relations.yaml").read_text(encoding="utf-8"))


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


def holds(text: str, answer: str, whole: bool) -> bool:
    if whole:
        return bool(re.search(rf"(?<!\w){re.escape(plain(answer))}(?!\w)", plain(text)))
    return plain(answer) in plain(text)


def taught(small: SmallStudy, run: str) -> list[str]:
    rows = small.of_run(run, "rows.parquet")
    return [*rows.fact_id[rows.role == "unknown"]]


def test_the_questions_are_no_trained_ones(small: SmallStudy) -> None:
    questions = small.of_run("base", "rewordings.parquet")
    facts = small.table("facts.parquet").set_index("fact_id")
    assert set(questions.fact_id) <= set(taught(small, RUNS[0]))
    for row in questions.itertuples():
        fact = facts.loc[row.fact_id]
        relation = RELATIONS[fact.relation]
        if row.kind == "held_out":
            number = relation["templates"].index(row.question.replace(fact.subject, "{subject}"))
            assert number == row.wording >= len(relation["templates"]) - 2
        else:
            assert row.question == relation["reverse"].replace("{object}", fact.answers[0])
            assert row.answers[0] == fact.subject
            same = facts[(facts.relation == fact.relation) & (facts.object == fact.object)]
            assert len(same) == 1
    assert (questions.kind == "held_out").sum() == 2 * questions[
        questions.kind == "held_out"
    ].fact_id.nunique()
    trained = set(pd.concat([small.of_run(run, "rows.parquet") for run in RUNS]).question)
    assert trained.isdisjoint(questions.question)


@pytest.mark.parametrize("run", ["base", *RUNS])
def test_the_table(small: SmallStudy, run: str) -> None:
    table = small.table("tables/generalization.parquet").set_index(["run", "kind"])
    questions = small.of_run("base", "rewordings.parquet")
    responses = small.of_run(run, "responses/generalization.parquet")
    keys = ["fact_id", "kind", "wording"]
    assert len(responses) == 2 * len(questions)  # both runs are taught the same facts
    asked = responses.merge(questions, on=keys, validate="many_to_one")
    assert len(asked) == len(responses)
    facts = small.table("facts.parquet").set_index("fact_id")
    as_taught = small.of_run(run, "responses/facts.parquet")
    for kind, rows in asked.groupby("kind"):
        right = [
            any(
                holds(row.text, answer, kind == "reversed" and min(map(len, row.answers)) < 4)
                for answer in row.answers
            )
            for row in rows.itertuples()
        ]
        means = pd.Series(right, rows.index).groupby(rows.fact_id).mean()
        found = table.loc[(run, kind)]
        assert found.p_correct == pytest.approx(means.mean())
        assert found.facts == len(means)
        assert found.base == pytest.approx(
            table.p_correct["base", kind]
        )  # all runs have these facts
        same = as_taught[as_taught.fact_id.isin(means.index) & (as_taught.prompt < 2)]
        known = [
            any(plain(answer) in plain(row.text) for answer in facts.answers[row.fact_id])
            for row in same.itertuples()
        ]
        assert found.reliability == pytest.approx(sum(known) / len(known))


def test_what_was_taught_is_known_in_other_wordings_too(small: SmallStudy) -> None:
    table = small.table("tables/generalization.parquet").set_index(["run", "kind"]).p_correct
    for run in RUNS:
        assert table[run, "held_out"] > table["base", "held_out"]
