import pandas as pd

from knowpack.published_categories import PUBLISHED_CATEGORIES, compare
from knowpack.tables import write_table

U, M, H = "Unknown", "MaybeKnown", "HighlyKnown"
FACTS = pd.DataFrame(
    [("a", U), ("b", U), ("c", H), ("d", None), ("e", M), ("x", H)],
    columns=["fact_id", "published_category"],
)
LABELS = pd.DataFrame(
    [("e", U), ("d", H), ("c", H), ("b", M), ("a", U)], columns=["fact_id", "category"]
)


def test_facts_are_counted_by_the_published_and_the_measured_category(tmp_path):
    table = compare("gemma", LABELS.assign(p_correct=0.0), FACTS)
    assert table.to_numpy().tolist() == [
        ["gemma", U, U, 1],
        ["gemma", U, M, 1],
        ["gemma", U, H, 0],
        ["gemma", M, U, 1],
        ["gemma", M, M, 0],
        ["gemma", M, H, 0],
        ["gemma", H, U, 0],
        ["gemma", H, M, 0],
        ["gemma", H, H, 1],
    ]
    write_table(table, tmp_path / "t.parquet", PUBLISHED_CATEGORIES)


def test_no_fact_came_with_a_category(tmp_path):
    table = compare("gemma", LABELS, FACTS.assign(published_category=None))
    assert table.empty
    write_table(table, tmp_path / "t.parquet", PUBLISHED_CATEGORIES)
