"""The head's loss in tiles against torch's own, and which heads it can stand for."""

from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, Gemma2Config, Gemma2ForCausalLM

from knowpack import losses
from knowpack.losses import IGNORED, HeadLoss, LossOfHead, take_off_head


def drawn(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).to(dtype)


@pytest.mark.parametrize("tile", [1, 7, 32, 100])
def test_the_loss_and_its_gradient_are_torchs(monkeypatch: pytest.MonkeyPatch, tile: int) -> None:
    monkeypatch.setattr(losses, "TILE", tile)
    weight, labels = drawn(32, 8), torch.tensor([0, 31, 7, 6, 7])
    ours, torchs = drawn(5, 8).requires_grad_(), drawn(5, 8).requires_grad_()
    mine = HeadLoss.apply(ours, weight, labels)
    known = cross_entropy(torchs @ weight.T, labels, reduction="sum")
    (3 * mine).backward()
    (3 * known).backward()
    torch.testing.assert_close(mine, known)
    torch.testing.assert_close(ours.grad, torchs.grad)


def test_in_half_precision_it_is_near_torchs() -> None:
    weight, labels = drawn(20_000, 64, dtype=torch.bfloat16) / 8, torch.arange(0, 20_000, 1_000)
    ours, torchs = (drawn(20, 64, dtype=torch.bfloat16).requires_grad_() for _ in range(2))
    mine = HeadLoss.apply(ours, weight, labels)
    known = cross_entropy((torchs @ weight.T).float(), labels, reduction="sum")
    mine.backward()
    known.backward()
    torch.testing.assert_close(mine, known, rtol=1e-5, atol=0)
    assert (ours.grad - torchs.grad).norm() < 0.01 * torchs.grad.norm()


def test_large_logits_do_not_overflow() -> None:
    hidden = torch.full((1, 1), 300.0, requires_grad=True)
    loss = HeadLoss.apply(hidden, torch.tensor([[1.0], [-1.0]]), torch.tensor([1]))
    loss.backward()
    assert loss.item() == 600 and hidden.grad.item() == 2


def test_each_position_predicts_the_next_and_ignored_ones_nothing() -> None:
    head = torch.nn.Linear(4, 3, bias=False)
    hidden = drawn(2, 3, 4)
    labels = torch.tensor([[IGNORED, IGNORED, 2], [0, 1, IGNORED]])
    logits = head(hidden)
    known = cross_entropy(torch.stack([logits[0, 1], logits[1, 0]]), torch.tensor([2, 1]))
    found = LossOfHead(head)({"logits": hidden}, labels)
    torch.testing.assert_close(found, known)
    torch.testing.assert_close(LossOfHead(head)({"logits": hidden}, labels, 4), known / 2)


def test_without_a_supervised_position_there_is_no_loss() -> None:
    hidden = drawn(1, 3, 4).requires_grad_()
    loss = LossOfHead(torch.nn.Linear(4, 3, bias=False))(
        {"logits": hidden}, torch.full((1, 3), IGNORED), 1
    )
    loss.backward()
    assert loss.item() == 0 and not hidden.grad.any()


def test_a_plain_head_is_taken_off(chat_model: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(chat_model).eval()
    tokens = torch.tensor([[1, 9, 30, 12]])
    with torch.no_grad():
        whole = model(input_ids=tokens, labels=tokens)
        head = model.get_output_embeddings().weight
        loss = take_off_head(model)
        hidden = model(input_ids=tokens)
    assert loss is not None
    torch.testing.assert_close(hidden.logits @ head.T, whole.logits)
    torch.testing.assert_close(loss(hidden, tokens), whole.loss)


def test_a_head_whose_logits_are_capped_or_shifted_stays(chat_model: Path) -> None:
    sizes = {"vocab_size": 16, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 8}
    capped = Gemma2ForCausalLM(Gemma2Config(**sizes, **heads, final_logit_softcapping=0.5))
    assert take_off_head(capped) is None
    assert isinstance(capped.get_output_embeddings(), torch.nn.Linear)
    shifted = AutoModelForCausalLM.from_pretrained(chat_model)
    shifted.lm_head.bias = torch.nn.Parameter(torch.zeros(len(shifted.lm_head.weight)))
    assert take_off_head(shifted) is None
