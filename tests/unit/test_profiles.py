"""The profiles and the rules name the same rules."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROFILE = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
# A Slurm job of their own, on purpose: each may take long, or is the only one of its kind.
ALONE = {"ask", "train_adapter", "paraphrase_facts"}  # on a GPU
ALONE |= {"materialise_model", "fetch_dump", "build_facts", "build_extra_facts", "load_suite"}
ALONE |= {"recommend", "export_adapter", "export_merged"}  # of one adapter, when it is asked for


def rules() -> set[str]:
    """Every rule that is submitted."""
    files = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
    text = "\n".join(path.read_text() for path in files)
    head = r"^ *(?:use rule \w+ as|rule|checkpoint) (\w+)(?: with)?:$"
    local = re.search(r"^localrules:\n((?:    \w+,\n)+)", text, flags=re.MULTILINE)
    assert local
    return set(re.findall(head, text, flags=re.MULTILINE)) - set(re.findall(r"\w+", local[1]))


def test_every_rule_shares_slurm_jobs_or_has_its_own():
    grouped = PROFILE["groups"].keys()
    assert not grouped & ALONE
    assert grouped | ALONE == rules()


def test_the_profile_names_no_other_rule_or_group():
    assert PROFILE["set-resources"].keys() | PROFILE["set-threads"].keys() <= rules()
    assert PROFILE["group-components"].keys() <= set(PROFILE["groups"].values())
    assert set(PROFILE["groups"].values()) - PROFILE["group-components"].keys() == {"report"}
