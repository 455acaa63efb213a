"""Study files: a design, a task, and which of the design's fields vary over what."""

import math
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, PositiveInt, model_validator

from recirc_hw import tasks
from recirc_hw.designs import Design
from recirc_hw.errors import DesignError, StudyError
from recirc_hw.fields import Fields
from recirc_hw.random_streams import permutation, uniform
from recirc_hw.sections import SECTIONS
from recirc_hw.studies.cells import Cell, code_version, fingerprint
from recirc_hw.studies.vary import Place, parts_with

Number = int | float
MOST_CELLS, MOST_STEPS = 10_000_000, 1_000_000


class Vary(Fields):
    """One field and its values: listed, or a range.

    Parameters
    ----------
    field : str
        As "substrate.weight_bits", "network.n_hidden[0]", or a whole section, "rule".
    values : list, or None where a range is given
    from, to : number
        The ends, both included.
    steps : int
        Of a range in a grid; without, every whole number.
    scale : "linear" or "log"
    """

    field: str
    values: Annotated[tuple[Any, ...], Field(min_length=1)] | None = None
    start: Number | None = Field(None, alias="from")
    stop: Number | None = Field(None, alias="to")
    steps: Annotated[int, Field(ge=2, le=MOST_STEPS)] | None = None
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _listed_or_range(self):
        ends = (self.start, self.stop)
        if self.values is not None:
            if ends != (None, None) or self.steps is not None:
                raise ValueError(f"'{self.field}': give values, or from and to, not both")
            return self
        if None in ends:
            raise ValueError(f"'{self.field}': give values, or both from and to")
        if self.start >= self.stop:
            kind = "is empty" if self.start == self.stop else "is reversed"
            raise ValueError(
                f"'{self.field}': the range from {self.start!r} to {self.stop!r} {kind}; "
                "want from < to"
            )
        if self.scale == "log" and self.start <= 0:
            raise ValueError(f"'{self.field}': a log scale needs from > 0, not {self.start!r}")
        return self

    @property
    def whole(self):
        """Whether a range is one of whole numbers."""
        return isinstance(self.start, int) and isinstance(self.stop, int)

    def grid(self):
        """Return the values of a grid.

        Raises
        ------
        StudyError
            If a range of numbers that are not whole says no steps.
        """
        if self.values is not None:
            return self.values
        steps = self.steps
        if steps is None:
            if not self.whole or self.scale == "log":
                raise StudyError(f"vary '{self.field}': steps is missing")
            steps = self.stop - self.start + 1
            if steps > MOST_STEPS:
                raise StudyError(f"vary '{self.field}': {steps} values; give fewer steps")
        shares = (i / (steps - 1) for i in range(steps))
        return tuple(dict.fromkeys(self._between(share) for share in shares))

    def at(self, share):
        """Return the value at a share of the way, 0 <= share < 1, each value as likely."""
        if self.values is not None:
            return self.values[int(share * len(self.values))]
        if self.whole and self.scale == "linear":
            return self.start + int(share * (self.stop - self.start + 1))
        return self._between(share)

    def _between(self, share):
        """Return the value between the ends."""
        if self.scale == "log":
            value = math.exp((1 - share) * math.log(self.start) + share * math.log(self.stop))
        else:
            value = (1 - share) * self.start + share * self.stop
        return round(value) if self.whole else float(f"{value:.9g}")


class StudyFile(Fields):
    """What a study file says.

    Parameters
    ----------
    design : str
        The design file, beside this one.
    task : str
        As the command line takes it: "encoder:4", "digits", "file:cases.npy".
    vary : list of Vary
    sample : "grid", "random" or "latin_hypercube"
    points : int
        Cells of a random or a Latin hypercube sample.
    chips, seed : int
        Chips of each cell, and the seed of the first; every cell has the same chips.
    max_updates, epochs, batch_size, hold, backend : as `train` takes them
    """

    design: str
    task: str
    vary: Annotated[tuple[Any, ...], Field(min_length=1)]
    sample: Literal["grid", "random", "latin_hypercube"] = "grid"
    points: PositiveInt | None = None
    chips: PositiveInt = 100
    seed: Annotated[int, Field(ge=0)] = 0
    max_updates: PositiveInt | None = None
    epochs: PositiveInt | None = None
    batch_size: PositiveInt | None = None
    hold: Annotated[int, Field(ge=0)] | None = None
    backend: Literal["native", "reference", "numba"] = "native"

    @model_validator(mode="after")
    def _sample_has_points(self):
        if (self.sample == "grid") != (self.points is None):
            raise ValueError(
                "points are for sample = 'random' or 'latin_hypercube'; a grid has steps"
                if self.sample == "grid"
                else f"sample = '{self.sample}' needs points: how many cells"
            )
        if self.max_updates is not None and self.epochs is not None:
            raise ValueError("give max_updates or epochs, not both")
        return self

    @classmethod
    def load(cls, path):
        """Return the study that a file describes, checked to the last field.

        Raises
        ------
        StudyError
            Naming the file, the field, what was given and what is allowed.
        """
        path = Path(path)
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise StudyError(f"cannot read study file '{path}': {reason}") from None
        except tomllib.TOMLDecodeError as error:
            raise StudyError(f"{path}: not valid TOML: {error}") from None
        try:
            return Study(cls(**tables), path.parent)
        except ValueError as error:
            raise StudyError(f"{path}: {error}") from None


class Study:
    """A study file made ready: its design read, its fields found, its cells counted."""

    def __init__(self, file, folder):
        self.file = file
        self.design = Design.load(Path(folder) / file.design)
        self.task_spec = _absolute(file.task, Path(folder))
        self.task = tasks.parse(self.task_spec)
        if not all(isinstance(table, dict) for table in file.vary):
            raise StudyError("vary: want tables, each headed [[vary]]")
        self.axes = [Vary(**table) for table in file.vary]
        self.places = [Place.find(self.design, axis.field) for axis in self.axes]
        names = [axis.field for axis in self.axes]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise StudyError(f"vary: '{twice}' is given twice")
        self.grids = [axis.grid() for axis in self.axes] if file.sample == "grid" else None
        if self.count > MOST_CELLS:
            raise StudyError(f"the study has {self.count} cells; at most {MOST_CELLS} will do")
        self._check_values()

    @property
    def names(self):
        """The names of the fields that vary."""
        return tuple(axis.field for axis in self.axes)

    @property
    def count(self):
        """How many cells there are."""
        if self.grids is None:
            return self.file.points
        return math.prod(len(grid) for grid in self.grids)

    @cached_property
    def training(self):
        """What `train` is asked for, apart from the task's own."""
        names = ("max_updates", "epochs", "batch_size", "hold", "backend")
        given = {name: getattr(self.file, name) for name in names}
        return {name: value for name, value in given.items() if value is not None}

    def values(self, number):
        """Return the values of the fields in cell `number`, 0 to count - 1."""
        if self.grids is None:
            shares = zip(self.axes, self._shares[number], strict=True)
            return tuple(axis.at(share) for axis, share in shares)
        found = []
        for grid in reversed(self.grids):
            number, place = divmod(number, len(grid))
            found.append(grid[place])
        return tuple(reversed(found))

    @cached_property
    def _shares(self):
        """Return where in its range each cell has each field, shape (cells, fields)."""
        n, count, seed = self.file.points, len(self.axes), self.file.seed
        shares = np.stack(
            [uniform(seed, "study points", n, step=k) for k in range(count)], axis=1
        )
        if self.file.sample == "latin_hypercube":
            # One cell in each of n equal slices of every field. McKay, Beckman & Conover 1979.
            for k in range(count):
                slices = permutation(seed, "study points", n, step=count + k)
                shares[:, k] = np.minimum((slices + shares[:, k]) / n, 1 - 2**-53)
        return shares

    def cell(self, number):
        """Return cell `number`.

        Raises
        ------
        DesignError
            If no design has these values together.
        """
        values = dict(zip(self.places, self.values(number), strict=True))
        parts = parts_with(self.design, values)
        return Cell(
            _sections(parts), self.task_spec, self.task_fingerprint, self.file.seed,
            self.file.chips, self.training, code_version(),
        )  # fmt: skip

    @cached_property
    def task_fingerprint(self):
        """The SHA-256 of the task's cases and of what it calls learned."""
        return fingerprint(self.task)

    def _check_values(self):
        """Refuse values that a field does not take, whatever the others are."""
        for axis, place in zip(self.axes, self.places, strict=True):
            ends = axis.values if axis.values is not None else (axis.start, axis.stop)
            for value in ends:
                try:
                    place.part(self.design, value)
                except DesignError as error:
                    # What is wrong with a field alone is told by its name, not its kind's.
                    if ": " not in str(error) or "." in str(error).split(":")[0]:
                        raise StudyError(f"vary '{axis.field}': {error}") from None


def _sections(parts):
    """Return parts of a design as nested dicts of plain values."""
    dumps = {name: parts[name].model_dump(exclude_none=True) for name in SECTIONS}
    return {name: {"type": fields.pop("type")} | fields for name, fields in dumps.items()}


def _absolute(spec, folder):
    """Return a task's text with the path of a file taken from the study's folder."""
    if not spec.startswith("file:"):
        return spec
    return f"file:{(folder / spec.removeprefix('file:').strip()).resolve()}"
