"""A task whose cases are spike trains of the user's own, from a file."""

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from recirc_hw.errors import DataError, TaskError
from recirc_hw.tasks.checks import frozen, whole_number
from recirc_hw.tasks.files import read_arrays, read_csv
from recirc_hw.tasks.task import Task

SUFFIXES = (".npz", ".csv")
COLUMNS = ("time_ms", "unit")
MOST_VALUES = 2**27  # of all cases together: a gigabyte


@dataclass(frozen=True, eq=False)
class SpikeTask(Task):
    """Cases that are clamped as spikes; `train` holds the activities they stand for.

    Parameters
    ----------
    trains : tuple of (time_ms, unit), a pair of arrays for each training case
        Times count from the case's beginning.
    window_ms : float
        How long a case lasts.
    """

    trains: tuple = field(default=(), repr=False)
    window_ms: float = 0.0

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256, in hex, of the name and every spike."""
        digest = hashlib.sha256(repr((self.name, self.train.shape, self.window_ms)).encode())
        for time_ms, unit in self.trains:
            digest.update(time_ms.astype("<f8").tobytes() + unit.astype("<i8").tobytes())
        return digest.hexdigest()


def spikes(path, n_units=None, *, window_ms=800.0, refractory_ms=10.0) -> SpikeTask:
    """Return a task made of the spikes in a .npz or .csv file.

    An .npz file holds arrays `time_ms` and `unit`; a .csv file two columns, time_ms and
    unit, and may start with a header. Every window_ms begins the next case, whose activity
    is the rate of each unit times refractory_ms.

    Parameters
    ----------
    path : str or path
    n_units : int, or None for one more than the largest unit in the file
    window_ms : float
        At most as long as the chip is clamped.
    refractory_ms : float
        t_ref of the chip's neurons, whose highest rate is 1 / t_ref.

    Raises
    ------
    TaskError
        If spikes are out of order, outside the network, or too many; naming the first.
    DataError
        If the file is missing or damaged.
    """
    for name, value in (("window_ms", window_ms), ("refractory_ms", refractory_ms)):
        _check_time(name, value)
    time_ms, unit = _read(Path(os.path.expanduser(path)))
    label = f"file '{path}'"
    if not len(time_ms):
        raise TaskError(f"{label}: no spikes")
    _check(label, time_ms, unit)
    n_units = int(unit.max()) + 1 if n_units is None else n_units
    n_units = whole_number("n_units", n_units, 1, 2**31)
    _check_units(label, unit, n_units)
    _check_length(label, time_ms[-1], window_ms, n_units)
    case = (time_ms // window_ms).astype(np.int64)
    count = int(case[-1]) + 1
    counts = np.zeros((count, n_units))
    np.add.at(counts, (case, unit.astype(np.int64)), 1)
    activity = counts * refractory_ms / window_ms
    _check_rates(label, counts, activity, window_ms, refractory_ms)
    cuts = np.searchsorted(case, np.arange(1, count))
    trains = tuple(
        (frozen(times - k * window_ms), frozen(units.astype(np.int64)))
        for k, (times, units) in enumerate(
            zip(np.split(time_ms, cuts), np.split(unit, cuts), strict=True)
        )
    )
    cases = frozen(activity)
    return SpikeTask(
        name=f"spikes:{path}", train=cases, test=cases, held_out=False, source=str(path),
        trains=trains, window_ms=float(window_ms),
    )  # fmt: skip


def _read(path):
    """Return (time_ms, unit) as the file holds them."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise TaskError(
            f"file '{path}': suffix '{path.suffix}'; allowed: {', '.join(SUFFIXES)}"
        )
    if not path.is_file():
        raise DataError(f"file '{path}' does not exist")
    if suffix == ".csv":
        table = read_csv(path, COLUMNS)
        if table.size and table.shape[1] != 2:
            raise TaskError(f"file '{path}': {table.shape[1]} columns; want time_ms, unit")
        return (table[:, 0], table[:, 1]) if table.size else (np.zeros(0), np.zeros(0))
    arrays = read_arrays(path)
    for name in COLUMNS:
        if name not in arrays:
            raise TaskError(
                f"file '{path}' holds {', '.join(arrays) or 'nothing'}; want time_ms and unit"
            )
    time_ms, unit = arrays["time_ms"], arrays["unit"]
    numbers = time_ms.dtype.kind in "iuf" and unit.dtype.kind in "iuf"
    if time_ms.ndim != 1 or time_ms.shape != unit.shape or not numbers:
        raise TaskError(
            f"file '{path}': time_ms {time_ms.dtype} {time_ms.shape}, unit {unit.dtype} "
            f"{unit.shape}; want numbers, as many of one as of the other"
        )
    return time_ms.astype(np.float64), unit


def _check_time(name, value):
    """Refuse what is no length of time."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
        raise TaskError(f"{name} = {value!r}; allowed: a number of ms above 0")


def _check_length(label, last_ms, window_ms, n_units):
    """Refuse a file that would make more cases than there is memory for."""
    if (last_ms / window_ms + 1) * n_units > MOST_VALUES:
        raise TaskError(
            f"{label}: the last spike, at {last_ms:g} ms, makes {last_ms // window_ms + 1:g} "
            f"cases of {window_ms:g} ms and {n_units} units; at most {MOST_VALUES} values"
        )


def _check(label, time_ms, unit):
    """Refuse spikes out of order, before 0, or of what is no unit's number."""
    bad = ~np.isfinite(time_ms) | (time_ms < 0)
    if bad.any():
        k = int(np.argmax(bad))
        raise TaskError(f"{label}: spike {k} at {time_ms[k]:g} ms; want 0 ms or later")
    back = np.diff(time_ms) < 0
    if back.any():
        k = int(np.argmax(back)) + 1
        raise TaskError(
            f"{label}: spike {k} at {time_ms[k]:g} ms comes after one at "
            f"{time_ms[k - 1]:g} ms; want them in order of time"
        )
    odd = ~((unit >= 0) & (unit == np.floor(unit)) & (unit < 2**31))
    if odd.any():
        k = int(np.argmax(odd))
        raise TaskError(
            f"{label}: spike {k} is of unit {unit[k]:g}; want whole numbers from 0 up"
        )


def _check_units(label, unit, n_units):
    """Refuse spikes of units that the network does not have."""
    outside = unit >= n_units
    if outside.any():
        k = int(np.argmax(outside))
        raise TaskError(
            f"{label}: spike {k} is of unit {unit[k]:g}, outside the network's "
            f"{n_units} units (0..{n_units - 1})"
        )


def _check_rates(label, counts, activity, window_ms, refractory_ms):
    """Refuse more spikes than a neuron can fire."""
    if activity.max() > 1:
        case, unit = np.unravel_index(np.argmax(activity), activity.shape)
        raise TaskError(
            f"{label}: unit {unit} fires {counts[case, unit]:g} times in case {case}, "
            f"{counts[case, unit] / window_ms * 1000:g} Hz; at most 1 / refractory_ms = "
            f"{1000 / refractory_ms:g} Hz"
        )
