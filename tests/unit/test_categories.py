import pandas as pd
import pytest

from knowpack.categories import CATEGORIES, categories
from knowpack.errors import DataError
from knowpack.tables import write_table


def labels(*names: str, sampled: float | None = None) -> pd.DataFrame:
    return pd.DataFrame({"category": names, "p_sampled": [sampled] * len(names)})


def test_by_hand(tmp_path):
    found = categories("m", labels("Unknown", "HighlyKnown", "Unknown", "Unknown"))
    write_table(found, tmp_path / "categories.parquet", CATEGORIES)
    assert found["category"].tolist() == ["Unknown", "MaybeKnown", "HighlyKnown"]
    assert found["facts"].tolist() == [3, 0, 1]
    assert found["share"].tolist() == [0.75, 0.0, 0.25]


def test_weakly_known_where_samples_were_asked():
    found = categories("m", labels("Unknown", "WeaklyKnown", sampled=0.1))
    assert found["facts"].tolist() == [1, 1, 0, 0]


def test_errors():
    with pytest.raises(DataError, match=r"labels of 'm': 1 facts, categories \['Known'\] not in"):
        categories("m", labels("Known"))
    with pytest.raises(DataError, match="labels of 'm': 0 facts"):
        categories("m", labels())
