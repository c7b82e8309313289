"""Config and data are data: what the code may not do, and what it refuses of others."""

import ast
import hashlib
import http.server
import importlib.util
import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from benchmark_files import MEAN, loaded, write_task, write_yaml
from lm_eval.tasks._yaml_loader import load_yaml
from markdown_it import MarkdownIt
from tqdm import tqdm

from knowpack.checks import prepare
from knowpack.dbpedia import read_dbpedia_source
from knowpack.dumps import fetch_dump
from knowpack.errors import ConfigError, DataError, KnowpackError
from knowpack.files import locate
from knowpack.hub import read_hub_source
from knowpack.kept import keep, put_back
from knowpack.markup import to_markdown
from knowpack.models import check_folder, materialise
from knowpack.pages import fill
from knowpack.plots import note, to_svg
from knowpack.strict import refuse_secrets
from knowpack.tabular import read_table_source
from knowpack.task_files import digests
from knowpack.task_sandbox import OWN, confine
from knowpack.templates import Relation
from knowpack.wikidata import fetch_aliases

ROOT = Path(__file__).parents[2]
CODE = sorted(
    path
    for folder in ("workflow/scripts", "tests/bench", "rules")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".smk")
)
PICKLES = {"pickle", "marshal", "shelve", "joblib", "dill", "cloudpickle"}
# Whoever calls one of these names the safe form of it.
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pd.read_pickle",
    "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "yaml.unsafe_load_all", "tarfile.open",
    "shutil.unpack_archive", "tempfile.mktemp",
}  # fmt: skip
SAFE_KEYS = {
    "AutoModelForCausalLM.from_pretrained": {"trust_remote_code": False, "use_safetensors": True},
    "AutoModelForCausalLM.from_config": {"trust_remote_code": False},
    "AutoTokenizer.from_pretrained": {"trust_remote_code": False},
    "AutoConfig.from_pretrained": {"trust_remote_code": False},
    "torch.load": {"weights_only": True},
    "np.load": {"allow_pickle": False},
}


def faults(text: str) -> list[str]:
    """What a file does that it may not, each with its line."""
    found = []
    if re.search(r"trust_remote_code[\"']?\s*[:=]\s*True", text):
        found.append((0, "trust_remote_code"))
    for node in ast.walk(ast.parse(text)):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [(node.lineno, name) for name in names if name.split(".")[0] in PICKLES]
        if isinstance(node, ast.Call):
            found += [(node.lineno, what) for what in _faults_of_call(node, text)]
    return [f"{line}: {what}" for line, what in found]


def _faults_of_call(node: ast.Call, text: str) -> list[str]:
    name = ast.unparse(node.func)
    keys = {key.arg: ast.unparse(key.value) for key in node.keywords}
    found = [name] * (name in FORBIDDEN)
    if name == "yaml.load" and keys.get("Loader") not in ("LOADER", "_Loader"):
        found.append("yaml.load without a safe loader")
    if keys.get("shell", "False") != "False":
        found.append(f"{name} with a shell")
    if keys.get("verify", "True") == "False":
        found.append(f"{name} without checking certificates")
    for key, value in SAFE_KEYS.get(name, {}).items():
        among_others = None in keys and f'"{key}": {value}' in text  # as `**options`
        if keys.get(key) != repr(value) and not among_others:
            found.append(f"{name} without {key}={value}")
    return found


@pytest.mark.parametrize("path", CODE, ids=[str(path.relative_to(ROOT)) for path in CODE])
def test_no_code_of_ours_runs_what_it_reads(path: Path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".smk":  # Snakemake's language is no syntax tree of Python's
        assert not re.search(r"\b(eval|exec|pickle|os\.system|yaml\.load)\b|^\s*shell:", text, re.M)
        return
    assert faults(text) == []


def test_the_rules_find_what_they_forbid():
    text = """
import pickle, os.path
from joblib import load
eval(x); os.system("x"); yaml.load(x); yaml.load(x, Loader=yaml.Loader)
yaml.load(x, Loader=LOADER); run("x", shell=True); run("x", shell=False)
torch.load(x); torch.load(x, weights_only=True); re.compile(x)
AutoTokenizer.from_pretrained(x, trust_remote_code=True); requests.get(x, verify=False)
"""
    assert faults(text) and {line.split(": ")[1] for line in faults(text)} == {
        "pickle",
        "joblib",
        "eval",
        "os.system",
        "yaml.load without a safe loader",
        "run with a shell",
        "torch.load without weights_only=True",
        "trust_remote_code",
        "AutoTokenizer.from_pretrained without trust_remote_code=False",
        "requests.get without checking certificates",
    }


SHELL = [ROOT / "Makefile", *sorted((ROOT / "envs").glob("*.sh"))]


@pytest.mark.parametrize("path", SHELL, ids=[path.name for path in SHELL])
def test_no_shell_of_ours_runs_what_it_reads(path: Path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"\beval\b|\b(curl|wget)\b|--trusted-host|http://|/tmp/|\| *(ba)?sh\b", text
    )


@pytest.mark.parametrize(
    "name", ["Trainer._load_rng_state", "Trainer._load_optimizer_and_scheduler"]
)
def test_checkpoints_are_read_without_pickled_objects(name: str):
    import inspect

    from transformers import Trainer

    source = inspect.getsource(getattr(Trainer, name.split(".")[1]))
    calls = re.findall(r"torch\.load\((.*?\))(?:\n|$)", source, re.DOTALL)
    assert source.count("torch.load(") == source.count("weights_only=True") > 0, calls


# --- the configuration


def study(**sections: Any) -> dict[str, Any]:
    return {
        "study": "s",
        "models": [{"name": "m", "source": "folder", "path": "m"}],
        "facts": {"source": "table", "path": "f.csv"},
        "grid": [{"unknown": [2], "seeds": [1]}],
        **sections,
    }


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(KnowpackError) as caught:
        prepare(values)
    return str(caught.value)


NAMES = [
    "..", ".", "../x", "/etc", "a/b", "~", "~root", "-rf", "", " ", "a b", "a\n", "a\x00", "é", "a" * 65,
    ".git", "a.", "$(id)", "a;b", "{x}", "<x>", "con\\x", "‮x", "%s",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_would_leave_the_folder_or_hide(name: str):
    rule = "write letters, digits, dot, dash and underscore"
    assert f"study: {rule}" in refusal(study(study=name))
    model = {"name": name, "source": "folder", "path": "m"}
    assert f"models.0.name: {rule}" in refusal(study(models=[model]))
    assert f"write {rule}"[6:] in refusal(study(suites={name: [{"task": "mmlu"}]}))
    writer = {"source": "model", "model": model}
    assert f"paraphrases.model.name: {rule}" in refusal(study(paraphrases=writer))


@pytest.mark.parametrize("package", ["os.path", "../x", "a-b", "a b", "a;b", ""])
def test_a_package_is_named_as_one(package: str):
    model = {"name": "m", "source": "package", "package": package}
    assert "models.0" in refusal(study(models=[model]))


def test_no_configuration_moves_the_results_elsewhere():
    said = refusal(study(pathvars={"results": "/tmp"}))  # of Snakemake's own
    assert "pathvars: unknown key" in said


SECRET = "PLANTEDxSECRETx0123456789012345678901"
DUMP = {"source": "dbpedia", "sha256": "0" * 64}
WITH_SECRETS = {
    "facts.path": study(facts={**DUMP, "path": f"https://me:{SECRET}@host/dump.nt"}),
    "facts.path ": study(facts={**DUMP, "path": f"https://host/dump.nt?X-Amz-Signature={SECRET}"}),
    "facts.aliases.endpoint": study(
        facts={
            "source": "table", "path": "f.csv",
            "aliases": {
                "source": "wikidata", "contact": "me@x", "endpoint": f"https://{SECRET}@host/api"
            },
        }
    ),
    "models.0.repo": study(
        models=[{"name": "m", "source": "hub", "repo": f"https://x:{SECRET}@huggingface.co/a/b"}]
    ),
    "facts.dataset": study(facts={"source": "hub", "dataset": f"hf_{SECRET}"}),
    "prompts.system": study(prompts={"system": f"My token is hf_{SECRET}."}),
    "grid.0.training.x": study(grid=[{"unknown": [1], "seeds": [1], "training": {"x": f"hf_{SECRET}"}}]),
}  # fmt: skip


@pytest.mark.parametrize(("key", "values"), WITH_SECRETS.items(), ids=list(WITH_SECRETS))
def test_a_password_in_the_configuration_is_refused_and_not_shown(key: str, values: Any):
    assert refusal(values) == (
        f"{key.strip()}: holds a password or a token, which would stand in the study's records; write "
        "it without, and put a password into ~/.netrc, or a token of the hub into HF_TOKEN"
    )


@pytest.mark.parametrize("key", ["token", "secret", "password", "api_key"])
def test_there_is_no_key_for_a_token_and_none_is_shown(key: str):
    said = refusal(study(models=[{"name": "m", "source": "folder", "path": "m", key: SECRET}]))
    assert f"models.0.{key}: unknown key" in said and SECRET not in said
    said = refusal(study(**{key: SECRET}))
    assert f"{key}: unknown key" in said and SECRET not in said


def test_an_ordinary_address_is_fine():
    refuse_secrets(study(facts={**DUMP, "path": "https://host/a@b/dump.nt?version=2022-12-01"}))


@pytest.mark.parametrize(
    "endpoint", ["file:///etc", "https://../x", "ftp://host", "https:///x", "x"]
)
def test_an_endpoint_is_a_web_address(endpoint: str):
    aliases = {"source": "wikidata", "contact": "me@x", "endpoint": endpoint}
    said = refusal(study(facts={"source": "table", "path": "f.csv", "aliases": aliases}))
    assert "'endpoint' is a web address; write one that begins with `https://`" in said


def test_an_error_cannot_drive_a_terminal():
    error = DataError("bad '\x1b]0;owned\x07\x9b31m\u202e\x00\r' é\nnext line")
    assert str(error) == "bad '\\x1b]0;owned\\x07\\x9b31m\\u202e\\x00\\r' é\nnext line"


# --- task files


@pytest.fixture
def pwned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that code would make, were it run; `evil.py` beside it holds such code."""
    mark = tmp_path / "pwned"
    text = f"open({str(mark)!r}, 'w')\ndef f(*_): return 'x'\n"
    for name in ("evil.py", "lm_eval/tasks/evil.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return mark


def said_of(*names: str) -> str:
    with pytest.raises(KnowpackError) as caught:
        loaded(*names)
    return str(caught.value)


def with_function(path: str, name: str) -> str:
    text = Path(path).read_text()
    Path(path).write_text(
        text.replace("doc_to_text: '{{question}}'", f"doc_to_text: !function {name}")
    )
    assert "!function" in Path(path).read_text()
    return path


@pytest.mark.parametrize(
    "name", ["evil.f", "os.getcwd", "lm_eval.tasks.evil.f", "lm_eval.utils.f", "nonsense"]
)
def test_a_task_file_names_no_function_of_its_own(pwned: Path, tmp_path: Path, name: str):
    path = with_function(write_task(tmp_path, "quiz"), name)
    due = (
        f"suites: a task file in {tmp_path} names the function '{name}', and a task file is data: none "
        'of its code runs; write a template instead (`doc_to_text: "{{question}}"`), or a function that '
        "comes with lm-eval (`lm_eval.tasks....`)"
    )
    with pytest.raises(KnowpackError) as caught:
        digests(path)  # before any job
    assert str(caught.value) == due
    assert said_of(path) == due
    # Nor does a file that it includes, or a member of its group.
    Path(path).rename(tmp_path / "base")
    derived = write_yaml(tmp_path, "derived", {"include": "base", "task": "t"})
    assert said_of(derived) == due
    shutil.copy("base", "one.yaml")
    group = write_yaml(tmp_path, "g", {"group": "g", "task": ["quiz"]})
    assert said_of(group) == due
    assert not pwned.exists()


def test_nor_does_a_members_file_deeper_down_that_takes_another_name(pwned: Path, tmp_path: Path):
    (tmp_path / "deep").mkdir()
    with_function(write_task(tmp_path / "deep", "arc_easy"), "evil.f")
    (tmp_path / "deep/evil.py").write_text(Path("evil.py").read_text())
    group = write_yaml(tmp_path, "g", {"group": "g", "task": ["arc_easy"]})
    said_of(group)
    assert not pwned.exists()


def test_functions_of_lm_eval_are_its_own(tmp_path: Path):
    confine()
    packaged = load_yaml(OWN / "truthfulqa/truthfulqa_mc2.yaml")
    assert callable(packaged["process_results"])
    (tmp_path / "mine.yaml").write_text(
        f"include: {OWN}/truthfulqa/truthfulqa_mc2.yaml\ntask: mine\n"
    )
    assert callable(load_yaml(tmp_path / "mine.yaml")["process_results"])
    assert len(digests(str(tmp_path / "mine.yaml"))) == 3
    logiqa = ROOT / "resources/benchmarks/logiqa.yaml"
    assert callable(load_yaml(logiqa)["doc_to_text"])
    found = digests(str(ROOT / "resources/benchmarks/logiqa.yaml"))
    assert [line.split()[0] for line in found] == ["logiqa.yaml"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ question.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.system('touch pwned') }}",
        "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
        "{{ '{0.__class__}'.format(question) }}",
        "{{ question | attr('__class__') }}",
    ],
)
def test_a_template_reaches_nothing_of_python(pwned: Path, tmp_path: Path, text: str):
    said = said_of(write_task(tmp_path, "quiz", doc_to_text=text))
    assert re.search(r"unsafe|undefined|no attribute", said), said
    assert not pwned.exists()


def test_a_question_is_no_template(tmp_path: Path):
    row = {"question": "{{ 7 * 7 }} {% raw %}", "choices": ["a", "b"], "answer": 0}
    (benchmark,) = loaded(write_task(tmp_path, "quiz", [row]))
    (task,) = benchmark.tasks.values()
    task.build_all_requests()
    assert task.instances[0].args[0] == "{{ 7 * 7 }} {% raw %}"


@pytest.mark.parametrize("metric", ["rouge", "./evil", "evil.py"])
def test_a_metric_is_no_code_of_a_hubs(pwned: Path, tmp_path: Path, metric: str):
    path = write_task(
        tmp_path, "quiz", metric_list=[{"metric": metric, "hf_evaluate": True, **MEAN}]
    )
    assert "which is not to be had here" in said_of(path)
    assert not pwned.exists()
    assert importlib.util.find_spec("evaluate")
    from evaluate import load as fetch  # as a packaged task's own code does

    with pytest.raises(
        DataError, match="'rouge' is code from the Hugging Face hub, which never runs"
    ):
        fetch("rouge")


def test_yaml_of_a_task_makes_no_objects(pwned: Path, tmp_path: Path):
    path = tmp_path / "t.yaml"
    path.write_text("task: !!python/object/apply:os.system ['touch pwned']\n")
    assert "not a YAML file" in said_of(str(path))
    assert not pwned.exists()


def test_pickled_data_are_not_read(pwned: Path, tmp_path: Path):
    class Evil:
        def __reduce__(self) -> Any:
            return (open, (str(pwned), "w"))

    import pickle

    (tmp_path / "rows.pkl").write_bytes(pickle.dumps(Evil()))
    kwargs = {"data_files": {"test": "rows.pkl"}}
    path = write_task(tmp_path, "quiz", dataset_path="pandas", dataset_kwargs=kwargs)
    assert "cannot be loaded" in said_of(path)
    assert not pwned.exists()


def test_a_name_that_cannot_be_printed(tmp_path: Path):
    path = write_task(tmp_path, "quiz")
    content = yaml.safe_load(Path(path).read_text()) | {"task": "a\n\n.. raw:: html\x0b"}
    path = write_yaml(tmp_path, "other", content)
    assert said_of(path) == (
        "suites: the name 'a\\n\\n.. raw:: html\\x0b' cannot be printed; write another"
    )


# --- models


@pytest.fixture
def model(chat_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(chat_model, tmp_path / "source"))


def edit(path: Path, **keys: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def made(model: Path, tmp_path: Path) -> str:
    """What is said of a model, or nothing where it is made."""
    try:
        materialise({"source": "folder", "path": str(model)}, tmp_path / "model")
    except DataError as error:
        return str(error)
    return ""


def evil_code(model: Path, name: str) -> None:
    mark = model.parent / "pwned"
    (model / name).write_text(f"open({str(mark)!r}, 'w')\nclass Own: ...\n")


@pytest.mark.parametrize(
    "classes", [["AutoConfig", "AutoModelForCausalLM"], ["AutoModelForCausalLM"]]
)
def test_a_model_with_code_of_its_own_is_refused(model: Path, tmp_path: Path, classes: list[str]):
    evil_code(model, "modeling_own.py")
    auto_map = dict.fromkeys(classes, "modeling_own.Own")
    edit(model / "config.json", auto_map=auto_map, model_type="own", architectures=["Own"])
    said = made(model, tmp_path)
    assert said == (
        f"models: {model} comes with code of its own (auto_map in its config.json or "
        "tokenizer_config.json), which never runs; choose a model that transformers has"
    )
    assert not (tmp_path / "pwned").exists()


def test_a_tokenizer_with_code_of_its_own_never_runs_it(model: Path, tmp_path: Path):
    evil_code(model, "tokenizer_own.py")
    own = ["tokenizer_own.Own", "tokenizer_own.Own"]
    edit(model / "tokenizer_config.json", auto_map={"AutoTokenizer": own}, tokenizer_class="Own")
    made(model, tmp_path)
    assert not (tmp_path / "pwned").exists()
    assert not list((tmp_path / "model").glob("*.py"))


def test_a_model_that_transformers_has_needs_no_code_of_its_own(model: Path, tmp_path: Path):
    evil_code(model, "modeling_own.py")
    edit(model / "config.json", auto_map={"AutoModelForCausalLM": "modeling_own.Own"})
    assert made(model, tmp_path) == ""
    assert not (tmp_path / "pwned").exists()
    assert not list((tmp_path / "model").glob("*.py"))


def test_pickled_weights_are_refused(model: Path, tmp_path: Path):
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    assert "pickled weights are never loaded" in made(model, tmp_path)
    # Nor are they taken along beside others.
    (model / "model.safetensors").write_bytes((model / "pytorch_model.bin").read_bytes())
    assert made(model, tmp_path) == ""
    assert not (tmp_path / "model/pytorch_model.bin").exists()


@pytest.mark.parametrize("shard", ["../secret.safetensors", "pytorch_model.bin", "/etc/passwd"])
def test_the_parts_of_a_model_lie_in_its_folder(model: Path, tmp_path: Path, shard: str):
    (tmp_path / "secret.safetensors").write_bytes((model / "model.safetensors").read_bytes())
    (model / "pytorch_model.bin").write_bytes(b"")
    index = {"weight_map": {"x": shard}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    assert f"lacks {shard} of the files in model.safetensors.index.json" in made(model, tmp_path)


def test_an_adapters_folder_is_no_model(model: Path):
    (model / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/else"}')
    with pytest.raises(
        DataError, match="holds an adapter .* whose model would come from elsewhere"
    ):
        check_folder(model)


# --- facts


def dump(path: Path, *names: str) -> str:
    """Write a dump of capitals; return its SHA-256."""
    place = "http://dbpedia.org"
    lines = [
        f"<{place}/resource/{name}> <{place}/ontology/capital> <{place}/resource/Town_{number}> .\n"
        for number, name in enumerate(names)
    ]
    path.write_text("".join(lines))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def subjects(path: Path, sha256: str) -> list[str]:
    relations = {"capital": Relation("capital", None, None, ("Capital of {subject}?",))}
    spec = {
        "path": path,
        "sha256": sha256,
        "language": "en",
        "cap": 30,
        "seed": 1,
        "max_malformed": 0.1,
    }
    return sorted(read_dbpedia_source(spec, relations)[0].subject)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("a[1].nt", "a1.nt"),
        ("a*.nt", "ab.nt"),
        ("a?.nt", "ab.nt"),
        ("a'; DROP TABLE lines; --", "b"),
    ],
)
def test_the_dump_that_was_checked_is_the_one_that_is_read(tmp_path: Path, name: str, other: str):
    dump(tmp_path / other, "Evil")
    assert subjects(tmp_path / name, dump(tmp_path / name, "Good")) == ["Good"]


def test_a_dumps_terms_are_no_queries(tmp_path: Path):
    terms = ["'; DROP TABLE lines; --", "$slot", "{subject}", "${x}", "<b>", 'a\\"b', "%27;"]
    path = tmp_path / "dump.nt"
    sha256 = dump(path, *(term.replace(" ", "_") for term in terms))
    assert subjects(path, sha256) == sorted([*terms[:-1], "';"])


class Away(http.server.BaseHTTPRequestHandler):
    """A server that sends whoever asks to a file of theirs."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "file:///etc/passwd")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Away) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/x"
        server.shutdown()


def test_no_server_sends_us_to_a_file(away: str, tmp_path: Path):
    with pytest.raises(DataError, match=r"cannot be fetched \(No connection adapters"):
        fetch_dump(away, tmp_path / "dump", tqdm)
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError, match="no answer of use .* No connection adapters"):
        fetch_aliases(["Paris"], cache=tmp_path, endpoint=away, contact="me@example.org")


@pytest.mark.parametrize("path", ["~nobody_of_that_name/f.csv", "f" * 300 + ".csv"])
def test_what_is_no_path_is_one_line(path: str):
    with pytest.raises(ConfigError, match="is no path .*; write that of a file"):
        locate(path)


def test_half_a_character_is_no_text(tmp_path: Path):
    path = tmp_path / "f.jsonl"
    path.write_text('{"question": "Q\\ud83d\\ude00?", "answer": "A"}\n{"question": "\\uD800?"}\n')
    with pytest.raises(DataError) as caught:
        read_table_source(path)
    assert str(caught.value) == f"{path}, row 2: holds half a character (\\ud...); write it whole"


def test_a_dataset_with_code_of_its_own_is_refused(tmp_path: Path):
    mark = tmp_path / "pwned"
    (tmp_path / "set").mkdir()
    (tmp_path / "set/set.py").write_text(f"open({str(mark)!r}, 'w')\n")
    spec = {"dataset": str(tmp_path / "set"), "split": "train", "columns": {}}
    with pytest.raises(ConfigError, match="cannot be read|code of its own"):
        read_hub_source(spec)
    assert not mark.exists()


# --- results that came from elsewhere


@pytest.mark.parametrize("place", ["{0}/pwned", "results/../pwned", "results/s/../../pwned"])
def test_what_was_kept_goes_back_into_its_study_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
):
    monkeypatch.chdir(tmp_path)
    made, folder = Path("results/s/m/table"), Path("results/s/kept/ask/m")
    made.parent.mkdir(parents=True)
    made.write_text("a table")
    keep([made], folder, "key")
    assert put_back(folder, "key")
    manifest = folder / "kept.json"
    text = manifest.read_text().replace('"results/s/m/table"', f'"{place.format(tmp_path)}"')
    manifest.write_text(text)
    assert not put_back(folder, "key")
    assert not Path("pwned").exists()


# --- figures


def test_a_figure_prints_signs_of_mathematics_and_of_xml_as_they_are():
    from xml.etree import ElementTree

    text = r"$\frac{1}$ ]]> --> <script>x</script> & $x_1$ \input{a}"
    svg = to_svg(note(text), text)
    root = ElementTree.fromstring(svg)
    assert not [node for node in root.iter() if str(node.tag).rpartition("}")[2] == "script"]
    assert text in [node.text for node in root.iter() if str(node.tag).endswith("description")]


def test_a_page_holds_no_mark_that_acts_on_a_screen(tmp_path: Path):
    (tmp_path / "page.j2").write_text(
        "{% macro cell(text) %}<b>{{ text }}</b>{% endmacro %}{{ cell(x) }}"
    )
    assert fill(tmp_path / "page.j2", x="a\x00\x1b[1m<\u202eb>\u200cc\n") == (
        "<b>a  [1m&lt; b&gt;\u200cc\n</b>"
    )


@pytest.mark.parametrize(
    "start", ["# x", "- x", "+ x", "1. x", "12) x", "---", "===", "> x", "* x", "```"]
)
def test_a_caption_is_a_paragraph_whatever_it_begins_with(start: str):
    tokens = MarkdownIt().enable("table").parse(to_markdown(pd.DataFrame({"a": ["b"]}), start))
    kinds = ["paragraph_open", "inline", "paragraph_close", "table_open"]
    assert [token.type for token in tokens[:4]] == kinds
    children = tokens[1].children or []
    assert {child.type for child in children} == {"text"}
    assert "".join(child.content for child in children) == start
