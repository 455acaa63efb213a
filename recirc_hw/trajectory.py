"""The record of one case in continuous time."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Trajectory:
    """What a continuous-time chip does while one case goes through its phases.

    Parameters
    ----------
    time_ms : float array, shape (n,)
        From 0, when the case was clamped.
    activity, trace : dict of float arrays, shape (n, units), by group
        In 0..1 for logistic units, -1..1 for tanh. Traces are those of the plasticity (or
        the derivative circuit's copy p), and the activity itself where it has none.
    weights : dict of float arrays, shape (n, rows, cols + 1), by matrix
        What each would be if written then, bias last; no unit: net input for each unit
        of activity.
    phases : tuple of (name, first ms, last ms)
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
