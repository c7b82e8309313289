"""What happens while a training goes on, and where an epoch ends."""

import math
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from knowpack.schedule import Schedule
from knowpack.sums import write_sums


class Progress(TrainerCallback):
    """A bar with the rate and the loss, and the adapter of every epoch where it is kept."""

    def __init__(self, bar: type, schedule: Schedule, folder: Path | None) -> None:
        """Take a tqdm class, and the folder that keeps epochs; ``tokens`` are those of this start."""
        self.bar_class, self.schedule, self.folder, self.tokens = bar, schedule, folder, 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Show the bar, from where an earlier start came to."""
        self.bar = self.bar_class(
            total=state.max_steps, initial=state.global_step, unit=" steps", desc="training"
        )

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Advance the bar; at an epoch's end, count it and keep its adapter, with sums."""
        self.bar.update(1)
        if state.global_step in self.schedule.ends:
            epoch = self.schedule.ends.index(state.global_step)
            self.tokens += self.schedule.tokens[epoch]
            if self.folder is not None:
                own = self.folder / str(epoch + 1)
                model.save_pretrained(own)
                files = [own / "adapter_config.json", own / "adapter_model.safetensors"]
                write_sums(files, own / "SHA256SUMS")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Show the loss."""
        if logs and "loss" in logs:
            self.bar.set_postfix(loss=f"{float(logs['loss']):.3f}", refresh=False)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Leave the bar."""
        self.bar.close()


class Ends(TrainerCallback):
    """Saves and judges at the end of epochs that the Trainer does not know as such, and stops early."""

    def __init__(self, schedule: Schedule, patience: int) -> None:
        """``patience`` is how many epochs may go by without a lower loss; 0, all of them."""
        self.schedule, self.patience = schedule, patience

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a checkpoint, and for the held-out loss."""
        if self.schedule.in_order and state.global_step in self.schedule.ends:
            control.should_save, control.should_evaluate = True, bool(self.patience)

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop where the loss has not fallen for too long."""
        if waited(held_out_losses(state.log_history)) >= self.patience:
            control.should_training_stop = True


def held_out_losses(history: list[dict[str, Any]]) -> list[float]:
    """Return the loss on the held-out rows after each epoch, from the Trainer's log."""
    losses = [log["eval_loss"] for log in history if "eval_loss" in log]
    return [math.inf if math.isnan(loss) else loss for loss in losses]


def waited(losses: list[float]) -> int:
    """Return how many epochs have gone by since the one with the lowest loss."""
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0
