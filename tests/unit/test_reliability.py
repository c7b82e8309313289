import pandas as pd
import pytest

from knowpack.errors import DataError
from knowpack.reliability import RELIABILITY, reliability
from knowpack.tables import write_table

RUN = {
    "model": "m",
    "run": "uk2",
    "unknown": 2,
    "extra": "highly_known",
    "per_unknown": 1,
    "seed": 42,
    "epochs": 3,
    "rank": 1,
}
ROWS = pd.DataFrame(
    {
        "fact_id": ["a", "a", "b", "h", "elsewhere"],
        "role": ["unknown", "paraphrase", "unknown", "highly_known", "highly_known"],
    }
)
LABELS = pd.DataFrame({"fact_id": ["a", "b", "h", "z"], "p_correct": [1.0, 0.5, 0.0, 0.0]})
DYNAMICS = pd.DataFrame(
    {"epoch": [2, 1, 1, 2], "fact_id": ["a", "a", "b", "b"], "p_correct": [0.6, 0.1, 0.3, 0.4]}
)


def test_final_epoch_only(tmp_path):
    found = reliability(RUN, ROWS, LABELS)
    assert found.to_dict("records") == [
        {
            "model": "m",
            "run": "uk2",
            "unknown": 2,
            "extra": "highly_known",
            "per_unknown": 1,
            "seed": 42,
            "epoch": 3,
            "reliability": 0.75,
            "facts": 2,
        }
    ]
    write_table(found, tmp_path / "reliability.parquet", RELIABILITY)


def test_with_dynamics():
    found = reliability(RUN, ROWS, LABELS, DYNAMICS)
    assert found["epoch"].tolist() == [1, 2, 3]
    assert found["reliability"].tolist() == pytest.approx([0.2, 0.5, 0.75])


@pytest.mark.parametrize(
    ("rows", "labels", "dynamics", "message"),
    [
        (ROWS, LABELS.drop(index=1), None, "epoch 3: of 2 trained unknown facts 1 have no"),
        (ROWS, LABELS.head(0), DYNAMICS, "epoch 3: of 2 trained unknown facts 2 have no"),
        (ROWS, LABELS, DYNAMICS.head(3), "epoch 2: of 2 trained unknown facts 1 have no"),
        (ROWS, LABELS, pd.concat([DYNAMICS] * 2), "0 have no p_correct, 2 have it twice, and 0"),
        (ROWS, LABELS, DYNAMICS.replace("b", "z"), "1 have no .* 0 have it twice, and 1 others"),
        (ROWS, LABELS, DYNAMICS.assign(epoch=3), r"dynamics of epochs \[3\], but the final epoch"),
        (ROWS.tail(1), LABELS, None, "run 'uk2': its rows hold no fact of role 'unknown'"),
    ],
)
def test_errors(rows, labels, dynamics, message):
    with pytest.raises(DataError, match=message):
        reliability(RUN, rows, labels, dynamics)
