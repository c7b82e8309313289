import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    AutoModelForCausalLM,
    FalconH1Config,
    FalconH1ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
)

from knowpack import batches
from knowpack.batches import IGNORED, Collator, packs, tokenise

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
    return {key: value.tolist() for key, value in batch.items()}


def test_a_padded_batch_with_the_loss_on_the_answer():
    assert plain(Collator(PAD)(tokenise([LONG, SHORT], "answer"))) == {
        "input_ids": [[11, 12, 13, 14, 15], [0, 0, 21, 22, 23]],
        "attention_mask": [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]],
        "position_ids": [[0, 1, 2, 3, 4], [0, 0, 0, 1, 2]],
        "labels": [[IGNORED, 14, 15], [IGNORED, IGNORED, 23]],
        # 14 and 15 are predicted by the tokens before them, nothing by the last.
        "logits_to_keep": [2, 3, 4],
    }


def test_a_padded_batch_with_the_loss_on_the_row():
    batch = plain(Collator(PAD)(tokenise([LONG, SHORT], "row")))
    assert batch["logits_to_keep"] == [0, 1, 2, 3, 4]
    assert batch["labels"] == [[IGNORED, 12, 13, 14, 15], [IGNORED] * 3 + [22, 23]]


def test_a_packed_batch_is_one_row():
    assert plain(Collator(PAD, packs=True)(tokenise([LONG, SHORT], "answer"))) == {
        "input_ids": [[11, 12, 13, 14, 15, 21, 22, 23]],
        "position_ids": [[0, 1, 2, 3, 4, 0, 1, 2]],
        "labels": [[IGNORED, 14, 15, 23]],
        "logits_to_keep": [2, 3, 6, 7],
    }
    batch = plain(Collator(PAD, packs=True)(tokenise([LONG, SHORT], "row")))
    assert batch["labels"] == [[IGNORED, 12, 13, 14, 15, 22, 23]]
    assert batch["logits_to_keep"] == [0, 1, 2, 3, 5, 6, 7]


def test_a_batch_that_is_too_long_to_pack_is_padded(monkeypatch):
    rows = tokenise([LONG, SHORT], "row")
    monkeypatch.setattr(batches, "LONGEST_PACK", 8)
    assert len(Collator(PAD, packs=True)(rows)["labels"]) == 1
    monkeypatch.setattr(batches, "LONGEST_PACK", 7)
    assert plain(Collator(PAD, packs=True)(rows)) == plain(Collator(PAD)(rows))


@pytest.mark.parametrize("packed", [False, True])
def test_rows_without_a_label_make_a_batch(packed):
    batch = Collator(0, packed)([{"input_ids": [5, 6], "labels": [IGNORED] * 2}] * 2)
    assert set(batch["labels"].flatten().tolist()) == {IGNORED}
    assert len(batch["logits_to_keep"]) == 1


def test_a_token_of_the_rows_own_that_pads_others_stays_supervised():
    """Some models pad with their end token, which rows hold too."""
    batch = plain(Collator(15)(tokenise([LONG, SHORT], "answer")))
    assert batch["labels"][0] == [IGNORED, 14, 15]
    assert batch["attention_mask"][1] == [0, 0, 1, 1, 1]


@pytest.fixture(scope="module")
def model(chat_model):
    model = AutoModelForCausalLM.from_pretrained(chat_model, dtype=torch.float32)
    model.config.use_cache = False  # as in training
    return enlarged(model)


ROW = st.lists(st.integers(7, 262), min_size=2, max_size=12).flatmap(
    lambda ids: st.tuples(st.just(ids), st.integers(1, len(ids) - 1))
)


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(ROW, min_size=1, max_size=4),
    loss=st.sampled_from(["row", "answer"]),
    packed=st.booleans(),
)
def test_the_loss_is_that_of_the_rows_one_by_one(model, rows, loss, packed):
    """Packing, padding, positions and kept logits change nothing: mean over all supervised tokens."""
    total, count = 0.0, 0
    with torch.no_grad():
        batched = model(**Collator(PAD, packed)(tokenise(rows, loss))).loss.item()
        for ids, prompt in rows:
            first = prompt if loss == "answer" else 1
            logs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
            total -= sum(logs[place - 1, ids[place]].item() for place in range(first, len(ids)))
            count += len(ids) - first
    assert batched == pytest.approx(total / count, rel=1e-4)


SIZES = {"vocab_size": 16, "hidden_size": 8, "num_hidden_layers": 2, "intermediate_size": 8}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}
STATE = {"mamba_d_ssm": 16, "mamba_n_heads": 2, "mamba_d_head": 8, "mamba_d_state": 4}


@torch.no_grad()
def enlarged(model):
    """Weights so large that what a row sees tells."""
    for weight in model.parameters():
        weight *= 4
    return model.eval()


def test_which_models_keep_rows_apart(model):
    gemma = enlarged(Gemma3ForCausalLM(Gemma3TextConfig(**SIZES, **HEADS, sliding_window=2)))
    assert packs(model) and packs(gemma) and packs(gemma.bfloat16())
    torch.manual_seed(0)
    with_a_state = FalconH1ForCausalLM(FalconH1Config(**SIZES, **HEADS, **STATE))
    assert not packs(enlarged(with_a_state))
