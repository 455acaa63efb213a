"""The record of one case in continuous time."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Trajectory:
    """What a continuous-time chip does while one case goes through its phases.

    `time_ms` counts from the clamp, shape (n,). `activity` and `trace` hold each
    group's units by the group's name, shape (n, units), in 0..1 for logistic units;
    traces are those of the plasticity, and the activity itself where it has none.
    `weights` holds what each matrix would be if written then, shape (n, rows,
    cols + 1), bias last. `phases` are (name, first ms, last ms).
    """

    time_ms: np.ndarray
    activity: dict[str, np.ndarray]
    trace: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    phases: tuple[tuple[str, float, float], ...]

    def plot(self):
        """Return a Matplotlib figure of it, as an oscilloscope would show it."""
        from recirc_hw.reports.oscilloscope import oscilloscope

        return oscilloscope(self)
