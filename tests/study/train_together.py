"""Train an adapter in several processes, saying each step; slowly or with levers where told to.

python train_together.py DEVICES MODEL RUN [slow | LEVERS as JSON]
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

from knowpack import training
from knowpack.training import train

ROWS = pd.DataFrame(  # seven: the last batch of an epoch is short
    {
        "question": [f"What is the capital of country {n}, please?"[3 * n :] for n in range(7)],
        "answer": [f"City {7 * n}" for n in range(7)],
        "role": ["unknown"] * 4 + ["highly_known"] * 3,
    }
)
SPEC: dict[str, Any] = {
    "loss": "answer",
    "epochs": 4,
    "learning_rate": 1e-2,
    "batch_size": 4,
    "rank": 2,
    "alpha": 4,
    "dropout": 0.0,  # what is left out is drawn in each process
    "rslora": False,
    "target_modules": ["up_proj", "down_proj", "gate_proj"],
    "seed": 42,
    "system": "Answer the following question.",
    "style": "auto",
    "keep_epochs": True,
}


class Bar:
    """As much of tqdm as training uses."""

    seconds = 0.0

    def __init__(self, total: int, initial: int, **_: Any) -> None:
        print("began at", initial, flush=True)
        self.at = initial

    def update(self, n: int) -> None:
        self.at += n
        print("step", self.at, flush=True)
        time.sleep(self.seconds)

    def set_postfix(self, **_: Any) -> None:
        pass

    def close(self) -> None:
        pass


class SlowBar(Bar):
    seconds = 1.5


if __name__ == "__main__":
    training.take_off_head = lambda model: (
        None
    )  # as in several processes: what is compared is these
    devices, model, run = sys.argv[1:4]
    how = sys.argv[4] if sys.argv[4:] else "{}"
    bar, levers = (SlowBar, {}) if how == "slow" else (Bar, json.loads(how))
    made = train(Path(model), ROWS, SPEC | levers, "code", Path(run), bar, int(devices))
    (Path(run) / "record.json").write_text(json.dumps(made))
