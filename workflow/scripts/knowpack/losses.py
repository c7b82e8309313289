"""The loss of a language model's output head, which training leaves as it is.

Of a small model the head is half of the work, and much of that is moving whole-vocabulary numbers:
logits in two precisions, their softmax, and the gradients of both. Here they are made and used in tiles
that stay in the processor's cache, for supervised positions only; the head being frozen, the gradient is
known once the loss is. Softmax goes over the tiles as in arXiv 1805.02867.
"""

from typing import Any

import torch
from transformers import PreTrainedModel

IGNORED = -100  # the label that Hugging Face's loss leaves out
TILE = 1024  # of the vocabulary, at a time; on a GPU eight times as many


class HeadLoss(torch.autograd.Function):
    """Summed cross-entropy of ``hidden @ weight.T`` and ``labels``; ``weight`` gets no gradient.

    ``hidden`` is positions x width, ``weight`` vocabulary x width, ``labels`` one token a position.
    Logits are rounded to the weights' type, as the head's own are, and summed up in float32.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Return the loss as a float32 scalar."""
        inputs = hidden.to(weight.dtype)
        right = weight[labels]
        logit = (inputs.float() * right.float()).sum(dim=1, keepdim=True).to(weight.dtype).float()
        # Of the tiles so far: the largest logit, the sum of exp(logit - largest), and of those times weights.
        largest, total = logit, torch.zeros_like(logit)
        pulled = torch.zeros_like(inputs, dtype=torch.float32)
        for part in weight.split(TILE if weight.device.type == "cpu" else 8 * TILE):
            share = (inputs @ part.T).float()
            larger = torch.maximum(largest, share.amax(dim=1, keepdim=True))
            share.sub_(larger).exp_()
            fewer = (largest - larger).exp_()
            total.mul_(fewer).add_(share.sum(dim=1, keepdim=True))
            pulled.mul_(fewer).add_(share.to(weight.dtype) @ part)
            largest = larger
        ctx.save_for_backward(pulled.div_(total).sub_(right))
        ctx.dtype = hidden.dtype
        return (largest + total.log() - logit).sum()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """Return the gradient of ``hidden``."""
        (known,) = ctx.saved_tensors
        return (known * gradient).to(ctx.dtype), None, None


class LossOfHead:
    """What the Trainer calls for the loss of a model whose head was taken off."""

    def __init__(self, head: torch.nn.Linear) -> None:
        """Take the ``head``, whose inputs the model returns as its logits."""
        self.weight = head.weight

    def __call__(
        self,
        outputs: Any,
        labels: torch.Tensor,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Return the mean loss over supervised tokens, each predicted by the position before it."""
        wanted = labels[:, 1:]
        chosen = wanted != IGNORED
        loss = HeadLoss.apply(outputs["logits"][:, :-1][chosen], self.weight, wanted[chosen])
        return loss / (chosen.sum() if num_items_in_batch is None else num_items_in_batch)


def take_off_head(model: PreTrainedModel) -> LossOfHead | None:
    """Take a model's head off and return its loss; None where the head is more than a product.

    A model may cap or scale its logits, or have an adapter on its head; then it computes its own loss.
    """
    head = model.get_output_embeddings()
    if type(head) is not torch.nn.Linear or head.bias is not None:
        return None
    seen: list[torch.Tensor] = []
    hook = head.register_forward_hook(lambda module, inputs, output: seen.append(output))
    probe = torch.arange(2, device=head.weight.device)[None]
    with torch.no_grad():
        logits = model(input_ids=probe).logits
    hook.remove()
    if not torch.equal(logits, seen[0]):
        return None
    model.set_output_embeddings(torch.nn.Identity())
    return LossOfHead(head)
