"""Adapters of other methods and strengths, served by vLLM's LoRA kernels and merged."""

import json
from pathlib import Path

import pytest
from small_study import run_script

from knowpack.scaling import scale

vllm = pytest.importorskip("vllm", reason="vllm is not installed (make setup)")
pytestmark = [pytest.mark.study, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def adapters(model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An adapter of each method, and one of another strength."""
    folder, found = tmp_path_factory.mktemp("adapters"), {}
    for method in ("loraplus", "dora"):
        levers = json.dumps({"method": method, "learning_rate": 0.1})
        run_script("train_together.py", 1, model, folder / method, levers)
        found[method] = folder / method / "adapter"
    (found["loraplus"] / "run.json").write_text('{"run": "r"}')
    scale(found["loraplus"], 0.5, folder / "half")
    return found | {"half": folder / "half"}


def test_vllm_takes_them_for_lora_but_for_dora(adapters: dict[str, Path]) -> None:
    from vllm.config.lora import LoRAConfig
    from vllm.lora.peft_helper import PEFTHelper

    slot = LoRAConfig(max_lora_rank=8, max_loras=1)
    whole, half, dora = (
        PEFTHelper.from_local_dir(str(adapters[name]), None)
        for name in ("loraplus", "half", "dora")
    )
    whole.validate_legal(slot)
    half.validate_legal(slot)
    assert half.vllm_lora_scaling_factor == whole.vllm_lora_scaling_factor / 2
    with pytest.raises(ValueError, match="DoRA"):
        dora.validate_legal(slot)


@pytest.mark.parametrize("name", ["loraplus", "half"])
def test_both_ways_of_serving_answer_the_same(
    model: Path, adapters: dict[str, Path], tmp_path: Path, name: str
) -> None:
    answers = []
    for way in ("lora", "merged"):
        run_script("ask_together.py", 1, way, model, adapters[name], tmp_path / way)
        answers.append(json.loads((tmp_path / way).read_text()))
    assert answers[0] == answers[1]
    assert answers[0][:20] != answers[0][20:]


def test_a_merged_dora_answers_otherwise_than_the_model(
    model: Path, adapters: dict[str, Path], tmp_path: Path
) -> None:
    run_script("ask_together.py", 1, "merged", model, adapters["dora"], tmp_path / "out")
    answers = json.loads((tmp_path / "out").read_text())
    assert answers[:20] != answers[20:]
