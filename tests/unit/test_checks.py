import pytest

from knowpack.checks import prepare
from knowpack.errors import ConfigError

VALUES = {
    "study": "s",
    "models": [{"name": "m", "source": "package", "package": "no_such_model"}],
    "facts": {"source": "world", "size": 50},
    "grid": [{"unknown": [1], "seeds": [1]}],
}


def test_a_model_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        prepare(VALUES)
    assert str(caught.value) == (
        "models: the package 'no_such_model' is not installed; `pip install no-such-model`"
    )


def test_with_environments_of_their_own_the_jobs_know_which_packages_there_are() -> None:
    study, runs = prepare(VALUES, packages=False)
    assert study.models[0].package == "no_such_model"
    assert [run["run"] for run in runs] == ["uk1-s1"]
