"""How long a training is, and which cases each update sees."""

from dataclasses import dataclass

import numpy as np

from recirc_hw.errors import TaskError, UnsupportedError
from recirc_hw.random_streams import permutation
from recirc_hw.substrates import Spiking
from recirc_hw.tasks import Task
from recirc_hw.tasks.spikes import SpikeTask

HOLD = 20  # checks after the first crossing, where a task stops once learned
MOST = 2**62  # what the counters hold, with room to add
RANGES = {"logistic": (0.0, 1.0), "tanh": (-1.0, 1.0)}


@dataclass(frozen=True)
class Plan:
    """The course of a training, fixed before it starts.

    Whatever the stretches it is done in, update u of a chip sees the same
    cases: they are a function of the chip's seed and of u.
    """

    task: object
    batch_size: int
    total: int  # weight updates at most
    until: str  # "learned" or "end"
    hold: int
    check_every: int = 1  # updates between checks, at least
    shuffles: bool = False  # whether a batch of all cases comes in another order each time

    @classmethod
    def make(cls, task, max_updates, epochs, batch_size, until, hold, **wishes):
        """Return the plan for what was asked, the task's own wishes where nothing was.

        `wishes` are the substrate's: check_every, shuffles.
        """
        if not isinstance(task, Task):
            raise TypeError(f"task: want a Task, such as tasks.encoder(4), got {task!r}")
        cases = len(task.train)
        size = whole("batch_size", task.batch_size if batch_size is None else batch_size)
        size = min(size, cases)
        until = task.until if until is None else until
        if until not in ("learned", "end"):
            raise ValueError(f"until must be 'learned' or 'end', got {until!r}")
        if max_updates is not None and epochs is not None:
            raise ValueError("give max_updates or epochs, not both")
        if max_updates is not None:
            total = whole("max_updates", max_updates)
        else:
            total = whole("epochs", task.epochs if epochs is None else epochs)
            total = whole("updates in all epochs", total * -(-cases // size))
        return cls(task, size, total, until, whole("hold", hold, least=0), **wishes)

    @property
    def per_epoch(self):
        """Weight updates in one pass over the training cases."""
        return -(-len(self.task.train) // self.batch_size)

    @property
    def checks_every_update(self):
        """Whether each update's own first pass is a check: batches of all the cases."""
        alone = self.per_epoch == 1 and self.check_every == 1
        return self.task.criterion.metric == "unit_error" and alone

    @property
    def test_every(self):
        """Updates between looks at the test cases: whole epochs; 0 where each is a check."""
        if self.checks_every_update and not self.task.generated:
            return 0
        return self.per_epoch * -(-self.check_every // self.per_epoch)

    def next_stop(self, done, chunk, stops):
        """Return the update up to which one call of a backend may go from `done`."""
        stop = min(done + chunk, self.total, next(s for s in stops if s > done))
        if self.test_every:
            stop = min(stop, (done // self.test_every + 1) * self.test_every)
        if self.per_epoch > 1:
            stop = min(stop, (done // self.per_epoch + 1) * self.per_epoch)
        return stop

    def stretch(self, seeds, done, count):
        """Return (cases, order, batch ends) of `count` updates, as a Job has them."""
        epoch, place = divmod(done, self.per_epoch)
        cases = self.task.epoch_cases(epoch)
        if self.per_epoch == 1:
            order = np.tile(np.arange(len(cases)), count)[None]
            if self.shuffles:
                updates = range(done, done + count)
                order = np.stack([np.hstack(self._orders(seed, updates)) for seed in seeds])
            return cases, order, np.arange(1, count + 1) * len(cases)
        first = place * self.batch_size
        last = min(first + count * self.batch_size, len(cases))
        orders = [order for seed in seeds for order in self._orders(seed, [epoch])]
        ends = np.minimum(np.arange(1, count + 1) * self.batch_size, last - first)
        return cases, np.ascontiguousarray(np.stack(orders)[:, first:last]), ends

    def _orders(self, seed, epochs):
        """Return the order of the cases in each of these epochs."""
        count = len(self.task.train)
        return [permutation(seed, "order", count, step=epoch) for epoch in epochs]


def whole(name, value, least=1):
    """Return an argument that must be a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number, {least} or more, got {value!r}")
    if value > MOST:
        raise ValueError(f"{name} must be at most 2**62, got {value}")
    return int(value)


def check_task(task, network):
    """Refuse a task whose cases the network cannot be given."""
    if task.n_targets != network.n_targets:
        raise TaskError(
            f"task {task.name} has cases with {task.n_targets or 'no'} targets, "
            f"a {type(network).__name__} network is given {network.n_targets or 'none'}"
        )
    if task.n_units != network.case_size:
        raise TaskError(
            f"task {task.name} has cases of {task.n_units} values, "
            f"the visible group has {network.case_size} units"
        )
    function = network.target.function
    low, high = RANGES.get(function, (-np.inf, np.inf))
    train, test = task.targets(task.train), task.targets(task.test)
    least = float(min(train.min(), test.min()))
    most = float(max(train.max(), test.max()))
    if least < low or most > high:
        raise TaskError(
            f"task {task.name} has values in {least:g}..{most:g}; {function} visible units "
            f"can only answer {low:g}..{high:g}: scale the cases, or set network.visible "
            "to 'identity'"
        )


def check_trains(task, design, backend):
    """Refuse spike trains that the design cannot be clamped to, or not on this backend."""
    if not isinstance(task, SpikeTask):
        return
    if hasattr(backend, "NO_TRAINS"):
        raise UnsupportedError(backend.NO_TRAINS)
    substrate = design.substrate
    if not isinstance(substrate, Spiking):
        raise TaskError(
            f"task {task.name} has spike trains: {type(substrate).__name__} chips have no "
            "spikes; want a Spiking substrate, or a task of activities"
        )
    clamp = design.lowered().phases[0]
    if task.window_ms > clamp.duration_ms + 1e-9:
        raise TaskError(
            f"task {task.name} has cases of {task.window_ms:g} ms, but they are clamped for "
            f"{clamp.duration_ms:g} ms: want a longer Spiking.clamp_ms, or a shorter window_ms"
        )
    for case, (time_ms, unit) in enumerate(task.trains):
        steps = np.floor(time_ms / substrate.dt_ms + 1e-9)
        again = np.unique(np.stack([steps, unit]), axis=1, return_index=True)[1]
        if len(again) < len(unit):
            k = int(np.setdiff1d(np.arange(len(unit)), again)[0])
            raise TaskError(
                f"task {task.name}: unit {unit[k]} fires twice within the step of "
                f"{substrate.dt_ms:g} ms at {time_ms[k]:g} ms of case {case}"
            )
