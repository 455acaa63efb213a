"""A task: the cases to learn, and when they count as learned."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from recirc_hw.errors import TaskError, nearest
from recirc_hw.tasks.checks import as_cases, frozen, whole_number
from recirc_hw.tasks.criteria import BetterThanPCA, SquaredError, UnitError
from recirc_hw.tasks.pca import principal_axes

ENDS = ("learned", "end")
Criterion = UnitError | SquaredError | BetterThanPCA


@dataclass(frozen=True, eq=False)
class Task:
    """Cases for training and testing, and the criterion of having learned them.

    Parameters
    ----------
    name : str
        What `parse` makes this task from, such as "encoder(4)" or "digits".
    train, test : float64 array, shape (n_cases, n_units)
        Copied, unless they are read-only already. A task that holds no cases
        out has `test` = `train`, the same array.
    criterion : UnitError, SquaredError or BetterThanPCA
    batch_size : int
        Presentations per weight update, unless a training says otherwise.
    epochs : int
        Passes over the training cases, unless a training says otherwise.
    until : "learned" or "end"
        Whether training stops once the criterion is met, or goes to the end.
    image_shape : (rows, columns) or None
        How a case is drawn; rows * columns = n_units.
    n_targets : int
        How many values at the end of a case are the target that its network is to
        answer with; 0 where a case is its own target.
    held_out : bool
        Whether the test cases are kept from training.
    source : str
        Where the cases came from, in one line.

    Raises
    ------
    TaskError
        Naming the field, what was given, and what is allowed.
    """

    name: str
    train: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    criterion: Criterion = BetterThanPCA()
    batch_size: int = 1
    epochs: int = 10
    until: Literal["learned", "end"] = "end"
    image_shape: tuple[int, int] | None = None
    n_targets: int = 0
    held_out: bool = True
    source: str = ""

    def __post_init__(self):
        self._check_words()
        self._set_cases()
        for name in ("batch_size", "epochs"):
            self._set(name, whole_number(f"{self.name}: {name}", getattr(self, name), 1, 2**31))
        n_targets = whole_number(f"{self.name}: n_targets", self.n_targets, 0, self.n_units - 1)
        self._set("n_targets", n_targets)
        self._set("image_shape", _image_shape(self.name, self.image_shape, self.n_units))

    @property
    def n_units(self) -> int:
        """Return how many units a case has."""
        return self.train.shape[1]

    @property
    def generated(self) -> bool:
        """Return whether every epoch has fresh cases of its own."""
        return False

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256, in hex, of the name and everything in the cases."""
        digest = hashlib.sha256(repr((self.name, self.train.shape, self.test.shape)).encode())
        for cases in (self.train, self.test):
            digest.update(cases.astype("<f8", copy=False).data)
        return digest.hexdigest()

    @cached_property
    def principal_axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the training cases' mean and principal axes, computed once."""
        return principal_axes(self.train)

    def targets(self, cases: np.ndarray) -> np.ndarray:
        """Return what a network should answer to these cases, shape (n_cases, n_targets)."""
        return cases[:, self.n_units - self.n_targets :] if self.n_targets else cases

    def epoch_cases(self, epoch: int) -> np.ndarray:
        """Return the cases to present in this epoch (0, 1, ...), shape (n_cases, n_units)."""
        return self.train

    def _set(self, name, value):
        object.__setattr__(self, name, value)

    def __setstate__(self, state):
        # Pickling forgets that an array is read-only.
        self.__dict__.update(state)
        frozen(self.train)
        frozen(self.test)

    def _check_words(self):
        """Refuse a wrong name, criterion, or end."""
        if not (isinstance(self.name, str) and self.name):
            raise TaskError(f"name = {self.name!r}; allowed: text that is not empty")
        if not isinstance(self.criterion, Criterion):
            raise TaskError(
                f"{self.name}: criterion = {self.criterion!r}; allowed: a UnitError, "
                "SquaredError or BetterThanPCA"
            )
        if self.until not in ENDS:
            raise TaskError(
                f"{self.name}: until = {self.until!r}{nearest(self.until, ENDS)}; "
                "allowed: 'learned', 'end'"
            )

    def _set_cases(self):
        """Check train and test, and keep them as one array where they are one."""
        shared = self.test is self.train
        if shared == bool(self.held_out):
            raise TaskError(
                f"{self.name}: held_out = {self.held_out!r}, but test is "
                f"{'train itself' if shared else 'not train'}"
            )
        self._set("train", as_cases(self.train, case_label(self.name, "train")))
        test = self.train if shared else as_cases(self.test, case_label(self.name, "test"))
        self._set("test", test)
        if test.shape[1] != self.n_units:
            raise TaskError(
                f"{self.name}: a test case has {test.shape[1]} units, a training case "
                f"{self.n_units}"
            )


def case_label(name: str, part: str) -> str:
    """Return how an error names a task's cases: "file 'x.npy'" or "task 'a', train"."""
    if str(name).startswith("file:"):
        path = name.removeprefix("file:")
        return f"file '{path}'" if part == "train" else f"file '{path}', {part}"
    return f"task '{name}', {part}"


def _image_shape(name, shape, n_units):
    """Return shape as a pair of int whose product is n_units, or None."""
    if shape is None:
        return None
    try:
        rows, columns = shape
    except (TypeError, ValueError):
        raise TaskError(f"{name}: image_shape = {shape!r}; allowed: (rows, columns)") from None
    pair = tuple(whole_number(f"{name}: image_shape", n, 1, n_units) for n in (rows, columns))
    if pair[0] * pair[1] != n_units:
        raise TaskError(
            f"{name}: image_shape = {pair} holds {pair[0] * pair[1]} units; a case has "
            f"{n_units}"
        )
    return pair
