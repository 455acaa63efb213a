"""What a search for a breaking point finds: points, the limit, the frontier."""

import math
from dataclasses import dataclass, field
from functools import cached_property

from recirc_hw.studies.learning_yield import Yield


@dataclass(frozen=True)
class Point:
    """One value of the field, and what came of it.

    `verdict` is "holds" or "fails" where it is clear on which side of the share asked for
    the yield lies, "undecided" where even the most chips could not tell, and "refused"
    where no chip can be built, for `reason`.
    """

    value: float
    verdict: str
    passes: bool  # the best guess: the share itself against the one asked for
    found: Yield | None = None
    reason: str = ""

    def summary(self):
        """Return the point as JSON takes it."""
        record = {"value": self.value, "verdict": self.verdict, "reason": self.reason}
        return record | {"yield": None if self.found is None else self.found.summary()}


@dataclass(frozen=True)
class Limit:
    """How far a field may go from `start` towards `stop` with a yield of `at_least`.

    `value` is the last value that holds, None where not even `start` does. The limit
    lies in `interval` with the stated confidence, where the curve is monotone: from
    the last value that surely holds to the first that surely fails (for whole numbers,
    the one before it); None where one of the two was not found.
    """

    name: str
    start: float
    stop: float
    at_least: float
    value: float | None
    interval: tuple[float | None, float | None]
    curve: tuple[Point, ...]  # in the order from start to stop
    monotone: bool
    confidence: float
    chips_used: int
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    design: object = field(repr=False, default=None)

    def __repr__(self):
        return (
            f"Limit({self.name}: {short(self.value)}, interval={self.interval}, "
            f"at_least={self.at_least}, monotone={self.monotone})"
        )

    def summary(self):
        """Return the limit as JSON takes it."""
        names = (
            "name", "start", "stop", "at_least", "value", "interval", "monotone",
            "confidence", "chips_used", "notes", "interrupted",
        )  # fmt: skip
        record = {name: getattr(self, name) for name in names}
        return record | {"curve": [point.summary() for point in self.curve]}

    def plot(self):
        """Return a Matplotlib figure: the yield against the field, with its bands."""
        from recirc_hw.reports.study_figures import limit_figure

        return limit_figure(self)


@dataclass(frozen=True)
class Frontier:
    """The limits of one field at several values of another."""

    names: tuple[str, str]  # the field whose limit is sought, and the other
    across: tuple[float, ...]  # values of the other
    limits: tuple[Limit | None, ...]  # None where no chip can be built from the start on
    at_least: float
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    design: object = field(repr=False, default=None)

    @property
    def values(self):
        """The limit at each value of the other field; None where nothing holds."""
        return tuple(None if limit is None else limit.value for limit in self.limits)

    @cached_property
    def chips_used(self):
        """How many chips were trained in all."""
        return sum(limit.chips_used for limit in self.limits if limit is not None)

    def summary(self):
        """Return the frontier as JSON takes it."""
        record = {
            name: getattr(self, name)
            for name in ("names", "across", "values", "at_least", "interrupted", "notes")
        }
        limits = [None if limit is None else limit.summary() for limit in self.limits]
        return record | {"chips_used": self.chips_used, "limits": limits}

    def plot(self):
        """Return a Matplotlib figure: which pairs of values hold, and where they end."""
        from recirc_hw.reports.study_figures import frontier_figure

        return frontier_figure(self)


def monotone(curve):
    """Return whether no yield lies surely above that of a point nearer to the start."""
    measured = [point.found.interval for point in curve if point.found is not None]
    lowest = math.inf
    for low, high in measured:
        if low > lowest:
            return False
        lowest = min(lowest, high)
    return True


def short(value):
    """Return a number as people write it."""
    return "none" if value is None else f"{value:.6g}"
