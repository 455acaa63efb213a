"""The search for a breaking point: a scan, then bisection by sequential tests."""

import math
import warnings
from dataclasses import dataclass

from recirc_hw.errors import DesignError, UnsupportedError
from recirc_hw.studies.curve import Limit, Point, monotone, short
from recirc_hw.studies.learning_yield import learning_yield
from recirc_hw.studies.statistics import looks
from recirc_hw.studies.vary import Place, design_with, numeric_kind

SCAN = 5  # values over the whole range, its ends among them, before the search


@dataclass(frozen=True)
class Axis:
    """The way from start to stop: 0..1 of it, in equal steps of value or of its logarithm."""

    kind: type
    start: float
    stop: float
    log: bool

    @classmethod
    def of(cls, kind, start, stop, scale, name):
        """Return the way between two ends, for whole numbers or for others.

        Raises
        ------
        DesignError
            If the range is empty, not finite, or not one of the scale.
        """
        for end in (start, stop):
            number = isinstance(end, int | float) and not isinstance(end, bool)
            if not (number and math.isfinite(end)):
                raise DesignError(f"range of '{name}': {end!r} is no finite number")
        start, stop = kind(start), kind(stop)
        if start == stop:
            raise DesignError(f"range of '{name}' is empty: it starts and stops at {start!r}")
        if scale not in (None, "log", "linear"):
            raise DesignError(f"scale = {scale!r}; allowed: 'log', 'linear'")
        low, high = min(start, stop), max(start, stop)
        if scale == "log" and low <= 0:
            raise DesignError(f"range of '{name}': a log scale needs values above 0, got {low}")
        log = scale == "log" or (scale is None and kind is float and 0 < 50 * low <= high)
        return cls(kind, start, stop, log)

    @property
    def count(self):
        """How many whole numbers there are from end to end."""
        return round(abs(self.stop - self.start)) + 1

    def finest(self, resolution):
        """Return the smallest share of the way between two values that are told apart.

        Of whole numbers, which lie closest at the larger end of a log scale.
        """
        if self.kind is not int:
            return resolution
        high = max(self.start, self.stop)
        return abs(self.share(high) - self.share(high - 1))

    def at(self, share):
        """Return the value at a share of the way; the ends are exact."""
        if share in (0, 1):
            return self.stop if share else self.start
        if self.log:
            value = self.start * (self.stop / self.start) ** share
        else:
            value = self.start + (self.stop - self.start) * share
        return round(value) if self.kind is int else float(f"{value:.6g}")

    def share(self, value):
        """Return at what share of the way a value lies."""
        if self.log:
            return math.log(value / self.start) / math.log(self.stop / self.start)
        return (value - self.start) / (self.stop - self.start)


class Search:
    """One search along one field."""

    def __init__(self, design, name, task, start, stop, search, options):
        self.design, self.task, self.options = design, task, options
        self.place = Place.find(design, name)
        for option in ("at_least", "resolution"):
            if not 0 < search[option] < 1:
                raise DesignError(f"{option} = {search[option]!r}; allowed: between 0 and 1")
        kind = numeric_kind(self.place, design, start, stop)
        self.axis = Axis.of(kind, start, stop, search["scale"], name)
        self.at_least, self.resolution = search["at_least"], search["resolution"]
        self.points = {}
        gap = 1 / self.axis.finest(self.resolution) / (SCAN - 1)
        self.visits = SCAN + max(0, math.ceil(math.log2(max(gap, 1))))

    def limit(self, progress):
        """Scan, bisect, and say what was found."""
        interrupted = False
        try:
            for i in range(SCAN):
                self._visit(self.axis.at(i / (SCAN - 1)), progress)
            while (middle := self._next()) is not None:
                self._visit(middle, progress)
        except KeyboardInterrupt:
            interrupted = True
        return self._found(interrupted)

    def _visit(self, value, progress):
        """Measure the yield at a value, once."""
        if value in self.points:
            return
        label = f"{self.place.name} = {short(value)}: "
        error = 1 - self.options["confidence"]
        try:
            design = design_with(self.design, {self.place: value})
            with warnings.catch_warnings():
                # Nobody asked for this design: what it cannot hold, its yield shows.
                warnings.filterwarnings("ignore", "output_bias = 'data_mean'")
                found = learning_yield(
                    design, self.task, decide=self.at_least, progress=labelled(progress, label),
                    **self.options | {"confidence": 1 - error / self.visits},
                )  # fmt: skip
        except (DesignError, UnsupportedError) as refusal:
            self.points[value] = Point(value, "refused", False, reason=str(refusal))
            return
        verdict = {"above": "holds", "below": "fails", None: "undecided"}[found.verdict]
        self.points[value] = Point(value, verdict, found.share >= self.at_least, found)
        if found.interrupted:
            raise KeyboardInterrupt

    def _curve(self):
        return [self.points[value] for value in sorted(self.points, key=self.axis.share)]

    def _bracket(self):
        """Return the last point that passes before the first that does not, and that one."""
        before = None
        for point in self._curve():
            if not point.passes:
                return before, point
            before = point
        return before, None

    def _next(self):
        """Return the value half-way inside the bracket; None once that is close enough."""
        low, high = self._bracket()
        if low is None or high is None:
            return None
        near, far = self.axis.share(low.value), self.axis.share(high.value)
        value = self.axis.at((near + far) / 2)
        if self.axis.kind is int:
            return None if value in (low.value, high.value) else value
        return value if far - near > self.resolution else None

    def _found(self, interrupted):
        curve = self._curve()
        last, first = self._bracket()
        return Limit(
            self.place.name, self.axis.start, self.axis.stop, self.at_least,
            None if last is None else last.value, self._interval(curve), tuple(curve),
            monotone(curve), self.options["confidence"],
            sum(point.found.chips for point in curve if point.found is not None),
            tuple(self._notes(curve, last, first)), interrupted, self.design,
        )  # fmt: skip

    def _interval(self, curve):
        """Return the last value that surely holds and the first after it that surely fails."""
        sure = [point.verdict in ("fails", "refused") for point in curve]
        end = sure.index(True) if any(sure) else len(curve)
        holding = [point.value for point in curve[:end] if point.verdict == "holds"]
        low = holding[-1] if holding else None
        if end == len(curve):
            return low, self.axis.stop if low == self.axis.stop else None
        high = curve[end].value
        if self.axis.kind is int:
            high += 1 if self.axis.stop < self.axis.start else -1
        return low, high

    def _notes(self, curve, last, first):
        """Yield what a reader of the limit must know besides."""
        if last is None and curve:
            yield f"not even {short(self.axis.start)} holds"
        if first is None and curve and curve[-1].value == self.axis.stop:
            yield f"it holds over the whole range, to {short(self.axis.stop)}"
        if not monotone(curve):
            yield "the yield rises again beyond the limit: more than one limit in this range"
        for point in curve:
            if point.verdict == "undecided":
                low, high = point.found.interval
                yield (
                    f"{short(point.value)} is undecided after {point.found.chips} chips: "
                    f"{point.found.share:.3f} ({low:.3f} to {high:.3f})"
                )
        needed = self._needed()
        if needed > self.options["chips"]:
            yield (
                f"{self.options['chips']} chips can never show that "
                f"{100 * self.at_least:g} % learn, even if all do: it takes {needed} chips"
            )
        refused = [point for point in curve if point.verdict == "refused"]
        if refused:
            values = ", ".join(short(point.value) for point in refused)
            yield f"no chip can be built at {values}: {refused[0].reason}"

    def _needed(self):
        """Return how many chips it takes, at least, to be sure of a value that holds."""
        chips = 1
        for _ in range(4):  # more chips mean more looks, and less error allowed to each
            parts = 2 * self.visits * len(looks(max(chips, self.options["chips"])))
            allowed = (1 - self.options["confidence"]) / parts
            chips = math.ceil(math.log(allowed) / math.log(self.at_least))
        return chips


def labelled(progress, label):
    """Return a progress callback that says first what is measured."""
    if progress is None:
        return None
    return lambda done, total, text: progress(done, total, label + text)
