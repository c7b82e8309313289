"""What a job took: in a process of its own, with a child that still lives."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
PROGRAM = """
import json, subprocess, sys, time
sys.path.insert(0, {scripts!r})
import knowpack.usage
held = bytearray(80_000_000)
code = "held = bytearray(60_000_000); print('ready', flush=True); input()"
child = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True)
child.stdout.readline()
time.sleep(0.2)
print(json.dumps(knowpack.usage.usage()))
child.communicate("end")
print(knowpack.usage.usage()["peak_memory_mb"])
"""


def test_time_and_memory_of_a_job_with_its_children() -> None:
    program = PROGRAM.format(scripts=str(SCRIPTS))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    first, second = map(json.loads, done.stdout.splitlines())
    assert 0.2 <= first["job_seconds"] < 30
    assert 140 <= first["peak_memory_mb"] < 250
    assert 80 <= second <= first["peak_memory_mb"] - 60
