"""The breaking point of a design: how far a field may go before too few chips learn."""

from recirc_hw.errors import DesignError
from recirc_hw.studies.bisection import Axis, Search, labelled
from recirc_hw.studies.curve import Frontier, short
from recirc_hw.studies.remote import crew_of
from recirc_hw.studies.vary import Place, allowed_range, design_with, numeric_kind


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
    scheduler=None,
    progress=None,
    **training,
):
    """Return how far a numeric field may go before fewer than `at_least` of chips learn.

    Five values over the range come first, then bisection between the last that passes
    and the first that fails. At each value, chips of the same seeds are trained until
    it is clear on which side of `at_least` their yield lies (see `learning_yield`), so
    most chips go where the decision is hard. The allowance for error is shared out
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
    seed, confidence, scheduler, progress, **training
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
    with crew_of(scheduler) as crew:
        options["scheduler"] = crew
        if not isinstance(field, str):
            return _frontier(design, field, task, start, stop, steps, progress, search, options)
        if start is None:
            start = _own_value(design, field)
        if stop is not None:
            return Search(design, field, task, start, stop, search, options).limit(progress)
        return _towards_bounds(design, field, task, start, search, options, progress)


def _own_value(design, name):
    """Return the number that a design gives a field."""
    value = Place.find(design, name).value(design)
    if isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]
    if isinstance(value, bool | str):
        raise DesignError(f"field '{name}' = {value!r} is no number")
    if not isinstance(value, int | float):
        raise DesignError(f"field '{name}' = {value!r}: give the value to start from")
    return value


def _towards_bounds(design, name, task, start, search, options, progress):
    """Return the limit towards the least value allowed or, if it holds, the largest."""
    ends = [end for end in allowed_range(Place.find(design, name), design) if end is not None]
    ends = [type(start)(end) for end in ends if end != start]
    if not ends:
        raise DesignError(f"field '{name}' has no bounds of its own: give the value to stop at")
    for end in ends:
        found = Search(design, name, task, start, end, search, options).limit(progress)
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
    across = _spread(Axis.of(kind, start[1], stop[1], search["scale"], names[1]), steps)
    limits, notes, interrupted = [], [], False
    for value in across:
        try:
            here = design_with(design, {other: value})
            found = Search(here, names[0], task, start[0], stop[0], search, options)
        except DesignError as error:
            limits.append(None)
            notes.append(f"{names[1]} = {short(value)}: {error}")
            continue
        limits.append(found.limit(labelled(progress, f"{names[1]} = {short(value)}: ")))
        if limits[-1].interrupted:
            interrupted, across = True, across[: len(limits)]
            break
    return Frontier(
        names, tuple(across), tuple(limits), search["at_least"], interrupted, tuple(notes),
        design,
    )  # fmt: skip


def _spread(axis, steps):
    """Return values over an axis: every whole number up to 33, or as many as asked."""
    if steps is None:
        steps = axis.count if axis.kind is int and axis.count <= 33 else 7
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 2:
        raise DesignError(f"steps = {steps!r}; allowed: a whole number from 2")
    return list(dict.fromkeys(axis.at(i / (steps - 1)) for i in range(steps)))
