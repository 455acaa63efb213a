"""The record of spiking neurons: who fired when, and what membranes and traces did."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recirc_hw.errors import DataError


class Spikes(NamedTuple):
    """Spikes in order of time: `time_ms`, from the beginning, and the `unit` that fired."""

    time_ms: np.ndarray
    unit: np.ndarray


@dataclass(frozen=True)
class SpikeRecord:
    """What a spiking chip does in a window of time.

    By the group's name: `spikes`, of all neurons of each unit; `potential`, shape
    (n, units, neurons), and `current`, (n, units), in units of net input; `slow` and
    `fast`, the units' own traces, (n, units), whose means are activities in 0..1. `time_ms`,
    shape (n,), is the end of each step. `phases` are (name, first ms, last ms) of all that
    was presented, also outside the window; a neuron fires once in `refractory_ms` at most.
    """

    time_ms: np.ndarray
    spikes: dict[str, Spikes]
    potential: dict[str, np.ndarray]
    current: dict[str, np.ndarray]
    slow: dict[str, np.ndarray]
    fast: dict[str, np.ndarray]
    phases: tuple[tuple[str, float, float], ...]
    window_ms: tuple[float, float]
    refractory_ms: float

    def rates(self, bin_ms=50.0):
        """Return (bin edges in ms, each group's rates in Hz, shape (bins, units)).

        A unit's rate is the mean of its neurons'.
        """
        first, last = self.window_ms
        edges = np.linspace(first, last, max(1, round((last - first) / bin_ms)) + 1)
        return edges, {
            name: self._binned(name, edges) / np.diff(edges)[:, None] * 1000.0
            for name in self.spikes
        }

    def _binned(self, name, edges):
        """Return spikes a neuron in each bin, shape (bins, units)."""
        _, units, neurons = self.potential[name].shape
        counts, _, _ = np.histogram2d(
            *self.spikes[name], bins=(edges, np.arange(units + 1) - 0.5)
        )
        return counts / neurons

    def save(self, path, group="visible"):
        """Write a group's spikes as .npz or .csv, columns time_ms and unit.

        Raises
        ------
        DataError
            For another suffix, or where the file cannot be written.
        """
        spikes, path = self.spikes[group], Path(path)
        if path.suffix not in (".npz", ".csv"):
            raise DataError(f"file '{path}': suffix '{path.suffix}'; allowed: .npz, .csv")
        try:
            if path.suffix == ".npz":
                np.savez_compressed(path, time_ms=spikes.time_ms, unit=spikes.unit)
            else:
                rows = zip(spikes.time_ms, spikes.unit, strict=True)
                lines = ["time_ms,unit", *(f"{float(t)!r},{u}" for t, u in rows)]
                path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        except OSError as error:
            raise DataError(f"cannot write '{path}': {error.strerror}") from None

    def plot(self):
        """Return a Matplotlib figure: a raster of each group, the phases shaded, and rates."""
        from recirc_hw.reports.raster import raster

        return raster(self)
