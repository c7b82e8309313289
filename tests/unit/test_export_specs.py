"""Which adapter is taken home, and under which name its model goes."""

from typing import Any

import pytest

from knowpack.config import load
from knowpack.errors import ConfigError
from knowpack.export_specs import check_export, export_spec, exported
from knowpack.runs import run_table

PACKAGE = {"name": "p", "source": "package", "package": "some_model_gguf"}
FOLDER = {"name": "f", "source": "folder", "path": "/home/me/models/Some-1B/"}
HUB = {"name": "h", "source": "hub", "repo": "a/b", "revision": "0" * 40}
VALUES: dict[str, Any] = {
    "study": "s",
    "models": [PACKAGE, FOLDER, HUB],
    "facts": {"source": "world", "size": 50},
    "grid": [{"unknown": [1, 2], "seeds": [1]}],
}


def chosen(**export: Any) -> tuple[str, str] | None:
    study = load({**VALUES, "export": export})
    return exported(study, run_table(study))


def test_a_run_of_a_model_is_chosen():
    assert chosen(run="uk2-s1", model="f") == ("f", "uk2-s1")
    one = load({**VALUES, "models": [HUB], "export": {"run": "uk1-s1"}})
    assert exported(one, run_table(one)) == ("h", "uk1-s1")


@pytest.mark.parametrize(
    ("export", "message"),
    [
        (
            {"run": "uk2s1"},
            "export.run: there is no run 'uk2s1' (did you mean 'uk2-s1'?); one of uk1-s1, uk2-s1",
        ),
        ({"run": "uk1-s1"}, "export.model: several models have a run 'uk1-s1'; one of f, h, p"),
        (
            {"run": "uk1-s1", "model": "x"},
            "export.model: there is no model 'x'; one of f, h, p",
        ),
    ],
)
def test_what_cannot_be_chosen(export: dict[str, Any], message: str):
    with pytest.raises(ConfigError) as caught:
        chosen(**export)
    assert str(caught.value) == message
    study = load({**VALUES, "export": export})
    with pytest.raises(ConfigError):
        check_export(study, run_table(study))


def test_no_run_need_be_named():
    assert chosen() is None


def test_the_public_name_is_never_a_place_on_this_machine():
    study = load(VALUES)
    found = {name: export_spec(study, name, merged=False) for name in "pfh"}
    assert [found[name]["base_model"] for name in "pfh"] == ["some_model_gguf", "Some-1B", "a/b"]
    assert [found[name]["place"] for name in "pfh"] == ["../../p/model", "../../f/model", "a/b"]
    assert [found[name]["revision"] for name in "pfh"] == [None, None, "0" * 40]
    named = load({**VALUES, "export": {"base_model": "c/d"}})
    spec = export_spec(named, "f", merged=True)
    assert (spec["base_model"], spec["place"], spec["merged"]) == ("c/d", "c/d", True)


def test_many_runs_are_not_all_named():
    grid = [{"unknown": [*range(1, 31)], "seeds": [1]}]
    study = load({**VALUES, "grid": grid, "export": {"run": "uk50-s1"}})
    with pytest.raises(ConfigError, match="uk20-s1 and 10 more$"):
        exported(study, run_table(study))
