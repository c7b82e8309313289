import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from knowpack.batches import IGNORED, Collator, tokenise

PAD = 0
LONG, SHORT = ([11, 12, 13, 14, 15], 3), ([21, 22, 23], 2)


def test_labels_are_every_token_of_the_row_that_another_predicts():
    assert tokenise([LONG, SHORT], "row") == [
        {"input_ids": [11, 12, 13, 14, 15], "labels": [IGNORED, 12, 13, 14, 15]},
        {"input_ids": [21, 22, 23], "labels": [IGNORED, 22, 23]},
    ]


def test_labels_are_the_answers_tokens_alone():
    assert [row["labels"] for row in tokenise([LONG, SHORT], "answer")] == [
        [IGNORED, IGNORED, IGNORED, 14, 15],
        [IGNORED, IGNORED, 23],
    ]


def plain(batch: dict) -> dict:
    return {
        key: value.tolist() if torch.is_tensor(value) else value for key, value in batch.items()
    }


def test_a_batch_with_the_loss_on_the_answer():
    assert plain(Collator(PAD)(tokenise([LONG, SHORT], "answer"))) == {
        "input_ids": [[11, 12, 13, 14, 15], [0, 0, 21, 22, 23]],
        "attention_mask": [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]],
        "position_ids": [[0, 1, 2, 3, 4], [0, 0, 0, 1, 2]],
        "labels": [[IGNORED, 14, 15], [IGNORED, IGNORED, 23]],
        "logits_to_keep": 3,  # the token before the first supervised one, 14, predicts it
    }


def test_a_batch_with_the_loss_on_the_row():
    batch = plain(Collator(PAD)(tokenise([LONG, SHORT], "row")))
    assert batch["logits_to_keep"] == 5
    assert batch["labels"] == [[IGNORED, 12, 13, 14, 15], [IGNORED] * 3 + [22, 23]]


def test_a_token_of_the_rows_own_that_pads_others_stays_supervised():
    """Some models pad with their end token, which rows hold too."""
    batch = plain(Collator(15)(tokenise([LONG, SHORT], "answer")))
    assert batch["labels"][0] == [IGNORED, 14, 15]
    assert batch["attention_mask"][1] == [0, 0, 1, 1, 1]


@pytest.fixture(scope="module")
def model(chat_model):
    return AutoModelForCausalLM.from_pretrained(chat_model, dtype=torch.float32).eval()


ROW = st.lists(st.integers(7, 262), min_size=2, max_size=12).flatmap(
    lambda ids: st.tuples(st.just(ids), st.integers(1, len(ids) - 1))
)


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=4), loss=st.sampled_from(["row", "answer"]))
def test_the_loss_is_that_of_the_rows_one_by_one(model, rows, loss):
    """Padding, positions and kept logits change nothing: mean over all supervised tokens."""
    total, count = 0.0, 0
    with torch.no_grad():
        batched = model(**Collator(PAD)(tokenise(rows, loss))).loss.item()
        for ids, prompt in rows:
            first = prompt if loss == "answer" else 1
            logs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
            total -= sum(logs[place - 1, ids[place]].item() for place in range(first, len(ids)))
            count += len(ids) - first
    assert batched == pytest.approx(total / count, rel=1e-4)
