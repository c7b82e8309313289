import pandas as pd
import pytest

from knowpack.answer_stats import ANSWERS, answer_stats
from knowpack.errors import DataError
from knowpack.tables import write_table

LABELS = pd.DataFrame({"fact_id": ["a", "b"], "refused": [True, False]})
RESPONSES = pd.DataFrame(
    [
        ("a", 0, 0, " Rome"),
        ("a", 1, 0, "Rome\n"),
        ("a", 2, 0, "rome"),
        ("b", 0, 0, "Oslo"),
        ("b", 1, 0, "Oslo"),
        ("b", 2, 0, ""),
        ("b", 2, 1, "sampled"),
    ],
    columns=["fact_id", "prompt", "sample", "text"],
)


def test_by_hand(tmp_path):
    found = answer_stats("m", "base", RESPONSES, LABELS)
    write_table(found, tmp_path / "answers.parquet", ANSWERS)
    assert found.to_dict("records") == [
        {
            "model": "m",
            "run": "base",
            "refused": 1,
            "unique_answers": 4,
            "mean_repeats": 1.5,
            "std_repeats": 0.5,
            "top_answer": "Oslo",
            "top_answer_count": 2,
        }
    ]


def test_no_greedy_answers():
    with pytest.raises(DataError, match=r"model 'm', run 'r': no greedy responses \(sample 0\)"):
        answer_stats("m", "r", RESPONSES.assign(sample=1), LABELS)
