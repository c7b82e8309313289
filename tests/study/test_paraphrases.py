"""Paraphrases written by a model on the real engine."""

from pathlib import Path

import pandas as pd
import pytest
from small_study import run_script
from writing_model import make_writing_model

pytestmark = [pytest.mark.study, pytest.mark.slow]


def test_a_model_writes_paraphrases_of_every_question(tmp_path: Path, chat_model: Path) -> None:
    pytest.importorskip("vllm", reason="vllm is not installed (make setup)")
    model = make_writing_model(chat_model, tmp_path / "model")
    facts = pd.DataFrame(
        {"fact_id": ["b", "a"], "question": ["Where is Oslo?", "Who wrote it?"], "subject": None}
    )
    facts.to_parquet(tmp_path / "facts.parquet")
    made = tmp_path / "paraphrases.parquet"
    run_script("write_paraphrases.py", model, tmp_path / "facts.parquet", made)
    table = pd.read_parquet(made)
    assert table.fact_id.drop_duplicates().tolist() == ["b", "a"]
    for _, wordings in table.groupby("fact_id"):
        assert len(wordings) >= 3
        assert wordings.number.tolist() == list(range(1, len(wordings) + 1))
        assert wordings.question.is_unique
