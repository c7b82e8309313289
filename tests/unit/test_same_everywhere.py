"""The same packages give the same facts, prompts and rows, on whatever machine.

The digests below are of all machines: one that differs elsewhere, in CI say, shows what depends on
the machine. Who changes a template, a resource or the version of a data package changes them on
purpose: take the new ones from the failure's message.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("everywhere.py")
CONTENT = {
    "facts of a dump": "55193c31ec44ae31",
    "facts": "38e583ce5bbd9f3c",
    "shots": "20754488a6873e52",
    "pools": "7033684a5e30805e",
    "prompts": "a9dd96b695f2acb1",
    "rows with none": "0bc224915d186f8c",
    "tokens of none": "126ca2772d34c013",
    "rows with highly_known": "cfbffbcb52d812fc",
    "tokens of highly_known": "401c683ad1a867fc",
    "rows with paraphrase": "61a7f7343ede3af1",
    "tokens of paraphrase": "9000f07b581cc2f5",
}
HERE = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC", "OMP_NUM_THREADS": "2"}
# Turkish has letters of its own for i and I; where the locale is not installed, it is C.
THERE = {"PYTHONHASHSEED": "4711", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"}
THERE |= {"OMP_NUM_THREADS": "1", "LANG": "tr_TR.UTF-8", "LANGUAGE": "tr"}


@pytest.fixture(scope="module")
def made(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What two processes make, at the same time, in surroundings that differ in everything."""
    started = []
    for threads, order, environment in [("1", "forwards", HERE), ("3", "backwards", THERE)]:
        folder = tmp_path_factory.mktemp(order)
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(chat_model), threads, str(folder), order],
            cwd=folder,
            env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        started.append(process)
    found = []
    for process in started:
        text, errors = process.communicate()
        assert process.returncode == 0, errors
        found.append(json.loads(text.splitlines()[-1]))
    return found


def test_digests_are_those_of_every_machine(made: list[Any]):
    assert made[0]["content"] == CONTENT


def test_nothing_depends_on_hashes_locale_time_threads_place_or_order_of_files(made: list[Any]):
    assert made[0] == made[1]
