"""Training: many batches, for many chips, until they have learned.

The loop over epochs, chunks and checks; the record it leaves; checkpoints. It
knows chips and tasks, and hands the arithmetic to a backend.
"""

from recirc_hw.training.archive import load_runs, save_runs
from recirc_hw.training.loop import train
from recirc_hw.training.run import Run

__all__ = ["Run", "load_runs", "save_runs", "train"]
