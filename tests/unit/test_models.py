import hashlib
import json
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from knowpack.errors import ConfigError, DataError
from knowpack.models import check_folder, materialise

HUB = {"source": "hub", "repo": "someone/model", "revision": "0123456789ab" + "0" * 28}
ADVICE = "check the name, the network and HF_TOKEN, or give a local copy with `source: folder`"


@pytest.fixture
def source(chat_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(chat_model, tmp_path / "source"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache, and no network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "cache"


def folder_spec(source: Path) -> dict[str, str]:
    return {"source": "folder", "path": str(source)}


def test_a_folder_is_linked_and_recorded(source: Path, tmp_path: Path):
    folder = tmp_path / "results" / "model"
    materialise(folder_spec(source), folder)
    made = json.loads((folder / "model.json").read_text())
    assert made["source"] == folder_spec(source)
    assert list(made["files"]) == sorted(path.name for path in source.iterdir())
    weights = source / "model.safetensors"
    assert made["files"]["model.safetensors"] == {
        "bytes": weights.stat().st_size,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()[:16],
    }
    assert (folder / "model.safetensors").readlink() == weights
    assert AutoTokenizer.from_pretrained(folder).chat_template
    assert AutoModelForCausalLM.from_pretrained(folder).config.hidden_size == 64


def test_a_folder_of_links_is_followed_to_the_files(source: Path, tmp_path: Path):
    """As in the Hugging Face cache, where a snapshot is links to blobs."""
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    for file in source.iterdir():
        (snapshot / file.name).symlink_to(Path("..") / "source" / file.name)
    folder = tmp_path / "model"
    materialise(folder_spec(snapshot), folder)
    assert (folder / "config.json").readlink() == source / "config.json"


def test_nothing_that_could_run_or_is_not_needed_is_taken_along(source: Path, tmp_path: Path):
    unwanted = ("modeling_own.py", "pytorch_model.bin", "consolidated.safetensors")
    for name in (*unwanted, "tokenizer_files"):
        path = source / name
        path.mkdir() if name == "tokenizer_files" else path.write_text("x")
    materialise(folder_spec(source), tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names == {
        "config.json",
        "generation_config.json",
        "model.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
    }


def test_a_second_model_replaces_the_first_and_leaves_its_source(source: Path, tmp_path: Path):
    folder = tmp_path / "model"
    materialise(folder_spec(source), folder)
    (folder / "tokenizer.model").write_text("of an earlier model")
    materialise(folder_spec(source), folder)
    assert not (folder / "tokenizer.model").exists()
    check_folder(source)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "tokenizer_config.json",
            "has no tokenizer (tokenizer_config.json); save it there with `save_pretrained`",
        ),
        (
            "config.json",
            "has no model configuration (config.json); save it there with `save_pretrained`",
        ),
        (
            "model.safetensors",
            "has no weights as safetensors; save the model there with `save_pretrained`, "
            "which writes them (pickled weights are never loaded)",
        ),
    ],
)
def test_a_folder_that_lacks_a_file(source: Path, tmp_path: Path, name, message):
    (source / name).unlink()
    with pytest.raises(DataError) as caught:
        materialise(folder_spec(source), tmp_path / "model")
    assert str(caught.value) == f"models: {source} {message}"
    assert not (tmp_path / "model" / "model.json").exists()


def test_a_folder_that_lacks_a_part_of_the_weights(source: Path):
    shards = {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model.safetensors"}
    index = source / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": shards}))
    (source / "model-1.safetensors").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        check_folder(source)
    assert str(caught.value) == (
        f"models: {source} lacks model-2.safetensors of the files in {index.name}; "
        "copy or save it anew"
    )


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        check_folder(tmp_path / "none")
    assert str(caught.value) == (
        f"models: there is no folder {tmp_path}/none; write the path of a Hugging Face folder"
    )


# --- packages


def test_a_package_that_is_not_installed(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        materialise({"source": "package", "package": "no_such_gguf"}, tmp_path / "model")
    assert str(caught.value) == (
        "models: the package 'no_such_gguf' cannot be imported (No module named 'no_such_gguf'); "
        "install it (`pip install no-such-gguf`)"
    )


def test_a_package_that_holds_no_model(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        materialise({"source": "package", "package": "json"}, tmp_path / "model")
    assert str(caught.value) == "models: the package 'json' has no function `assemble`"


def small_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


def test_a_disk_that_is_too_small_for_a_package(tmp_path: Path, monkeypatch):
    file = tmp_path / "model.gguf"
    with file.open("wb") as stream:
        stream.truncate(500_000_000)  # a sparse file: it takes no space
    monkeypatch.setitem(sys.modules, "big_gguf", SimpleNamespace(assemble=lambda: str(file)))
    small_disk(monkeypatch, 1_900_000_000)
    with pytest.raises(DataError) as caught:
        materialise({"source": "package", "package": "big_gguf"}, tmp_path / "model")
    assert str(caught.value) == (
        f"models: 2.0 GB are needed in {tmp_path}/model, but 1.9 GB are free; "
        "make room, or choose another disk (`--directory` for results, HF_HOME for downloads)"
    )


# --- hubs


def hub_says(monkeypatch: pytest.MonkeyPatch, sizes: dict[str, int]) -> None:
    files = [SimpleNamespace(rfilename=name, size=size) for name, size in sizes.items()]
    info = SimpleNamespace(siblings=files)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: info)


def cached(cache: Path, source: Path) -> Path:
    """Put a model where the hub's client looks for it."""
    snapshot = cache / "models--someone--model" / "snapshots" / HUB["revision"]
    return Path(shutil.copytree(source, snapshot))


def test_without_a_network_it_ends_soon_and_says_so(cache: Path, tmp_path: Path):
    start = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        materialise(HUB, tmp_path / "model")
    assert time.monotonic() - start < 30
    assert str(caught.value).startswith(
        "models: 'someone/model' at 0123456789ab cannot be fetched (Cannot reach https://"
    )
    assert str(caught.value).endswith(f"); {ADVICE}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "error", [ConnectionError("no route\nto host"), RuntimeError("no route"), OSError("no route")]
)
def test_whatever_the_client_raises_is_one_line(cache: Path, tmp_path: Path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    with pytest.raises(ConfigError) as caught:
        materialise(HUB, tmp_path / "model")
    assert str(caught.value) == (
        f"models: 'someone/model' at 0123456789ab cannot be fetched (no route); {ADVICE}"
    )


def test_an_error_without_words_is_named(cache: Path, tmp_path: Path, monkeypatch):
    def fail(*_, **__):
        raise TimeoutError

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    with pytest.raises(ConfigError, match=r"cannot be fetched \(TimeoutError\)"):
        materialise(HUB, tmp_path / "model")


def test_a_name_that_no_hub_has(cache: Path, tmp_path: Path):
    with pytest.raises(
        ConfigError, match=r"models: 'a b/c' at .* cannot be fetched \(Repo id must"
    ):
        materialise({**HUB, "repo": "a b/c"}, tmp_path / "model")


def test_a_disk_that_is_too_small_for_a_download(cache: Path, tmp_path: Path, monkeypatch):
    sizes = {"model-1.safetensors": 9_000_000_000, "model-2.safetensors": 7_000_000_000}
    hub_says(monkeypatch, {**sizes, "consolidated.safetensors": 10**12, "config.json": None})
    small_disk(monkeypatch, 15_500_000_000)
    with pytest.raises(DataError) as caught:
        materialise(HUB, tmp_path / "model")
    assert str(caught.value) == (
        f"models: 16.0 GB are needed in {tmp_path}, but 15.5 GB are free; "
        "make room, or choose another disk (`--directory` for results, HF_HOME for downloads)"
    )


def test_what_was_fetched_before_needs_no_network(cache: Path, source: Path, tmp_path: Path):
    snapshot = cached(cache, source)
    materialise(HUB, tmp_path / "model")
    assert (tmp_path / "model" / "config.json").readlink() == snapshot / "config.json"


def test_what_was_fetched_in_part_is_fetched_again(cache: Path, source: Path, tmp_path: Path):
    (cached(cache, source) / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match="cannot be fetched"):
        materialise(HUB, tmp_path / "model")
