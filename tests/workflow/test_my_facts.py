"""The guide's study of a spreadsheet."""

from pathlib import Path

from study_tree import Tree


def test_the_guides_study_is_planned(source: Tree, tmp_path: Path) -> None:
    tree = source.copy(tmp_path / "tree")
    rows = [f"Who leads office {number}?;Name {number}" for number in range(50)]
    (tree.folder / "my_facts.csv").write_text("\n".join(["question;answer", *rows, ""]))
    planned = tree.planned(config="config/my-facts.yaml")
    runs = 4
    assert planned["train_adapter"] == planned["select_rows"] == runs
    assert planned["build_facts"] == planned["build_extra_facts"] == 1
    assert planned["ask"] == 2 * (runs + 1) + 1  # the model itself is asked extra_facts too
