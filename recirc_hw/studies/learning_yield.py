"""Learning yield: the share of chips of one design that learn a task."""

from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from recirc_hw.studies.outcomes import Bench, Outcomes
from recirc_hw.studies.remote import RemoteBench, crew_of
from recirc_hw.studies.statistics import (
    decision,
    looks,
    mean_interval,
    median_interval,
    share_interval,
)
from recirc_hw.training.plan import whole


@dataclass(frozen=True)
class Yield:
    """On what share of chips a design learns, with its interval.

    `share` counts chips whose criterion held once (first crossing), `held_share` those
    where it also held at every later check. Intervals of shares are Wilson's; of a study
    that could have stopped at several `looks` exact ones (Clopper and Pearson's), which
    hold together for all of them. Updates are of the chips that learned.
    """

    share: float
    interval: tuple[float, float]
    held_share: float
    held_interval: tuple[float, float]
    chips: int
    seed: int  # of the first chip; the others follow
    confidence: float
    looks: int
    design: object = field(repr=False)
    task: str = ""
    wanted: float | None = None  # what `decide` asked
    interrupted: bool = False
    outcomes: Outcomes = field(repr=False, compare=False, default_factory=Outcomes.joined)

    @classmethod
    def of(cls, outcomes, design, task, confidence, looks=1, **told):
        """Return the yield of the chips whose outcomes these are."""
        n, learned = len(outcomes), int(outcomes.learned.sum())
        held = int(outcomes.held.sum())
        return cls(
            learned / n, share_interval(learned, n, confidence, looks),
            held / n, share_interval(held, n, confidence, looks), n,
            int(outcomes.seeds[0]), confidence, looks, design, task.name,
            outcomes=outcomes, **told,
        )  # fmt: skip

    def __repr__(self):
        low, high = self.interval
        return f"Yield({self.share:.4g}, interval=({low:.3f}, {high:.3f}), chips={self.chips})"

    @property
    def learned(self):
        """How many chips learned."""
        return int(np.count_nonzero(self.outcomes.learned))

    @property
    def verdict(self):
        """Whether it is "above" or "below" the share asked about; None while undecided."""
        if self.wanted is None:
            return None
        return decision(self.learned, self.chips, self.wanted, self.confidence, self.looks)

    @cached_property
    def updates(self):
        """Updates of the chips that learned: mean, median and their intervals, by name."""
        values = self.outcomes.updates[self.outcomes.learned]
        mean, mean_range = mean_interval(values, self.confidence)
        median, median_range = median_interval(values, self.confidence)
        return {
            "mean": mean, "mean_interval": mean_range,
            "median": median, "median_interval": median_range,
        }  # fmt: skip

    def summary(self):
        """Return the yield without arrays, as JSON takes it."""
        names = (
            "share", "interval", "held_share", "held_interval", "chips", "learned", "seed",
            "confidence", "looks", "task", "wanted", "verdict", "interrupted",
        )  # fmt: skip
        record = {name: getattr(self, name) for name in names}
        diverged = int(np.count_nonzero(self.outcomes.diverged))
        return record | {"diverged": diverged, "updates": self.updates}

    def plot(self):
        """Return a Matplotlib figure: the share that had learned, over updates."""
        from recirc_hw.reports.study_figures import yield_figure

        return yield_figure(self)


def learning_yield(
    design,
    task,
    *,
    chips=200,
    seed=0,
    width=None,
    decide=None,
    confidence=0.95,
    scheduler=None,
    progress=None,
    **training,
):
    """Return the share of chips of a design that learn a task.

    With `width` or `decide` it stops as soon as the question is answered. It then looks
    at 25, 50, 100, ... and `chips` chips, L looks in all, and every look may err with
    (1 - confidence) / L, so that the answer holds whenever the study stops.

    Parameters
    ----------
    design : Design
    task : Task
    chips : int
        How many chips, at most.
    seed : int
        Of the first chip; chip i has seed + i.
    width : float, or None
        Stop once the interval of the share is no wider.
    decide : float in 0..1, or None
        Stop once it is clear, by exact binomial tails, on which side the share lies.
    confidence : float
    scheduler : str, or None
        The address of a Dask scheduler, e.g. "tcp://10.0.0.1:8786", whose workers train
        the chips instead; with the same outcome, bit for bit.
    progress : callable(done chips, most chips, text), or None
    **training
        As `train` takes it: `max_updates`, `epochs`, `batch_size`, `hold`, `backend`, ...

    Returns
    -------
    Yield; after Ctrl-C that of the chips which were done, marked `interrupted`.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, where no chip was done yet.
    ValueError
        For arguments out of range, and what `train` refuses.
    StudyError
        If the scheduler does not answer, or a worker fails.
    """
    chips = whole("chips", chips)
    _check_share("confidence", confidence)
    for name, value in (("width", width), ("decide", decide)):
        if value is not None:
            _check_share(name, value)
    stops = [chips] if width is None and decide is None else looks(chips)
    seed = whole("seed", seed, 0)

    def found(interrupted=False):
        return Yield.of(
            bench.outcomes, design, task, confidence, len(stops), wanted=decide,
            interrupted=interrupted,
        )  # fmt: skip

    def tell(done):
        if progress is not None:
            learned = sum(int(part.learned.sum()) for part in bench.parts)
            progress(done, chips, f"{learned} of {done} learned")

    with crew_of(scheduler) as crew:
        make = Bench if crew is None else partial(RemoteBench, crew)
        bench = make(design, task, seed, **training)
        for stop in stops:
            try:
                bench.go_to(stop, tell)
            except KeyboardInterrupt:
                if not bench.done:
                    raise
                return found(interrupted=True)
            if _answered(found(), width, decide):
                break
    return found()


def _answered(found, width, decide):
    """Return whether a look answers the questions that were asked."""
    low, high = found.interval
    narrow = width is None or high - low <= width
    return narrow and (decide is None or found.verdict is not None)


def _check_share(name, value):
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError(f"{name} = {value!r}; allowed: a number between 0 and 1")
