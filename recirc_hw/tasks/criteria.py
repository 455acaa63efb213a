"""When a task counts as learned: a metric, and the value it must fall below."""

import math
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

from recirc_hw.errors import TaskError
from recirc_hw.tasks.checks import whole_number
from recirc_hw.tasks.pca import error_along


def _check_positive(name, value, high=math.inf):
    """Refuse anything but a finite number in 0 < value <= high."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not (is_number and 0 < value <= high and math.isfinite(value)):
        top = "" if high == math.inf else f" and at most {high:g}"
        raise TaskError(f"{name} = {value!r}; allowed: a finite number above 0{top}")


@dataclass(frozen=True)
class UnitError:
    """Learned once the worst unit of the worst case is near its target.

        max over cases and units of |target - output| < below

    Source: Hinton & McClelland 1988, "A simulation of recirculation".
    """

    below: float = 0.1
    metric: ClassVar[str] = "unit_error"

    def __post_init__(self):
        _check_positive("UnitError.below", self.below)

    def threshold(self, task, code_size: int) -> float:
        """Return the error to fall below; it depends on neither task nor code."""
        return self.below

    def describe(self, task, code_size: int) -> str:
        """Return the criterion as one plain sentence."""
        return (
            f"Learned when every output unit is within {self.below:g} of its target "
            "in every case."
        )


@dataclass(frozen=True)
class SquaredError:
    """Learned once the mean squared error per unit, on the test cases, is below a value."""

    below: float
    metric: ClassVar[str] = "squared_error"

    def __post_init__(self):
        _check_positive("SquaredError.below", self.below)

    def threshold(self, task, code_size: int) -> float:
        """Return the error to fall below; it depends on neither task nor code."""
        return self.below

    def describe(self, task, code_size: int) -> str:
        """Return the criterion as one plain sentence."""
        return (
            f"Learned when the squared error per unit on {_where(task)} is below "
            f"{self.below:.4g}."
        )


@dataclass(frozen=True)
class BetterThanPCA:
    """Learned once the error is below that of PCA with a share of the code's length.

        components = max(1, floor(share * code_size)), at most the number of units

    A linear code of the same length is the best that a linear network can reach,
    so the bar is set at a shorter one.
    """

    share: float = 0.5
    metric: ClassVar[str] = "squared_error"

    def __post_init__(self):
        _check_positive("BetterThanPCA.share", self.share, high=1)

    def components(self, task, code_size: int) -> int:
        """Return how many components PCA is given against a code of this length."""
        code_size = whole_number("code_size", code_size, 1, 2**31)
        # A share such as .29 of 100 must give 29, although .29 * 100 is 28.999999999999996.
        return min(task.n_units, max(1, math.floor(self.share * code_size + 1e-9)))

    def threshold(self, task, code_size: int) -> float:
        """Return PCA's mean squared error per unit on the task's test cases."""
        components = self.components(task, code_size)
        return error_along(task.principal_axes, task.test, components)

    def describe(self, task, code_size: int) -> str:
        """Return the criterion as one plain sentence."""
        components = self.components(task, code_size)
        noun = "component" if components == 1 else "components"
        return (
            f"Learned when the squared error per unit on {_where(task)} is below "
            f"{self.threshold(task, code_size):.4g}, what PCA with {components} {noun} reaches."
        )


def _where(task):
    """Return which cases the error is measured on."""
    return "the held-out cases" if task.held_out else "the training cases"
