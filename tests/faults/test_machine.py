"""A full disk, too little memory, folders that cannot be written to: one clear line, and going on."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from short_tree import AGAIN, RECORD
from study_tree import Tree

STEPS = {
    "build_facts": "results/small/facts.parquet",
    "ask": "results/small/tiny/base/responses/facts.parquet",
    "train_adapter": RECORD,
    "table_shifts": "results/small/tables/shifts.parquet",
}


def run(*command: object) -> bool:
    """Whether a command of the system is there and does its work."""
    if shutil.which(str(command[0])) is None:
        return False
    return subprocess.run([str(part) for part in command], capture_output=True).returncode == 0


@pytest.fixture
def mounted() -> Iterator[Callable[..., None]]:
    """Mount something on a folder until the test ends."""
    folders: list[Path] = []

    def mount(folder: Path, *options: object) -> None:
        if os.geteuid() or not run("mount", *options, folder):
            pytest.skip("nothing can be mounted here: it takes root")
        folders.append(folder)

    yield mount
    for folder in reversed(folders):
        run("umount", "-l", folder)


def full(folder: Path, mount: Callable[..., None], room: int) -> Path:
    """Put a folder on a disk of its own with ``room`` KiB left; return the file that fills it."""
    aside = folder.with_name(f"{folder.name}-aside")
    folder.rename(aside)
    folder.mkdir()
    mount(folder, "-t", "tmpfs", "-o", "size=64m", "tmpfs")
    shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
    filler = folder / ".filler"
    with filler.open("wb") as file:
        left = shutil.disk_usage(folder).free - room * 1024
        file.write(b"\0" * left)
    return filler


def remove(tree: Tree, path: str) -> None:
    """Have a step to do, all of it."""
    made = tree.folder / path
    shutil.rmtree(tree.results / "kept", ignore_errors=True)
    shutil.rmtree(made.parent) if path == RECORD else made.unlink()


def hidden(tree: Tree) -> list[str]:
    """Temporary files that were left."""
    found = tree.results.rglob(".*")
    return sorted(path.name for path in found if path.name not in (".lock", ".filler", ".failed"))


@pytest.mark.parametrize(("step", "room"), [*((step, 0) for step in STEPS), ("train_adapter", 64)])
def test_disk_full(tree: Tree, mounted: Callable[..., None], step: str, room: int) -> None:
    made = STEPS[step]
    remove(tree, made)
    filler = full(tree.results, mounted, room)
    status, text = tree.snakemake(made)
    assert status == 1
    assert "No space left on device; make room and run the same command again" in text, text
    assert text.rstrip().endswith(AGAIN)
    assert not (tree.folder / made).exists()
    assert hidden(tree) == []
    filler.unlink()
    status, text = tree.snakemake(made)
    assert status == 0, text


def test_disk_full_where_snakemake_keeps_its_own(tree: Tree, mounted: Callable[..., None]) -> None:
    made = STEPS["table_shifts"]
    remove(tree, made)
    filler = full(tree.folder / ".snakemake", mounted, 0)
    status, text = tree.snakemake(made)
    assert status != 0
    assert "No space left on device" in text
    filler.unlink()
    status, text = tree.snakemake(made)
    assert status == 0, text
    assert (tree.folder / made).is_file()
    assert tree.planned(made) == {}


def read_only(folder: Path, mount: Callable[..., None]) -> None:
    mount(folder, "--bind", folder)
    if not run("mount", "-o", "remount,ro,bind", folder):
        pytest.skip("nothing can be mounted read-only here")


def test_read_only_results(tree: Tree, mounted: Callable[..., None]) -> None:
    remove(tree, STEPS["train_adapter"])
    read_only(tree.results, mounted)
    status, text = tree.snakemake(STEPS["train_adapter"])
    assert status == 1
    assert "results/small: cannot be written to (Read-only file system); make room or ask" in text
    assert "Traceback" not in text
    # What is there and would be made anew, Snakemake finds by itself.
    status, text = tree.snakemake("--forcerun", "table_shifts")
    assert status == 1
    # Of those that are to run, whichever it comes to first.
    assert re.search("Write-protected output files for rule (table_|draw_figure|make_report)", text)
    assert "Traceback" not in text


def test_read_only_folder_within(tree: Tree, mounted: Callable[..., None]) -> None:
    remove(tree, RECORD)
    folder = (tree.folder / RECORD).parent
    folder.mkdir()
    read_only(folder, mounted)
    status, text = tree.snakemake(RECORD)
    assert status == 1
    assert "Read-only file system" in text  # Snakemake itself cannot remove what was there
    assert text.rstrip().endswith(AGAIN)
    run("umount", folder)
    status, text = tree.snakemake(RECORD)
    assert status == 0, text


def test_a_folder_of_another_user(tree: Tree) -> None:
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("it takes root to be another user")
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if not run(*other, tree.command()[0], "-c", "import snakemake"):
        pytest.skip("another user cannot read this Python")
    for path in (tree.folder, *tree.folder.parents):
        path.chmod(path.stat().st_mode | 0o055)
    done = subprocess.run(
        [*other, *tree.command()],
        cwd=tree.folder,
        env={**tree.environment, "HOME": "/tmp", "XDG_CACHE_HOME": "/tmp/other"},
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Permission denied" in said


LIMIT = """\
    import resource

    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + {room}, size + {room}))
"""


@pytest.mark.parametrize(
    ("step", "script", "line"),
    [
        ("ask", "knowpack/asking.py", "    responses, cost = ask(engine, prompter, facts, _shots("),
        ("train_adapter", "train_adapter.py", "    made = train("),
    ],
)
def test_memory_limit(tree: Tree, step: str, script: str, line: str) -> None:
    made = STEPS[step]
    remove(tree, made)
    limit = LIMIT.format(room=1 << 20)
    tree.edit(f"workflow/scripts/{script}", line, limit + line)
    status, text = tree.snakemake(made)
    assert status == 1
    if step == "ask":  # training may end in a panic of the tokenizer's threads instead
        assert "error: out of memory; give the job more" in text, text
    assert text.rstrip().endswith(AGAIN)
    assert not (tree.folder / made).exists()
    assert hidden(tree) == []
    tree.edit(f"workflow/scripts/{script}", limit, "")
    status, text = tree.snakemake(made)
    assert status == 0, text
