"""Measured pulse responses, read from CSV files."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recirc_hw.errors import DataError

COLUMNS = "pulse, conductance (or weight), and optionally device, direction"
SHORTEST = 4  # points of a staircase
LARGEST = 1e150  # whose square still is a number


@dataclass(frozen=True)
class Staircase:
    """Pulses of one direction on one device, and what was measured after each."""

    device: str
    up: bool
    pulses: np.ndarray  # pulses given since the first point, which is 0; increasing
    values: np.ndarray  # conductance or weight, in the file's unit
    line: int = 0  # of the file, where it begins

    @property
    def rise(self):
        """How far it goes the way it is meant to."""
        return (self.values[-1] - self.values[0]) * (1 if self.up else -1)


def read_staircases(path):
    """Return (staircases, name of the measured column) of a pulse-response CSV file.

    The first line names the columns, in any order: `pulse`, a count of pulses given;
    `conductance` or `weight`, measured after it; `device`, any text, where several were
    measured; `direction`, up or down. Counts are whole numbers from 0 on. Each device's lines
    stand in the order measured. A new staircase begins where the direction changes or the
    count does not increase; without the column `direction` one counts as up where it ends
    higher than it began.

    Raises
    ------
    DataError
        Naming the file, the line, what was found and what was wanted.
    """
    path = Path(path)
    names, rows = _rows(path)
    quantity = _quantity(path, names)
    points = [_point(path, names, quantity, line, row) for line, row in rows]
    found = []
    for device in dict.fromkeys(point[0] for point in points):
        found += _split(path, device, [point for point in points if point[0] == device])
    for up, word in ((True, "up"), (False, "down")):
        if not any(stair.up == up for stair in found):
            raise DataError(f"{path}: no staircase {word}; want pulses both up and down")
    return found, quantity


def check_directions(path, staircases, quantity):
    """Refuse staircases of one device that together do not go the way they are said to."""
    for first in staircases:
        like = [s for s in staircases if (s.device, s.up) == (first.device, first.up)]
        rise, way = sum(stair.rise for stair in like), "up" if first.up else "down"
        if rise <= 0:
            went = "stay where they are" if rise == 0 else f"go the other way, by {-rise:g}"
            whose = f" of device '{first.device}'" if first.device else ""
            raise DataError(
                f"{path}, line {first.line}: the pulses {way}{whose} {went} in {quantity}; "
                f"want values that go {way}"
            )


def _rows(path):
    """Return (column names, [(line number, cells), ...]) of a CSV file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise DataError(f"cannot read pulse response '{path}': {reason}") from None
    reader = csv.reader(text.splitlines())
    try:
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not valid CSV: {error}") from None
    if len(rows) < 2:
        raise DataError(f"{path}: no measurements; want a line of names ({COLUMNS}), then rows")
    return [name.strip().lower() for name in rows[0][1]], rows[1:]


def _quantity(path, names):
    """Return which column was measured, after a look at all names."""
    known = ("pulse", "conductance", "weight", "device", "direction")
    for name in names:
        if name not in known or names.count(name) > 1:
            what = "twice" if name in known else "unknown"
            raise DataError(f"{path}, line 1: column '{name}' is {what}; want {COLUMNS}")
    measured = [name for name in ("conductance", "weight") if name in names]
    if "pulse" not in names or len(measured) != 1:
        raise DataError(f"{path}, line 1: columns are {', '.join(names)}; want {COLUMNS}")
    return measured[0]


def _point(path, names, quantity, line, row):
    """Return (device, direction or None, pulse, value, line) of one row."""
    if len(row) != len(names):
        raise DataError(f"{path}, line {line}: {len(row)} cells; want {len(names)}")
    cells = dict(zip(names, map(str.strip, row), strict=True))
    numbers = [_number(path, line, name, cells[name]) for name in ("pulse", quantity)]
    if numbers[0] < 0 or numbers[0] % 1:
        raise DataError(
            f"{path}, line {line}: pulse = '{cells['pulse']}'; want a whole number, 0 or more"
        )
    direction = cells.get("direction")
    if direction is not None and direction not in ("up", "down"):
        raise DataError(f"{path}, line {line}: direction = '{direction}'; want up or down")
    return cells.get("device", ""), direction, *numbers, line


def _number(path, line, name, text):
    """Return a cell as a finite number; Python's 1_0 is none elsewhere."""
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{path}, line {line}: {name} = '{text}'; want a finite number")
    if abs(value) > LARGEST:
        raise DataError(
            f"{path}, line {line}: {name} = '{text}'; want at most {LARGEST:g} in size"
        )
    return value


def _split(path, device, points):
    """Return the staircases of one device."""
    groups = [[points[0]]]
    for before, point in zip(points, points[1:], strict=False):
        if point[1] != before[1] or point[2] <= before[2]:
            groups.append([])
        groups[-1].append(point)
    return [_staircase(path, device, group) for group in groups]


def _staircase(path, device, group):
    """Return one staircase, from its points."""
    line, pulses = group[0][4], np.array([point[2] for point in group])
    values = np.array([point[3] for point in group])
    if len(group) < SHORTEST:
        raise DataError(
            f"{path}, line {line}: a staircase of {len(group)} points; want at least {SHORTEST}"
        )
    up = values[-1] > values[0] if group[0][1] is None else group[0][1] == "up"
    return Staircase(device, bool(up), pulses - pulses[0], values, line)
