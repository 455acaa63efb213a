"""Lowrank: endless fresh cases that lie in a random linear subspace."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recirc_hw.random_streams import normal
from recirc_hw.tasks.checks import frozen, whole_number
from recirc_hw.tasks.criteria import SquaredError
from recirc_hw.tasks.task import Task

DEFAULTS = {"d": 100, "rank": 20, "seed": 0, "cases": 60_000, "test_cases": 10_000}


@dataclass(frozen=True, eq=False)
class Lowrank(Task):
    """A task whose every epoch is drawn afresh; `train` is epoch 0."""

    rank: int = DEFAULTS["rank"]
    seed: int = DEFAULTS["seed"]

    @property
    def generated(self) -> bool:
        """Return whether every epoch has fresh cases of its own."""
        return True

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256, in hex, of the numbers that every case follows from.

        The cases themselves go through libm and BLAS, whose last bit is not the
        same on every machine: a checkpoint must still fit on another one.
        """
        numbers = (self.name, self.train.shape, self.test.shape, self.rank, self.seed)
        return hashlib.sha256(repr(numbers).encode()).hexdigest()

    def epoch_cases(self, epoch: int) -> np.ndarray:
        """Return the fresh cases of this epoch (0, 1, ...), shape (n_cases, n_units)."""
        epoch = whole_number("epoch", epoch, 0, 2**32 - 1)
        if epoch == 0:
            return self.train
        cases, d = self.train.shape
        return _draw(self.seed, "lowrank cases", (cases, d), self.rank, step=epoch)


def lowrank(
    d: int = DEFAULTS["d"],
    rank: int = DEFAULTS["rank"],
    seed: int = DEFAULTS["seed"],
    cases: int = DEFAULTS["cases"],
    test_cases: int = DEFAULTS["test_cases"],
) -> Task:
    """Return cases of d units that a code of `rank` units can hold without loss.

        x = U V,   U (cases, rank) and V (rank, d), all elements N(0, 1)

    V is fixed by the seed; U is drawn anew for each epoch and for the test. It
    counts as learned below 1 % of the mean squared value of a unit, E[x^2] = rank.

    Source: Baldi & Sadowski 2018, section 7.1.

    Parameters
    ----------
    d : int, in 1..65536
        Units in a case.
    rank : int, in 1..d
    seed : int, in 0..2**64-1
    cases, test_cases : int, in 1..2**31
        Cases in an epoch, and in the test.

    Raises
    ------
    TaskError
        Naming the argument that is outside its range.
    """
    d = whole_number("lowrank: d", d, 1, 65536)
    rank = whole_number("lowrank: rank", rank, 1, d)
    seed = whole_number("lowrank: seed", seed, 0, 2**64 - 1)
    cases = whole_number("lowrank: cases", cases, 1, 2**31)
    test_cases = whole_number("lowrank: test_cases", test_cases, 1, 2**31)
    return Lowrank(
        name=_spec(d, rank, seed, cases, test_cases),
        train=_draw(seed, "lowrank cases", (cases, d), rank),
        test=_draw(seed, "lowrank test", (test_cases, d), rank),
        criterion=SquaredError(0.01 * rank),
        batch_size=100,
        epochs=1,
        source="simulated after Baldi & Sadowski 2018, section 7.1",
        rank=rank,
        seed=seed,
    )


def _draw(seed, purpose, shape, rank, step=0):
    """Return U V for the U of this purpose and step, read-only."""
    cases, d = shape
    basis = normal(seed, "lowrank basis", (rank, d))
    return frozen(normal(seed, purpose, (cases, rank), step=step) @ basis)


def _spec(*numbers):
    """Return "lowrank(100,20)", with as many further numbers as differ from the defaults."""
    defaults = list(DEFAULTS.values())
    needed = max([2, *(i + 1 for i, n in enumerate(numbers) if n != defaults[i])])
    return f"lowrank({','.join(str(n) for n in numbers[:needed])})"
