"""Data packages read their files in the encoding of the machine; jobs have the same one everywhere."""

import subprocess
from pathlib import Path

from study_tree import Tree

# A machine without UTF-8, as Python sees one.
LEGACY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_jobs_read_utf8_on_a_machine_of_another_encoding(source: Tree, tmp_path: Path) -> None:
    tree = source.copy(tmp_path / "tree")
    script = "workflow/scripts/list_runs.py"
    tree.edit(script, "\nwith ", "\nfrom locale import getpreferredencoding\n\nwith ")
    tree.edit(script, "    write_table(", "    print(getpreferredencoding())\n    write_table(")
    done = subprocess.run(
        tree.command("results/small/runs.parquet"),
        cwd=tree.folder,
        env=tree.environment | LEGACY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert (tree.results / "logs/list_runs.log").read_text() == "utf-8\n"
