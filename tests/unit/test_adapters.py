"""Merging: the merged model answers as the model with its adapter does."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from knowpack.adapters import merge, merged
from knowpack.errors import DataError
from knowpack.training import add_adapter

IDS = torch.tensor([[1, *range(40, 80)], [1, *range(150, 190)]])


def saved_adapter(model: Path, folder: Path, rank: int = 2) -> Path:
    """An adapter that changes the model well beyond rounding, as after a training."""
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16)
    modules = ["down_proj", "gate_proj", "up_proj"]
    spec = {"rank": rank, "alpha": 4, "dropout": 0.1, "rslora": False, "target_modules": modules}
    adapted = add_adapter(base, spec)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    adapted.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_adapter(chat_model, tmp_path_factory.mktemp("adapter"))


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits.float()


# bfloat16 has 8 bits: the merged weights are rounded to it, the adapter beside them is not.
@pytest.mark.parametrize(("dtype", "share"), [(torch.float32, 0.01), (torch.bfloat16, 0.02)])
def test_the_merged_model_computes_what_the_adapted_one_does(
    chat_model: Path, adapter: Path, tmp_path: Path, dtype: torch.dtype, share: float
) -> None:
    """The differences are small against what the adapter changes."""
    folder = merge(chat_model, adapter, tmp_path)
    assert folder == tmp_path

    def load(place: Path) -> torch.nn.Module:
        return AutoModelForCausalLM.from_pretrained(place, dtype=dtype)

    adapted = logits(PeftModel.from_pretrained(load(chat_model), str(adapter)))
    change = (adapted - logits(load(chat_model))).abs().max()
    error = (logits(load(folder)) - adapted).abs().max()
    assert change > 0.5
    assert error < share * change


def test_the_merged_folder_is_a_whole_model(
    chat_model: Path, adapter: Path, tmp_path: Path
) -> None:
    merge(chat_model, adapter, tmp_path)
    assert {file.name for file in chat_model.iterdir()} <= {
        file.name for file in tmp_path.iterdir()
    }
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert loaded.dtype == torch.bfloat16
    assert not [name for name, _ in loaded.named_parameters() if "lora" in name]
    before, after = (AutoTokenizer.from_pretrained(place) for place in (chat_model, tmp_path))
    assert after("Lima").input_ids == before("Lima").input_ids
    assert after.chat_template == before.chat_template


def test_the_temporary_folder_goes(chat_model: Path, adapter: Path) -> None:
    with merged(chat_model, adapter, "bfloat16") as folder:
        assert (folder / "model.safetensors").is_file()
    assert not folder.exists()


def truncate(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])


def overwrite(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").write_bytes(b"not weights" * 100)


def lose(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").unlink()


def lose_config(adapter: Path) -> None:
    (adapter / "adapter_config.json").unlink()


def break_config(adapter: Path) -> None:
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA", ')


@pytest.mark.parametrize("spoil", [truncate, overwrite, lose, lose_config, break_config])
def test_an_adapter_that_cannot_be_read(
    chat_model: Path, adapter: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoilt = shutil.copytree(adapter, tmp_path / "adapter")
    spoil(spoilt)
    check_error(chat_model, spoilt, tmp_path / "merged")


def test_an_adapter_of_another_rank_than_it_says(chat_model: Path, tmp_path: Path) -> None:
    one = saved_adapter(chat_model, tmp_path / "one", rank=1)
    two = saved_adapter(chat_model, tmp_path / "two", rank=2)
    shutil.copy(one / "adapter_config.json", two)
    check_error(chat_model, two, tmp_path / "merged")


def check_error(model: Path, adapter: Path, into: Path) -> None:
    with pytest.raises(DataError) as error:
        merge(model, adapter, into)
    message = str(error.value)
    assert message.startswith(f"{adapter}: not an adapter of this model (")
    assert message.endswith("); delete the folder and run again")
    assert "\n" not in message
    assert not into.exists()
