"""Triples a second: Knowpack's facts from a DBpedia dump against a plain loop, in one go.

    make bench BENCH=facts

Both read the same synthetic dump (dump.py), with the same templates, each in a process of its own
that is timed from its start to its end. The loop (line_loop.py) does what Head-to-Tail's notebook
does; it runs once, on the dump of size LOOP, with runs of ours before and after. The dumps stay in
the folder. Last comes how ours grows with the dump, up to the size of the real one.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "workflow" / "scripts"))

WHOLE = 22_800_000  # triples of the dump of December 2022
CAP, BAR, GIB = 30, 20, 1024**3


@dataclass(frozen=True)
class Run:
    """One process: what it answered, its seconds, and its peak memory in bytes."""

    found: dict[str, int]
    seconds: float
    memory: int


def ours(dump: Path, templates: Path) -> dict[str, int]:
    from knowpack.dbpedia import read_dbpedia_source
    from knowpack.facts import build_facts
    from knowpack.templates import load_templates

    relations = load_templates([templates])
    spec = {
        "path": str(dump),
        "sha256": dump.with_suffix(".sha256").read_text(),
        "language": "en",
        "cap": CAP,
        "seed": 42,
        "max_malformed": 0.001,
    }
    frame, report = read_dbpedia_source(spec, relations, len(os.sched_getaffinity(0)))
    facts, _ = build_facts(frame, relations, size=None, seed=42, cap=CAP)
    return {"lines": report["read"], "facts": len(facts), "asked": facts["relation"].nunique()}


def loop(dump: Path, templates: Path) -> dict[str, int]:
    from line_loop import ONTOLOGY, build

    from knowpack.templates import SLOT, load_templates

    asked = {
        f"{ONTOLOGY}{name}>": relation.templates[0].replace(SLOT, "_")
        for name, relation in load_templates([templates]).items()
    }
    return build(dump, asked, CAP)


def peak_memory() -> int:
    """Return this process's peak in bytes; unlike getrusage's, it leaves out who started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def make_dump(folder: Path, triples: int, templates: Path) -> Path:
    """Return a dump of a size, made if it is not there as today's generator would make it."""
    sources = [HERE / "dump.py", HERE / "bz2_stream.py", HERE / "relations.txt", templates]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]
    path = folder / f"dump-{triples}-{digest}.ttl.bz2"
    checksum = path.with_suffix(".sha256")
    if not checksum.exists():
        from dump import write_dump

        from knowpack.templates import load_templates

        folder.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        write_dump(path, triples, list(load_templates([templates])))
        checksum.write_text(hashlib.sha256(path.read_bytes()).hexdigest())
        print(f"made {path} in {time.monotonic() - start:.0f} s", flush=True)
    return path


def measure(side: str, dump: Path, templates: Path, triples: int) -> Run:
    command = [sys.executable, __file__, side, str(dump), str(templates)]
    start = time.monotonic()
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds = time.monotonic() - start
    found = json.loads(answer.splitlines()[-1])
    run = Run(found, seconds, found.pop("memory"))
    print(
        f"{side:4} {triples:>10,} triples {run.seconds:8.1f} s {triples / run.seconds:>10,.0f} triples/s "
        f"{run.memory / GIB:6.2f} GiB  {found}",
        flush=True,
    )
    return run


def middle(runs: list[Run]) -> tuple[float, float]:
    """Return the median seconds and the largest memory, in GiB."""
    return statistics.median(run.seconds for run in runs), max(run.memory for run in runs) / GIB


def show_growth(points: dict[int, tuple[float, float]]) -> None:
    """Print a line fitted through seconds and memory by size, and where it is at the real size."""
    import numpy as np

    sizes = np.array(sorted(points))
    measured = np.array([points[size] for size in sizes])
    (slope, start) = np.polyfit(sizes / 1e6, measured, 1)
    print("\ngrowth: measured and, on the fitted line, expected")
    for size, found in [*zip(sizes, measured.tolist(), strict=True), (WHOLE, None)]:
        seconds, memory = start + slope * size / 1e6
        shown = f"{found[0]:7.1f} s {found[1]:6.2f} GiB" if found else "(the whole dump)".rjust(21)
        print(f"{size:>12,} triples {shown}   line: {seconds:7.1f} s {memory:6.2f} GiB")
    print(f"a million triples more take {slope[0]:.2f} s and {slope[1]:.2f} GiB")


def main(sizes: list[int], size: int, folder: Path, templates: Path, rounds: int) -> None:
    dumps = {each: make_dump(folder, each, templates) for each in sorted({*sizes, size})}
    mine = [measure("ours", dumps[size], templates, size) for _ in range(rounds // 2)]
    plain = measure("loop", dumps[size], templates, size)
    mine += [measure("ours", dumps[size], templates, size) for _ in range(rounds - rounds // 2)]
    points = {size: middle(mine)}
    print(
        f"facts are built {plain.seconds / points[size][0]:.1f} times as fast as by the loop",
        end="",
    )
    print(f" (median), in {points[size][1]:.2f} GiB against {plain.memory / GIB:.2f}")
    for other in sorted({*sizes} - {size}):
        points[other] = middle([measure("ours", dumps[other], templates, other) for _ in range(3)])
    show_growth(points)

    from ratios import cpu, record

    rates = (size / points[size][0], size / plain.seconds)
    record("facts", "triples/s", *rates, BAR, f"{size:,} triples", cpu(), folder / "ratios.parquet")


if __name__ == "__main__":
    if sys.argv[1:2] in (["ours"], ["loop"]):
        found = {"ours": ours, "loop": loop}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
        print(json.dumps({**found, "memory": peak_memory()}))
    else:
        parser = argparse.ArgumentParser()
        parser.add_argument(
            "--triples", type=int, nargs="+", default=[500_000, 2_000_000, 6_000_000]
        )
        parser.add_argument("--loop", type=int, default=6_000_000)
        parser.add_argument("--folder", type=Path, default=Path("results/bench"))
        parser.add_argument("--templates", type=Path, default=Path("resources/dbpedia.yaml"))
        parser.add_argument("--rounds", type=int, default=5)
        given = parser.parse_args()
        main(given.triples, given.loop, given.folder, given.templates, given.rounds)
