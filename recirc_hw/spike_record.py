"""The record of spiking neurons: who fired when, and what membranes and traces did."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recirc_hw.errors import DataError
from recirc_hw.growing import read_grown
from recirc_hw.whole_files import whole_file

KINDS = ("potential", "current", "slow", "fast")  # of what is recorded at every step
AT_ONCE = 100_000  # spikes that are written to a .csv file at once


class Spikes(NamedTuple):
    """Spikes in order of time: `time_ms`, from the beginning, and the `unit` that fired."""

    time_ms: np.ndarray
    unit: np.ndarray


@dataclass(frozen=True)
class Window:
    """Which part of the presentation of some cases a record is of.

    `groups` holds (units, neurons of each) by the group's name, `case_phases` the (name,
    ms) of every phase of one case.
    """

    dt_ms: float
    first_step: int
    stop_step: int
    case_phases: tuple[tuple[str, float], ...]
    groups: dict[str, tuple[int, int]]

    @property
    def bounds_ms(self):
        """When it begins and ends."""
        return self.first_step * self.dt_ms, self.stop_step * self.dt_ms

    def phases(self):
        """Return (name, first ms, last ms) of every phase that lies in it, in turn."""
        first, last = self.bounds_ms
        first, last = first + self.dt_ms / 2, last - self.dt_ms / 2  # of whole steps
        ends = np.cumsum([0.0, *(ms for _, ms in self.case_phases)])
        cases = range(int(first / ends[-1]), math.ceil(last / ends[-1]))
        spans = [
            (name, float(case * ends[-1] + start), float(case * ends[-1] + end))
            for case in cases
            for (name, _), start, end in zip(self.case_phases, ends, ends[1:], strict=False)
        ]
        return tuple(span for span in spans if span[2] > first and span[1] < last)


@dataclass(frozen=True)
class SpikeRecord:
    """What a spiking chip does in a window of time.

    By the group's name: `spikes`, of all neurons of each unit; `potential`, shape
    (n, units, neurons), and `current`, (n, units), in units of net input; `slow` and
    `fast`, the units' own traces, (n, units), whose means are activities in 0..1. Of a
    record in a folder the arrays lie on disk, and are read as they are used.
    """

    window: Window
    spikes: dict[str, Spikes]
    potential: dict[str, np.ndarray]
    current: dict[str, np.ndarray]
    slow: dict[str, np.ndarray]
    fast: dict[str, np.ndarray]

    @classmethod
    def of(cls, window, arrays):
        """Return the record made of arrays by "kind_group", as the recorder names them."""
        names = list(window.groups)
        by_kind = {kind: {n: arrays[f"{kind}_{n}"] for n in names} for kind in KINDS}
        spikes = {n: Spikes(arrays[f"time_ms_{n}"], arrays[f"unit_{n}"]) for n in names}
        return cls(window, spikes, **by_kind)

    @classmethod
    def load(cls, folder):
        """Return the record that `chip.record(cases, folder=...)` wrote.

        Raises
        ------
        DataError
            If the folder holds none, or a broken one.
        """
        try:
            arrays, facts = read_grown(folder)
            phases = tuple((str(name), float(ms)) for name, ms in facts.pop("case_phases"))
            groups = {name: tuple(sizes) for name, sizes in facts.pop("groups").items()}
            return cls.of(Window(case_phases=phases, groups=groups, **facts), arrays)
        except OSError as error:
            raise DataError(f"cannot read record '{folder}': {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
            raise DataError(f"'{folder}' holds no record of spikes: {error}") from None

    @property
    def window_ms(self):
        """When the record begins and ends."""
        return self.window.bounds_ms

    @property
    def time_ms(self):
        """The end of each step, shape (n,)."""
        return np.arange(self.window.first_step + 1, self.window.stop_step + 1) * (
            self.window.dt_ms
        )

    @property
    def phases(self):
        """The (name, first ms, last ms) of every phase that lies in the window."""
        return self.window.phases()

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
        units, neurons = self.window.groups[name]
        counts, _, _ = np.histogram2d(
            *self.spikes[name], bins=(edges, np.arange(units + 1) - 0.5)
        )
        return counts / neurons

    def save(self, path, group="visible"):
        """Write a group's spikes as .npz or .csv, columns time_ms and unit.

        Raises
        ------
        DataError
            For another suffix or group, or where the file cannot be written; nothing
            half-written is left.
        """
        path = Path(path)
        if group not in self.spikes:
            raise DataError(f"group '{group}': recorded are {', '.join(self.spikes)}")
        if path.suffix not in (".npz", ".csv"):
            raise DataError(f"file '{path}': suffix '{path.suffix}'; allowed: .npz, .csv")
        try:
            with whole_file(path) as stream:
                write = _write_npz if path.suffix == ".npz" else _write_csv
                write(stream, self.spikes[group])
        except OSError as error:
            raise DataError(f"cannot write '{path}': {error.strerror}") from None

    def plot(self):
        """Return a Matplotlib figure: a raster of each group, the phases shaded, and rates."""
        from recirc_hw.reports.raster import raster

        return raster(self)


def _write_npz(stream, spikes):
    np.savez_compressed(stream, time_ms=spikes.time_ms, unit=spikes.unit)


def _write_csv(stream, spikes):
    """Write a line a spike, so many at once that the text takes little memory."""
    stream.write(b"time_ms,unit\n")
    for start in range(0, len(spikes.unit), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        rows = zip(spikes.time_ms[part].tolist(), spikes.unit[part].tolist(), strict=True)
        stream.write("".join(f"{time!r},{unit}\n" for time, unit in rows).encode())
