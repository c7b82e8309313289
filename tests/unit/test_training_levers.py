"""Trainings that the paper does not have, on the tiny model: each does what its key says, and resumes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from accelerate.data_loader import SeedableRandomSampler
from peft import PeftModel
from safetensors.torch import load_file
from test_training import ROWS, SPEC, STEPS, Bar, as_materialised, weights
from transformers import AutoModelForCausalLM, Trainer

from knowpack import epochs
from knowpack.adapters import merge
from knowpack.batches import IGNORED
from knowpack.epochs import held_out_losses, waited
from knowpack.methods import RATIO
from knowpack.scaling import scale
from knowpack.schedule import schedule
from knowpack.seeds import sub_seed
from knowpack.training import train

IDS = torch.tensor([[1, *range(40, 80)], [1, *range(150, 190)]])
METHODS = {
    "dora": {"method": "dora"},
    "loraplus": {"method": "loraplus"},
    "extras_from": {"extras_from": 3},
    "patience": {"patience": 2, "learning_rate": 0.02, "epochs": 8},
    "both": {"patience": 1, "learning_rate": 0.02, "epochs": 8, "extras_from": 2},
}
HELD = pd.DataFrame(  # in words that no trained answer has, so that its loss rises soon
    {
        "question": ["Who?", "Which is it?", "When was it?"],
        "answer": ["8822 7755 3344 0066", "XXYYZZ QQJJKK WWVVXX", "55 77 33 88 22 00 44"],
        "role": "held_out",
    }
)
ALL = pd.concat([ROWS, HELD], ignore_index=True)


@pytest.fixture(autouse=True)
def undisturbed() -> None:
    Bar.stop_at = None


@pytest.fixture(scope="module")
def model(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chat model with a louder head, so that it learns by heart within a few epochs."""
    folder = as_materialised(chat_model, tmp_path_factory.mktemp("materialised"))
    loud = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    loud.lm_head.weight.data *= 40
    loud.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def runs(model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each kind, with its epochs kept and its record in ``record.json``, and a plain one."""
    found = {}
    for name, keys in {"plain": {}, **METHODS}.items():
        run = found[name] = tmp_path_factory.mktemp(name)
        record = train(model, ALL, spec_of(keys), "code", run, Bar)
        (run / "record.json").write_text(json.dumps(record))
    return found


def spec_of(keys: dict[str, Any]) -> dict[str, Any]:
    return SPEC | {"keep_epochs": True} | keys


def record_of(run: Path) -> dict[str, Any]:
    return json.loads((run / "record.json").read_text())


def logits(model: Path, adapter: Path | None = None) -> torch.Tensor:
    loaded = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    if adapter:
        loaded = PeftModel.from_pretrained(loaded, str(adapter))
    with torch.no_grad():
        return loaded.eval()(input_ids=IDS).logits


def tensors(run: Path, where: str = "adapter") -> dict[str, torch.Tensor]:
    return load_file(run / where / "adapter_model.safetensors")


@pytest.mark.parametrize("name", METHODS)
def test_the_adapter_loads_and_changes_what_the_model_says(
    model: Path, runs: dict[str, Path], name: str
) -> None:
    change = logits(model, runs[name] / "adapter") - logits(model)
    assert change.abs().max() > 0.01
    config = json.loads((runs[name] / "adapter/adapter_config.json").read_text())
    assert config["use_dora"] == (name == "dora")
    assert config["init_lora_weights"] is True  # so vLLM takes it for plain LoRA
    assert weights(runs[name]) != weights(runs["plain"])


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("step", [STEPS, STEPS + 1, 2 * STEPS + 1])
def test_interrupted_it_makes_the_same(
    model: Path, runs: dict[str, Path], tmp_path: Path, name: str, step: int
) -> None:
    spec, whole = spec_of(METHODS[name]), runs[name]
    Bar.stop_at = step
    if step <= record_of(whole)["loss"][-1][0]:
        with pytest.raises(KeyboardInterrupt):
            train(model, ALL, spec, "code", tmp_path, Bar)
    Bar.stop_at = None
    record = train(model, ALL, spec, "code", tmp_path, Bar)
    assert weights(tmp_path) == weights(whole)
    for epoch in (whole / "epochs").iterdir():
        assert weights(tmp_path / "epochs", epoch.name) == weights(whole / "epochs", epoch.name)
    for key in {"loss", "held_out_loss", "epochs", "best_epoch"} & record.keys():
        assert record[key] == record_of(whole)[key]


# --- methods


def test_dora_trains_norms_beside_lora(runs: dict[str, Path]) -> None:
    names = tensors(runs["dora"]).keys()
    norms = {name for name in names if "magnitude" in name}
    assert names - norms == tensors(runs["plain"]).keys()
    assert len(norms) == 2 * 3  # layers, modules
    first, last = (tensors(runs["dora"], f"epochs/{epoch}") for epoch in (1, 4))
    assert all(first[name].dtype == torch.float32 for name in norms)
    assert all(not torch.equal(first[name], last[name]) for name in norms)
    assert record_of(runs["dora"])["trainable"] == record_of(runs["plain"])["trainable"] + sum(
        first[name].numel() for name in norms
    )


def test_a_merged_dora_computes_what_the_adapter_does(
    model: Path, runs: dict[str, Path], tmp_path: Path
) -> None:
    adapted = logits(model, runs["dora"] / "adapter")
    change = (adapted - logits(model)).abs().max()
    assert (
        logits(merge(model, runs["dora"] / "adapter", tmp_path, "float32")) - adapted
    ).abs().max() < (0.01 * change)


def test_loraplus_is_lora_whose_second_matrix_learns_faster(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stepped(folder: str, **keys: Any) -> dict[str, torch.Tensor]:
        spec = SPEC | {"epochs": 1, "batch_size": 4} | keys
        train(model, ROWS, spec, "code", tmp_path / folder, Bar)
        return tensors(tmp_path / folder)

    plain, plus = stepped("plain"), stepped("plus", method="loraplus")
    assert plain.keys() == plus.keys()
    for name, tensor in plain.items():  # Adam's first step is the rate, whatever the gradient is
        grown = RATIO if "lora_B" in name else 1
        torch.testing.assert_close(plus[name], grown * tensor, rtol=1e-3, atol=1e-6)
    monkeypatch.setattr("knowpack.methods.RATIO", 1)
    train(model, ROWS, SPEC, "code", tmp_path / "four", Bar)
    train(model, ROWS, SPEC | {"method": "loraplus"}, "code", tmp_path / "one", Bar)
    assert weights(tmp_path / "one") == weights(tmp_path / "four")


# --- strength


def test_strength_scales_what_the_adapter_adds(
    model: Path, runs: dict[str, Path], tmp_path: Path
) -> None:
    adapter = runs["plain"] / "adapter"
    made = {"run": "uk1-s1", "spec": SPEC, "loss": [[1, 2.0]]}
    (adapter / "run.json").write_text(json.dumps(made))
    record = scale(adapter, 0.5, tmp_path / "half")
    assert record == {**made, "scaled": "uk1-s1", "strength": 0.5}
    before, after = (
        json.loads((folder / "adapter_config.json").read_text())
        for folder in (adapter, tmp_path / "half")
    )
    assert after == before | {"lora_alpha": before["lora_alpha"] / 2}
    assert weights(tmp_path, "half") == weights(runs["plain"])
    # Of a merged weight, what was added is half as much.
    plain, whole, half = (
        load_file(place / "model.safetensors")
        for place in (
            model,
            merge(model, adapter, tmp_path / "whole-model", "float32"),
            merge(model, tmp_path / "half", tmp_path / "half-model", "float32"),
        )
    )
    (name, *_) = [name for name in whole if "up_proj" in name]
    added = whole[name] - plain[name].float()
    assert added.abs().max() > 0
    torch.testing.assert_close(half[name] - plain[name].float(), added / 2, rtol=1e-3, atol=1e-6)
    change, less = (logits(model, place) - logits(model) for place in (adapter, tmp_path / "half"))
    assert 0.3 < float(less.norm() / change.norm()) < 0.7


# --- early stopping


def test_the_losses_that_count() -> None:
    history = [{"loss": 3.0}, {"eval_loss": 2.0}, {"loss": 1.0}, {"eval_loss": float("nan")}]
    assert held_out_losses(history) == [2.0, float("inf")]
    assert [
        waited(losses) for losses in ([], [3.0], [3.0, 3.0], [3.0, 4.0, 2.0], [1.0, 2.0, 3.0])
    ] == [
        0,
        0,
        1,
        0,
        2,
    ]


@pytest.mark.parametrize("name", ["patience", "both"])
def test_it_stops_where_the_held_out_loss_rises_and_keeps_the_best(
    runs: dict[str, Path], name: str
) -> None:
    run, record = runs[name], record_of(runs[name])
    losses = record["held_out_loss"]
    assert record["epochs"] == len(losses) < METHODS[name]["epochs"]
    assert record["best_epoch"] == losses.index(min(losses)) + 1
    assert record["best_epoch"] == len(losses) - METHODS[name]["patience"]
    assert {folder.name for folder in (run / "epochs").iterdir()} == {
        str(epoch + 1) for epoch in range(len(losses))
    }
    assert weights(run) == weights(run / "epochs", str(record["best_epoch"]))
    assert not (run / "checkpoints").exists()


def test_patience_that_is_not_tried_trains_every_epoch(model: Path, tmp_path: Path) -> None:
    spec = spec_of({"patience": SPEC["epochs"], "learning_rate": 1e-3})
    record = train(model, ALL, spec, "code", tmp_path, Bar)
    losses = record["held_out_loss"]
    assert record["epochs"] == SPEC["epochs"] == len(losses)
    assert losses == sorted(losses, reverse=True)
    assert record["best_epoch"] == SPEC["epochs"]
    assert weights(tmp_path) == weights(tmp_path / "epochs", "4")


def test_the_held_out_loss_is_that_of_the_adapter_on_the_held_out_answers(
    model: Path, tmp_path: Path
) -> None:
    """One batch, and a training that changes nothing: the loss is that of the model's own first step."""
    spec = SPEC | {"patience": 1, "learning_rate": 1e-30, "dropout": 0.0, "epochs": 1}
    judged = train(model, ALL, spec | {"batch_size": 4}, "code", tmp_path / "a", Bar)
    alone = train(
        model,
        HELD.assign(role="unknown"),
        SPEC | {"dropout": 0.0, "batch_size": 4, "epochs": 1},
        "code",
        tmp_path / "b",
        Bar,
    )
    assert judged["held_out_loss"][0] == pytest.approx(alone["loss"][0][1], rel=1e-4)


def test_held_out_rows_are_not_trained(model: Path, tmp_path: Path) -> None:
    train(model, ROWS, SPEC, "code", tmp_path / "without", Bar)
    train(model, ALL, SPEC, "code", tmp_path / "with", Bar)
    assert weights(tmp_path / "with") == weights(tmp_path / "without")


@pytest.mark.parametrize("name", ["patience", "both"])
def test_killed_once_it_has_stopped_it_does_not_go_on(
    model: Path, runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    spec = spec_of(METHODS[name])
    with monkeypatch.context() as patch:
        patch.setattr(
            "knowpack.training._discard", lambda folder: 1 / 0 if folder.exists() else None
        )
        with pytest.raises(ZeroDivisionError):
            train(model, ALL, spec, "code", tmp_path, Bar)
    # As if it had been killed in the moment before the Trainer removes the last checkpoint.
    shutil.rmtree(tmp_path / "adapter")
    record = train(model, ALL, spec, "code", tmp_path, Bar)
    assert weights(tmp_path) == weights(runs[name])
    assert record["held_out_loss"] == record_of(runs[name])["held_out_loss"]


def test_killed_between_its_last_checkpoint_and_its_end(
    model: Path, runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last epoch's checkpoint is there beside the best one's, and says that it was enough."""
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_finalize_training", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(model, ALL, spec_of(METHODS["patience"]), "code", tmp_path, Bar)
    assert len(list((tmp_path / "checkpoints").glob("checkpoint-*"))) == 2
    record = train(model, ALL, spec_of(METHODS["patience"]), "code", tmp_path, Bar)
    assert record["tokens_per_second"] is None
    assert weights(tmp_path) == weights(runs["patience"])
    assert record["best_epoch"] == record_of(runs["patience"])["best_epoch"]


# --- extras in the last epochs

NUMBERED = [{"input_ids": [1, 2, 10 + n], "labels": [IGNORED, 2, 10 + n]} for n in range(5)]
HELD_OUT = {"input_ids": [1, 2, 99], "labels": [IGNORED, 2, 99]}


def test_without_such_extras_the_trainer_has_its_way() -> None:
    plan = schedule(
        [*NUMBERED, HELD_OUT], [*["unknown"] * 5, "held_out"], {"epochs": 3, "batch_size": 2}
    )
    assert (plan.rows, plan.in_order) == (NUMBERED, False)
    assert (plan.ends, plan.tokens) == ([3, 6, 9], [15, 15, 15])


def test_which_rows_each_epoch_sees() -> None:
    roles = ["unknown", "unknown", "unknown", "highly_known", "replay", "held_out"]
    plan = schedule(
        [*NUMBERED, HELD_OUT], roles, {"epochs": 4, "batch_size": 2, "seed": 7, "extras_from": 3}
    )
    assert plan.in_order
    assert plan.ends == [2, 4, 7, 10]
    assert plan.tokens == [9, 9, 15, 15]
    starts = [0, *plan.ends]
    for epoch, count in enumerate([3, 3, 5, 5]):
        part = plan.rows[2 * starts[epoch] : 2 * plan.ends[epoch]]
        order = SeedableRandomSampler(range(count), data_seed=sub_seed(7, "order"))
        order.set_epoch(epoch)
        assert [row["input_ids"][2] - 10 for row in part[:count]] == list(order)
        assert [set(row["labels"]) for row in part[count:]] == [{IGNORED}]


def test_the_trainer_sees_these_rows_and_falls_to_a_rate_of_0(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[list[int]] = []
    rates: list[float] = []

    class Spy(epochs.Progress):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            rates.extend([logs["learning_rate"]] if "learning_rate" in logs else [])

    collate = Collated(batches)
    monkeypatch.setattr("knowpack.training.Collator", collate)
    monkeypatch.setattr("knowpack.training.Progress", Spy)
    train(model, ROWS, SPEC | {"extras_from": 3, "batch_size": 2}, "code", tmp_path, Bar)
    assert [sum(batch) for batch in batches] == [2] * 2 + [2] * 4  # rows with a label
    assert rates == pytest.approx([SPEC["learning_rate"] * (6 - step) / 6 for step in range(6)])


class Collated:
    """The collator, noting how many rows of each batch have a label."""

    def __init__(self, batches: list[list[int]]) -> None:
        self.batches = batches

    def __call__(self, pad: int, packs: bool) -> Any:
        from knowpack.batches import Collator

        collate = Collator(pad, packs)

        def noted(rows: Any) -> Any:
            self.batches.append([any(label != IGNORED for label in row["labels"]) for row in rows])
            return collate(rows)

        return noted


def test_extras_from_the_first_epoch_on_see_the_order_of_an_undisturbed_training(
    model: Path, tmp_path: Path
) -> None:
    """Of whole batches, without dropout, it is the very same training."""
    spec = SPEC | {"dropout": 0.0}
    train(model, ROWS, spec, "code", tmp_path / "plain", Bar)
    train(model, ROWS, spec | {"extras_from": 1}, "code", tmp_path / "laid", Bar)
    assert weights(tmp_path / "laid") == weights(tmp_path / "plain")


def test_the_record_counts_what_was_seen(runs: dict[str, Path]) -> None:
    plain, late = record_of(runs["plain"]), record_of(runs["extras_from"])
    assert late["tokens"] == plain["tokens"]
    assert [step for step, _ in late["loss"]] == list(range(1, 2 * 1 + 2 * 2 + 1))
    seen = late["tokens_per_second"] * late["seconds"]
    assert 2 * late["tokens"] < seen < 4 * late["tokens"]
