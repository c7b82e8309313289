"""A language model from a package, a folder or a hub, as one local Hugging Face folder.

safetensors only, and no code that comes with a model ever runs.
"""

import importlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from knowpack.errors import ConfigError, DataError
from knowpack.files import digest, locate
from knowpack.tables import write_text

NEEDED = ("config.json", "tokenizer_config.json")
KEPT = ("*.json", "*.safetensors", "tokenizer*", "*.model", "*.txt", "*.jinja")
LEFT = "consolidated*"  # Mistral's own form of the same weights
CODE = "*.py"


def materialise(spec: Mapping[str, Any], folder: Path) -> None:
    """Put the model that ``spec`` names into ``folder``, and ``model.json`` there when all is done.

    A package's GGUF file is converted to plain bfloat16 weights; a folder's and a hub's files are
    linked, not copied. ``model.json`` holds the source and each file's size and digest.

    Raises:
        ConfigError: the package, folder or hub model cannot be had.
        DataError: what is there is no model that can be used, or the disk is too small for it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if spec["source"] == "package":
        _convert(_package_file(spec["package"]), folder)
    else:
        source = locate(spec["path"]) if spec["source"] == "folder" else _download(spec)
        check_folder(source)
        for file in _files(source):
            (folder / file.name).symlink_to(file.resolve())
    check_folder(folder)
    _check_code(folder, spec)
    files = {
        file.name: {"bytes": file.stat().st_size, "sha256": digest(file)} for file in _files(folder)
    }
    write_text(json.dumps({"source": dict(spec), "files": files}, indent=1), folder / "model.json")


def _files(folder: Path) -> list[Path]:
    """The files of a model that are kept, sorted."""
    found = {file for pattern in KEPT for file in folder.glob(pattern) if file.is_file()}
    return sorted(file for file in found if not file.match(LEFT) and not file.match(CODE))


def check_folder(folder: Path) -> None:
    """Check that a folder holds a model and its tokenizer.

    Raises:
        DataError: a file that a model needs is missing; it is named.
    """
    if not folder.is_dir():
        raise DataError(
            f"models: there is no folder {folder}; write the path of a Hugging Face folder"
        )
    for name in NEEDED:
        if not (folder / name).is_file():
            what = "tokenizer" if name.startswith("tokenizer") else "model configuration"
            raise DataError(
                f"models: {folder} has no {what} ({name}); save it there with `save_pretrained`"
            )
    if (folder / "adapter_config.json").exists():
        raise DataError(
            f"models: {folder} holds an adapter (adapter_config.json), whose model would come from "
            "elsewhere; merge it into its model and save that with `save_pretrained`"
        )
    if not any(folder.glob("*.safetensors")):
        raise DataError(
            f"models: {folder} has no weights as safetensors; save the model there with "
            "`save_pretrained`, which writes them (pickled weights are never loaded)"
        )
    index = folder / "model.safetensors.index.json"
    shards = json.loads(index.read_bytes())["weight_map"].values() if index.is_file() else []
    beside = {file.name for file in folder.glob("*.safetensors") if file.is_file()}
    absent = sorted(set(shards) - beside)
    if absent:
        raise DataError(
            f"models: {folder} lacks {absent[0]} of the files in {index.name}; copy or save it anew"
        )


def _check_code(folder: Path, spec: Mapping[str, Any]) -> None:
    """Refuse a model or a tokenizer for which transformers has no class of its own."""
    if not any(b"auto_map" in (folder / name).read_bytes() for name in NEEDED):
        return
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            AutoModelForCausalLM.from_config(config, trust_remote_code=False)
        AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except ValueError as error:
        raise DataError(
            f"models: {spec.get('repo') or spec.get('path') or spec['package']} comes with code of its "
            "own (auto_map in its config.json or tokenizer_config.json), which never runs; choose a "
            "model that transformers has"
        ) from error


def _package_file(package: str) -> Path:
    """The GGUF file that a package assembles in the temporary folder of this machine."""
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        raise ConfigError(
            f"models: the package '{package}' cannot be imported ({error}); "
            f"install it (`pip install {package.replace('_', '-')}`)"
        ) from error
    if not hasattr(module, "assemble"):
        raise ConfigError(f"models: the package '{package}' has no function `assemble`")
    return Path(module.assemble())


def _convert(file: Path, folder: Path) -> None:
    """Save a GGUF file's model as plain weights with its tokenizer."""
    import gguf
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # transformers reads the file for the configuration, the tokenizer and the weights, each time
    # going through all words of the vocabulary: of 262,144 half of a minute.
    gguf.GGUFReader = cache(gguf.GGUFReader)  # type: ignore[assignment,misc]

    _require_space(folder, 4 * file.stat().st_size)  # bfloat16 is about twice a 4 to 8 bit file
    place: dict[str, Any] = {"gguf_file": file.name}
    tokenizer: Any = AutoTokenizer.from_pretrained(file.parent, trust_remote_code=False, **place)
    # The converted tokenizer forgets whether the model wants a beginning-of-sequence token.
    field = gguf.GGUFReader(str(file)).get_field("tokenizer.ggml.add_bos_token")
    if field is not None and bool(field.contents()):
        tokenizer.add_bos_token = True
        tokenizer.update_post_processor()
    tokenizer.save_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(
        file.parent, dtype=torch.bfloat16, trust_remote_code=False, use_safetensors=True, **place
    )
    # The weights are plain by now; these two marks only keep `save_pretrained` from saving them.
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.hf_quantizer = None
    model.save_pretrained(folder)


def _download(spec: Mapping[str, Any]) -> Path:
    """Fetch a hub model's files at a fixed revision into the Hugging Face cache."""
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    place: dict[str, Any] = {"repo_id": spec["repo"], "revision": spec["revision"]}
    patterns: dict[str, Any] = {"allow_patterns": list(KEPT), "ignore_patterns": [LEFT, CODE]}
    try:
        with suppress(LocalEntryNotFoundError, DataError):  # it may be there in part
            path = snapshot_download(**place, **patterns, local_files_only=True)
            check_folder(Path(path))
            return Path(path)
        siblings = HfApi().model_info(**place, files_metadata=True, timeout=20).siblings or []
        weights = [f for f in siblings if f.rfilename.endswith(".safetensors")]
        size = sum(f.size or 0 for f in weights if not Path(f.rfilename).match(LEFT))
        _require_space(Path(constants.HF_HUB_CACHE), size)
        return Path(snapshot_download(**place, **patterns))
    except DataError:
        raise
    except Exception as error:  # the client lets errors of its HTTP library through
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(
            f"models: '{spec['repo']}' at {spec['revision'][:12]} cannot be fetched ({reason}); "
            "check the name, the network and HF_TOKEN, or give a local copy with `source: folder`"
        ) from error


def _require_space(folder: Path, needed: int) -> None:
    """Refuse to start what the disk has no room for."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DataError(
            f"models: {needed / 1e9:.1f} GB are needed in {folder}, but {free / 1e9:.1f} GB are free; "
            "make room, or choose another disk (`--directory` for results, HF_HOME for downloads)"
        )
