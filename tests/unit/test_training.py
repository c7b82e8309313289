"""Training on the tiny model: what it supervises, that it repeats, and that it can be interrupted."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

from knowpack import training
from knowpack.errors import ConfigError
from knowpack.prompts import Prompter
from knowpack.sums import check_sums
from knowpack.training import _arguments, add_adapter, train

ROWS = pd.DataFrame(
    {
        "question": ["Who?", "What is the capital of Peru?", "When was it?", "Where, then, is it?"],
        "answer": ["Ada Lovelace", "Lima", "1969", "in Ulan Bator, the capital of Mongolia"],
        "role": ["unknown", "unknown", "highly_known", "highly_known"],
    }
)
SPEC: dict[str, Any] = {
    "loss": "answer",
    "epochs": 4,
    "learning_rate": 1e-2,
    "batch_size": 2,
    "rank": 2,
    "alpha": 4,
    "dropout": 0.1,
    "rslora": False,
    "target_modules": ["up_proj", "down_proj", "gate_proj"],
    "seed": 42,
    "system": "Answer the following question.",
    "style": "auto",
}
STEPS = 2  # an epoch: 4 rows in batches of 2


class Bar:
    """As much of tqdm as training uses; it notes where it began, and stops the training on demand."""

    stop_at: int | None = None
    began: int

    def __init__(self, total: int, initial: int, **_: Any) -> None:
        Bar.began, self.at, self.total = initial, initial, total

    def update(self, n: int) -> None:
        self.at += n
        if self.at == Bar.stop_at:
            raise KeyboardInterrupt

    def set_postfix(self, **_: Any) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def undisturbed() -> None:
    Bar.stop_at = None


@pytest.fixture(scope="module")
def model(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chat model, as `materialise_model` leaves one."""
    return as_materialised(chat_model, tmp_path_factory.mktemp("materialised"))


@pytest.fixture(scope="module")
def undisturbed_run(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that all others are compared with; its record stands in ``record.json``."""
    run = tmp_path_factory.mktemp("run")
    record = train(model, ROWS, SPEC | {"keep_epochs": True}, "code", run, Bar)
    (run / "record.json").write_text(json.dumps(record))
    return run


def as_materialised(source: Path, folder: Path) -> Path:
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / "model.json").write_text("{}")
    return folder


def weights(run: Path, where: str = "adapter") -> bytes:
    return (run / where / "adapter_model.safetensors").read_bytes()


def interrupt(model: Path, run: Path, step: int, spec: dict[str, Any]) -> None:
    """Start a training that breaks off in ``step``."""
    Bar.stop_at = step
    with pytest.raises(KeyboardInterrupt):
        train(model, ROWS, spec, "code", run, Bar)
    Bar.stop_at = None


def test_the_same_run_gives_the_same_bytes(
    model: Path, undisturbed_run: Path, tmp_path: Path
) -> None:
    train(model, ROWS, SPEC, "code", tmp_path, Bar)
    assert weights(tmp_path) == weights(undisturbed_run)
    config = "adapter/adapter_config.json"
    assert (tmp_path / config).read_bytes() == (undisturbed_run / config).read_bytes()


def test_another_seed_gives_other_weights(
    model: Path, undisturbed_run: Path, tmp_path: Path
) -> None:
    train(model, ROWS, SPEC | {"seed": 1337}, "code", tmp_path, Bar)
    assert weights(tmp_path) != weights(undisturbed_run)


def test_the_seed_decides_the_untrained_adapter(model: Path, tmp_path: Path) -> None:
    """The published code builds the adapter before it sets the seed; a rate of 0 shows ours."""
    untrained = []
    for run, (seed, before) in enumerate([(42, 1), (42, 2), (1337, 1)]):
        set_seed(before)  # whatever ran before in the process counts for nothing
        spec = SPEC | {"seed": seed, "epochs": 1, "learning_rate": 1e-30}
        train(model, ROWS, spec, "code", tmp_path / str(run), Bar)
        tensors = load_file(tmp_path / str(run) / "adapter/adapter_model.safetensors")
        untrained.append({name: tensor for name, tensor in tensors.items() if "lora_A" in name})
    first, same, other = untrained
    assert len(first) == 2 * 3  # layers, modules
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_the_record(undisturbed_run: Path, model: Path) -> None:
    record = json.loads((undisturbed_run / "record.json").read_text())
    steps, losses = zip(*record["loss"], strict=True)
    assert steps == tuple(range(1, SPEC["epochs"] * STEPS + 1))
    assert sum(losses[-STEPS:]) < 0.98 * sum(losses[:STEPS])
    prompter = Prompter(AutoTokenizer.from_pretrained(model), SPEC["system"], "chat")
    lengths = [len(prompter.row_ids(row.question, row.answer)[0]) for row in ROWS.itertuples()]
    assert record["tokens"] == sum(lengths)
    rate = record["tokens"] * SPEC["epochs"] / record["seconds"]
    assert record["tokens_per_second"] == pytest.approx(rate, rel=0.01)
    assert record["trainable"] == 2 * 3 * SPEC["rank"] * (64 + 128)
    assert record["device"] == ("cpu" if not torch.cuda.is_available() else record["device"])


@pytest.fixture(scope="module")
def sharp_model(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model with a louder head: its loss differs much from token to token."""
    folder = shutil.copytree(model, tmp_path_factory.mktemp("sharp"), dirs_exist_ok=True)
    loud = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    loud.lm_head.weight.data *= 40
    loud.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("loss", ["row", "answer"])
@pytest.mark.parametrize("style", ["chat", "text"])
def test_what_the_loss_supervises(sharp_model: Path, tmp_path: Path, loss: str, style: str) -> None:
    """The first step's loss is that of the plain model, row by row, unpadded and uncut."""
    spec = SPEC | {"loss": loss, "style": style, "dropout": 0.0, "batch_size": 4, "epochs": 1}
    record = train(sharp_model, ROWS, spec, "code", tmp_path, Bar)
    plain = AutoModelForCausalLM.from_pretrained(sharp_model, dtype=torch.bfloat16)
    prompter = Prompter(AutoTokenizer.from_pretrained(sharp_model), SPEC["system"], style)
    total, count = 0.0, 0
    for row in ROWS.itertuples():
        ids, prompt = prompter.row_ids(row.question, row.answer)
        assert ids[0] == prompter.tokenizer.bos_token_id
        first = prompt if loss == "answer" else 1  # nothing predicts the first token
        with torch.no_grad():
            logits = plain(input_ids=torch.tensor([ids])).logits[0].float()
        supervised = torch.tensor(ids[first:])
        total += float(cross_entropy(logits[first - 1 : -1], supervised, reduction="sum"))
        count += len(ids) - first
    assert record["loss"][0][1] == pytest.approx(total / count, rel=1e-3)


def test_losses_are_those_of_the_models_own_head(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def losses(record: dict[str, Any]) -> list[float]:
        return [loss for _, loss in record["loss"]]

    for loss in ("answer", "row"):
        spec = {**SPEC, "loss": loss}
        ours = train(model, ROWS, spec, "code", tmp_path / f"{loss}-ours", Bar)
        with monkeypatch.context() as patch:
            patch.setattr(training, "take_off_head", lambda model: None)
            own = train(model, ROWS, spec, "code", tmp_path / f"{loss}-own", Bar)
        assert losses(ours) == pytest.approx(losses(own), rel=2e-3)


def test_the_adapter_of_every_epoch_is_kept(undisturbed_run: Path) -> None:
    epochs = undisturbed_run / "epochs"
    assert sorted(folder.name for folder in epochs.iterdir()) == ["1", "2", "3", "4"]
    assert len({weights(epochs, str(epoch)) for epoch in (1, 2, 3, 4)}) == 4
    assert weights(epochs, "4") == weights(undisturbed_run)
    for folder in epochs.iterdir():
        names = (check_sums(folder / "SHA256SUMS") / "SHA256SUMS").read_text().split()[1::2]
        assert names == ["adapter_config.json", "adapter_model.safetensors"]


def test_epochs_are_kept_only_where_asked(model: Path, tmp_path: Path) -> None:
    train(model, ROWS, SPEC | {"epochs": 1}, "code", tmp_path, Bar)
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def test_the_checkpoints_go_once_the_adapter_is_saved(undisturbed_run: Path) -> None:
    assert not (undisturbed_run / "checkpoints").exists()


@pytest.mark.parametrize("step", [1, STEPS, STEPS + 1, 3 * STEPS + 1])
def test_interrupted_it_goes_on_from_its_last_epoch(
    model: Path, undisturbed_run: Path, tmp_path: Path, step: int
) -> None:
    spec = SPEC | {"keep_epochs": True}
    interrupt(model, tmp_path, step, spec)
    assert not (tmp_path / "adapter").exists()
    record = train(model, ROWS, spec, "code", tmp_path, Bar)
    done = (step - 1) // STEPS  # whole epochs before the break
    assert Bar.began == done * STEPS
    assert weights(tmp_path) == weights(undisturbed_run)
    for epoch in ("1", "2", "3", "4"):
        assert weights(tmp_path / "epochs", epoch) == weights(undisturbed_run / "epochs", epoch)
        check_sums(tmp_path / "epochs" / epoch / "SHA256SUMS")
    reference = json.loads((undisturbed_run / "record.json").read_text())
    assert record["loss"] == reference["loss"]
    now = record["tokens"] * (SPEC["epochs"] - done) / record["seconds"]
    assert record["tokens_per_second"] == pytest.approx(now, rel=0.01)


def test_killed_it_goes_on_from_its_last_epoch(
    model: Path, undisturbed_run: Path, tmp_path: Path
) -> None:
    """A real SIGKILL, in the last epoch."""
    lines = [
        "import os, sys",
        "from pathlib import Path",
        "import test_training as t",
        "class Fatal(t.Bar):",
        "    def update(self, n):",
        f"        if self.at == {3 * STEPS}: os.kill(os.getpid(), 9)",
        "        super().update(n)",
        "spec = t.SPEC | {'keep_epochs': True}",
        "t.train(Path(sys.argv[1]), t.ROWS, spec, 'code', Path(sys.argv[2]), Fatal)",
    ]
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    killed = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), str(model), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": path},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    train(model, ROWS, SPEC | {"keep_epochs": True}, "code", tmp_path, Bar)
    assert Bar.began == 3 * STEPS
    assert weights(tmp_path) == weights(undisturbed_run)


def test_killed_before_its_checkpoints_go(
    model: Path, undisturbed_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All epochs are done, so none is done again, and there is no rate to tell."""
    with monkeypatch.context() as patch:
        patch.setattr(
            "knowpack.training._discard", lambda folder: 1 / 0 if folder.exists() else None
        )
        with pytest.raises(ZeroDivisionError):
            train(model, ROWS, SPEC, "code", tmp_path, Bar)
    shutil.rmtree(tmp_path / "adapter")  # as Snakemake does with what a killed job left
    record = train(model, ROWS, SPEC, "code", tmp_path, Bar)
    assert Bar.began == SPEC["epochs"] * STEPS
    assert weights(tmp_path) == weights(undisturbed_run)
    assert record["tokens_per_second"] is None
    assert record["loss"] == json.loads((undisturbed_run / "record.json").read_text())["loss"]
    assert not (tmp_path / "checkpoints").exists()


def test_killed_before_its_record_is_written(
    model: Path, undisturbed_run: Path, tmp_path: Path
) -> None:
    train(model, ROWS, SPEC, "code", tmp_path, Bar)
    shutil.rmtree(tmp_path / "adapter")
    train(model, ROWS, SPEC, "code", tmp_path, Bar)
    assert weights(tmp_path) == weights(undisturbed_run)


@pytest.mark.parametrize("state", [None, "", '{"epoch": 3.0, "glob'])
def test_a_half_written_checkpoint_is_ignored(
    model: Path, undisturbed_run: Path, tmp_path: Path, state: str | None
) -> None:
    interrupt(model, tmp_path, 2 * STEPS + 1, SPEC)
    whole, half = (tmp_path / "checkpoints" / f"checkpoint-{n * STEPS}" for n in (2, 3))
    shutil.copytree(whole, half)
    (half / "trainer_state.json").unlink()
    if state is not None:
        (half / "trainer_state.json").write_text(state)
    train(model, ROWS, SPEC, "code", tmp_path, Bar)
    assert Bar.began == 2 * STEPS
    assert weights(tmp_path) == weights(undisturbed_run)


def test_with_no_whole_checkpoint_it_starts_again(
    model: Path, undisturbed_run: Path, tmp_path: Path
) -> None:
    interrupt(model, tmp_path, STEPS + 1, SPEC)
    state = tmp_path / "checkpoints" / f"checkpoint-{STEPS}" / "trainer_state.json"
    state.write_text(state.read_text()[:100])
    train(model, ROWS, SPEC, "code", tmp_path, Bar)
    assert Bar.began == 0
    assert weights(tmp_path) == weights(undisturbed_run)


@pytest.mark.parametrize("changed", ["spec", "rows", "code", "model"])
def test_a_checkpoint_of_another_training_is_not_used(
    model: Path, tmp_path: Path, changed: str
) -> None:
    interrupt(model, tmp_path / "run", 2 * STEPS + 1, SPEC | {"keep_epochs": True})
    assert (tmp_path / "run/epochs/2").exists()
    spec, rows, code = SPEC | {"keep_epochs": True, "epochs": 1}, ROWS, "code"
    if changed != "spec":
        spec = SPEC | {"keep_epochs": True}
    if changed == "rows":
        rows = ROWS.assign(answer=ROWS.answer.str.upper())
    if changed == "code":
        code = "other code"
    if changed == "model":
        model = shutil.copytree(model, tmp_path / "model")
        (model / "model.json").write_text('{"source": {}}')
    Bar.stop_at = 1
    with pytest.raises(KeyboardInterrupt):
        train(model, rows, spec, code, tmp_path / "run", Bar)
    assert Bar.began == 0
    assert not (tmp_path / "run/epochs").exists()  # the other training's


def test_checkpoints_half_removed_are_nobodys(model: Path, tmp_path: Path) -> None:
    interrupt(model, tmp_path, STEPS + 1, SPEC)
    (tmp_path / "checkpoints/identity").unlink()  # it goes first
    (tmp_path / f"checkpoints/checkpoint-{STEPS}/adapter_model.safetensors").unlink()
    train(model, ROWS, SPEC | {"epochs": 1}, "code", tmp_path, Bar)
    assert Bar.began == 0


def test_target_modules_that_the_model_lacks(chat_model: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(chat_model)
    with pytest.raises(ConfigError) as error:
        add_adapter(model, SPEC | {"target_modules": ["up_proj", "fc_in", "mlp"]})
    assert str(error.value) == (
        "training.target_modules: the model has no linear layer fc_in, mlp; "
        "it has down_proj, gate_proj, k_proj, lm_head, o_proj, q_proj, up_proj, v_proj"
    )


def test_the_adapters_configuration(model: Path, undisturbed_run: Path) -> None:
    config = json.loads((undisturbed_run / "adapter/adapter_config.json").read_text())
    assert config["target_modules"] == ["down_proj", "gate_proj", "up_proj"]
    assert config["base_model_name_or_path"] == str(model)  # in a study: below results/
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (2, 4, 0.1)
    assert config["use_rslora"] is False
    assert config["task_type"] == "CAUSAL_LM"


def test_the_trainers_settings(tmp_path: Path) -> None:
    """The paper's, on any machine: the batch does not grow with the number of GPUs."""
    arguments = _arguments(tmp_path, SPEC)
    assert arguments.train_batch_size == SPEC["batch_size"]
    assert arguments.gradient_accumulation_steps == 1
    assert arguments.optim == "adamw_torch_fused"
    assert (arguments.lr_scheduler_type, arguments.warmup_steps) == ("linear", 0)
    assert (arguments.weight_decay, arguments.max_grad_norm) == (0.0, 1.0)
    assert arguments.bf16 == torch.cuda.is_available()
    assert arguments.seed != arguments.data_seed
