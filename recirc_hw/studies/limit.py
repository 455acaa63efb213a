"""The breaking point of a design: how far a field may go before too few chips learn."""

import math
from dataclasses import dataclass, field
from functools import cached_property

from recirc_hw.errors import DesignError, Interrupted, UnsupportedError
from recirc_hw.studies.learning_yield import Yield, learning_yield
from recirc_hw.studies.vary import Place, allowed_range, design_with, numeric_kind

SCAN = 5  # values over the whole range, its ends among them, before the search


@dataclass(frozen=True)
class Point:
    """One value of the field, and what came of it.

    `verdict` is "holds" or "fails" where the interval of the yield lies on one side of
    the share asked for, "undecided" where even the most chips could not tell, and
    "refused" where no chip can be built, for `reason`.
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
            f"Limit({self.name}: {_short(self.value)}, interval={self.interval}, "
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


def find_limit(
    design,
    field,
    task,
    *,
    at_least=0.95,
    start=None,
    stop=None,
    scale=None,
    resolution=0.02,
    steps=None,
    chips=800,
    seed=0,
    confidence=0.95,
    progress=None,
    **training,
):
    """Return how far a numeric field may go before fewer than `at_least` of chips learn.

    Five values over the range come first, then bisection between the last that passes
    and the first that fails. At each value, chips of the same seeds are trained until
    the interval of their yield lies on one side of `at_least` (see `learning_yield`),
    so most chips go where the decision is hard. The allowance for error is shared out
    equally to all the values that can be visited.

    Parameters
    ----------
    design : Design
    field : str, or a pair of str
        Such as "substrate.weight_bits"; any number in the design. With a pair, the
        limit of the first at `steps` values of the second: the frontier.
    task : Task
    at_least : float in 0..1
    start, stop : number, or None (pairs of them for a pair of fields)
        The good end, by default the design's own value; and the bad end, by default
        the least value that the field allows or, where that holds, the largest.
    scale : "log", "linear" or None
        How to divide the range; None: "log" where it spans a factor of 50 or more.
    resolution : float
        For numbers that are not whole: the share of the range at which to stop.
    steps : int, or None
        Values of the second of two fields; by default every whole number, or 7.
    chips : int
        At each value, at most.
    seed, confidence, progress, **training
        As `learning_yield` takes them.

    Returns
    -------
    Limit, or Frontier for a pair; after Ctrl-C what is known so far, marked so.

    Raises
    ------
    DesignError
        If there is no such field, it is no number, or the range is empty.
    """
    options = {"chips": chips, "seed": seed, "confidence": confidence, **training}
    search = {"at_least": at_least, "scale": scale, "resolution": resolution}
    if not isinstance(field, str):
        return _frontier(design, field, task, start, stop, steps, progress, search, options)
    if start is None:
        start = _own_value(design, field)
    if stop is not None:
        return _Search(design, field, task, start, stop, search, options).limit(progress)
    return _towards_bounds(design, field, task, start, search, options, progress)


def _own_value(design, name):
    """Return the number that a design gives a field."""
    value = Place.find(design, name).value(design)
    if isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DesignError(f"field '{name}' = {value!r}: give the value to start from")
    return value


def _towards_bounds(design, name, task, start, search, options, progress):
    """Return the limit towards the least value allowed or, if it holds, the largest."""
    ends = [end for end in allowed_range(Place.find(design, name), design) if end is not None]
    ends = [type(start)(end) for end in ends if end != start]
    if not ends:
        raise DesignError(f"field '{name}' has no bounds of its own: give the value to stop at")
    for end in ends:
        found = _Search(design, name, task, start, end, search, options).limit(progress)
        if found.interrupted or found.value != found.stop:
            break
    return found


def _frontier(design, names, task, start, stop, steps, progress, search, options):
    """Return the limits of the first field at values of the second."""
    names = tuple(names)
    if len(names) != 2 or names[0] == names[1]:
        raise DesignError(f"field = {names!r}; allowed: one field, or two different ones")
    if any(not isinstance(end, list | tuple) or len(end) != 2 for end in (start, stop)):
        raise DesignError("two fields need two values each to start from and to stop at")
    other = Place.find(design, names[1])
    kind = numeric_kind(other, design, start[1], stop[1])
    across = _spread(_Axis.of(kind, start[1], stop[1], search["scale"], names[1]), steps)
    limits, notes, interrupted = [], [], False
    for value in across:
        try:
            here = design_with(design, {other: value})
            found = _Search(here, names[0], task, start[0], stop[0], search, options)
        except DesignError as error:
            limits.append(None)
            notes.append(f"{names[1]} = {_short(value)}: {error}")
            continue
        limits.append(found.limit(_labelled(progress, f"{names[1]} = {_short(value)}: ")))
        if limits[-1].interrupted:
            interrupted, across = True, across[: len(limits)]
            break
    return Frontier(
        names, tuple(across), tuple(limits), search["at_least"], interrupted, tuple(notes)
    )


def _spread(axis, steps):
    """Return values over an axis: every whole number up to 33, or as many as asked."""
    if steps is None:
        steps = axis.count if axis.kind is int and axis.count <= 33 else 7
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 2:
        raise DesignError(f"steps = {steps!r}; allowed: a whole number from 2")
    return list(dict.fromkeys(axis.at(i / (steps - 1)) for i in range(steps)))


def _labelled(progress, label):
    """Return a progress callback that says first which search it is."""
    if progress is None:
        return None
    return lambda done, total, text: progress(done, total, label + text)


@dataclass(frozen=True)
class _Axis:
    """The way from start to stop: 0..1 of it, in equal steps of value or of its logarithm."""

    kind: type
    start: float
    stop: float
    log: bool

    @classmethod
    def of(cls, kind, start, stop, scale, name):
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


class _Search:
    """One search along one field."""

    def __init__(self, design, name, task, start, stop, search, options):
        self.design, self.task, self.options = design, task, options
        self.place = Place.find(design, name)
        if not 0 < search["at_least"] < 1:
            raise DesignError(f"at_least = {search['at_least']!r}; allowed: between 0 and 1")
        if not 0 < search["resolution"] < 1:
            raise DesignError(f"resolution = {search['resolution']!r}; allowed: between 0 and 1")
        kind = numeric_kind(self.place, design, start, stop)
        self.axis = _Axis.of(kind, start, stop, search["scale"], name)
        self.at_least, self.resolution = search["at_least"], search["resolution"]
        self.points = {}
        gap = (self.axis.count - 1 if kind is int else 1 / self.resolution) / (SCAN - 1)
        self.visits = SCAN + max(0, math.ceil(math.log2(max(gap, 1))))

    def limit(self, progress):
        """Scan, bisect, and say what was found."""
        interrupted = False
        try:
            for i in range(SCAN):
                self._visit(self.axis.at(i / (SCAN - 1)), progress)
            while (middle := self._next()) is not None:
                self._visit(middle, progress)
        except Interrupted:
            interrupted = True
        return self._found(interrupted)

    def _visit(self, value, progress):
        """Measure the yield at a value, once."""
        if value in self.points:
            return
        label = f"{self.place.name} = {_short(value)}: "
        error = 1 - self.options["confidence"]
        try:
            design = design_with(self.design, {self.place: value})
            found = learning_yield(
                design, self.task, decide=self.at_least, progress=_labelled(progress, label),
                **self.options | {"confidence": 1 - error / self.visits},
            )  # fmt: skip
        except (DesignError, UnsupportedError) as refusal:
            self.points[value] = Point(value, "refused", False, reason=str(refusal))
            return
        verdict = {"above": "holds", "below": "fails", None: "undecided"}[found.verdict]
        self.points[value] = Point(value, verdict, found.share >= self.at_least, found)
        if found.interrupted:
            raise Interrupted([])

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
            yield f"not even {_short(self.axis.start)} holds"
        if first is None and curve and curve[-1].value == self.axis.stop:
            yield f"it holds over the whole range, to {_short(self.axis.stop)}"
        if not monotone(curve):
            yield "the yield rises again beyond the limit: more than one limit in this range"
        for point in curve:
            if point.verdict == "undecided":
                low, high = point.found.interval
                yield (
                    f"{_short(point.value)} is undecided after {point.found.chips} chips: "
                    f"{point.found.share:.3f} ({low:.3f} to {high:.3f})"
                )
        refused = [point for point in curve if point.verdict == "refused"]
        if refused:
            values = ", ".join(_short(point.value) for point in refused)
            yield f"no chip can be built at {values}: {refused[0].reason}"


def monotone(curve):
    """Return whether no yield lies surely above that of a point nearer to the start."""
    measured = [point.found.interval for point in curve if point.found is not None]
    lowest = math.inf
    for low, high in measured:
        if low > lowest:
            return False
        lowest = min(lowest, high)
    return True


def _short(value):
    """Return a number as people write it."""
    return "none" if value is None else f"{value:.6g}"
