"""The loop over chunks, epochs and checks."""

import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from recirc_hw.backends import Job
from recirc_hw.backends import backend as backend_called
from recirc_hw.errors import CheckpointError, Interrupted, warn
from recirc_hw.metrics import cross_entropy, squared_error, unit_error
from recirc_hw.training.checkpoint import alone_at
from recirc_hw.training.plan import HOLD, Plan, check_task, check_trains, whole
from recirc_hw.training.probe import moments, probe
from recirc_hw.training.run import Run
from recirc_hw.training.state import State

CHUNK_S = 0.2  # seconds of work between looks at the clock and the keyboard
SAVE_S = 30.0  # seconds between checkpoints
WISHES = ("check_every", "shuffles")  # of a substrate, for the course of its training


def train(
    chips,
    task,
    *,
    max_updates=None,
    epochs=None,
    batch_size=None,
    until=None,
    hold=HOLD,
    backend="native",
    threads=None,
    probes=None,
    progress=None,
    checkpoint=None,
    resume=False,
):
    """Train chips of one design on a task, side by side.

    Parameters
    ----------
    chips : list of Chip, all of one design; their weights are changed
    task : Task
    max_updates : int, or None
        Weight updates at most; None for the task's number of epochs.
    epochs : int, or None
        Passes over the training cases, instead of `max_updates`.
    batch_size : int, or None
        Cases per weight update; None for the task's own.
    until : "learned", "end", or None for the task's own
        Whether to stop `hold` checks after the pass criterion first holds.
    hold : int
        How many later checks tell whether it still holds.
    backend : "native", "reference", "numba" or "brian2"
        As far as each has the substrate: numba has fixed-point, analog and spiking chips,
        brian2 spiking ones; `UnsupportedError` says so.
    threads : int, or None
        Chips in parallel; None for one per processor. Results do not depend on it.
    probes : bool, or None
        Whether to record alignments at chosen moments; None: for a single chip.
    progress : callable(done_updates, total_updates, error), or None
    checkpoint : path, or None
        Where to save the training every half minute, at Ctrl-C and at the end.
    resume : bool
        Go on from `checkpoint` where it exists.

    Returns
    -------
    list of Run, in the order of `chips`

    Raises
    ------
    Interrupted
        A KeyboardInterrupt, after Ctrl-C: the chips keep what they learned, the
        checkpoint is written, and the exception's `runs` are the records so far.
    ValueError
        For arguments out of range; `TaskError` where the task does not fit the
        network, `CheckpointError` where the checkpoint is of another training.
    """
    chips = _same_design(chips)
    # Where a check takes long, as counting spikes does, the substrate says how often; and
    # where the cases of a batch follow one another, that their order should change.
    substrate = chips[0].design.substrate
    wishes = {n: getattr(substrate, n) for n in WISHES if hasattr(substrate, n)}
    training = _Training(
        chips,
        Plan.make(task, max_updates, epochs, batch_size, until, hold, **wishes),
        backend,
        len(os.sched_getaffinity(0)) if threads is None else whole("threads", threads),
        len(chips) == 1 if probes is None else probes,
    )
    # A chip that diverges is reported by its run, not by a warning on the way.
    with np.errstate(over="ignore", invalid="ignore"):
        with alone_at(checkpoint), interruptible() as interrupted:
            if checkpoint is not None:
                training.keep_at(Path(checkpoint), resume)
            training.go(progress, interrupted)
        runs = training.runs(interrupted.is_set())
    if any(run.interrupted for run in runs):
        raise Interrupted(runs)
    return runs


def _same_design(chips):
    """Return the chips, all of one design and at least one."""
    chips = list(chips)
    if not chips:
        raise ValueError("chips: none given")
    for chip in chips:
        if not hasattr(chip, "design"):
            raise TypeError(f"chips: want Chips, such as design.fabricate(0), got {chip!r}")
    if len({id(chip) for chip in chips}) < len(chips):
        raise ValueError("chips: the same chip is given twice")
    if any(chip.design != chips[0].design for chip in chips):
        raise ValueError("chips: all must be of the same design")
    return chips


_listening: list[
    threading.Event
] = []  # the event of the outermost `interruptible` of the main thread


@contextmanager
def interruptible():
    """Yield an event that the first Ctrl-C sets; a second one interrupts at once.

    One inside another yields the outer one's event: whoever trains again and again
    hears a Ctrl-C that came too late for the training it came in.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    if _listening:
        yield _listening[0]
        return

    def note(*_):
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = signal.signal(signal.SIGINT, note)
    _listening.append(event)
    try:
        yield event
    finally:
        _listening.clear()
        signal.signal(signal.SIGINT, before)


class _Training:
    """Chips, the plan they follow, and where they stand."""

    def __init__(self, chips, plan, backend_name, threads, probing):
        self.chips, self.plan, self.task = chips, plan, plan.task
        self.design = chips[0].design
        self.backend_name, self.backend = backend_name, backend_called(backend_name)
        self.threads, self.probing = threads, probing
        network = self.design.network
        check_task(self.task, network)
        check_trains(self.task, self.design, self.backend)
        _start_output_biases(chips, self.task)
        code = network.code.size
        criterion = self.task.criterion
        self.criterion = criterion.describe(self.task, code)
        self.program = self.design.lowered(plan.batch_size)
        threshold = float(criterion.threshold(self.task, code))
        self.state = State(chips, plan, threshold, self.program)
        self.encoded = (None, None)
        self.stops = moments(plan.total) if probing else [plan.total]
        self.checkpoint = None

    def keep_at(self, path, resume):
        """Save to `path` from now on; with `resume`, start from what it holds."""
        if resume and path.exists():
            self.state.restore(path, self._identity())
            self._check_codes(path)
        self.checkpoint = path
        self._save()

    def _check_codes(self, path):
        """Refuse a checkpoint with weights or sums that the design's formats cannot hold."""
        try:
            self.design.substrate.check_codes(self.state.weights, self.state.sums, self.program)
        except ValueError as error:
            raise CheckpointError(f"checkpoint '{path}': {error}") from None

    def go(self, progress, interrupted):
        """Train until every chip has stopped, or `interrupted` is set.

        Whatever ends it, the chips get the weights that were learned until then.
        """
        try:
            self._go(progress, interrupted)
        finally:
            self.state.hand_back(self.chips)
        self._save()

    def _go(self, progress, interrupted):
        state, plan = self.state, self.plan
        began = saved = time.monotonic()
        before, chunk = state.wall_s, 16
        if state.done == 0 and not (state.tests or state.probes):
            self._look()
        while state.done < plan.total and state.running and not interrupted.is_set():
            start, count = time.monotonic(), plan.next_stop(state.done, chunk, self.stops)
            count -= state.done
            self._advance(count)
            self._look()
            now = time.monotonic()
            chunk = max(1, min(4 * chunk, int(count * CHUNK_S / max(now - start, 1e-6))))
            state.wall_s = before + now - began
            if progress is not None:
                progress(state.done, plan.total, state.latest_error())
            if now - saved > SAVE_S:
                self._save()
                saved = now

    def _advance(self, count):
        """Do `count` updates."""
        seeds = [chip.seed for chip in self.chips]
        cases, order, ends = self.plan.stretch(seeds, self.state.done, count)
        state, plan = self.state, self.plan
        job = Job(
            self.program,
            state.weights,
            state.sums,
            self._as_cases(cases),
            order,
            ends,
            state.watch if plan.checks_every_update else state.plain_watch(),
            self.threads,
            plan.batch_size,
            state.body,
            getattr(self.task, "trains", None),
        )
        state.record(*self.backend.train(job))
        if plan.checks_every_update and state.done == plan.total:
            outputs, targets = (
                self._outputs(self.task.train),
                self.task.targets(self.task.train),
            )
            state.check([unit_error(targets, output) for output in outputs])

    def _look(self):
        """Test at the end of an epoch, probe at the chosen moments."""
        state, plan = self.state, self.plan
        if plan.test_every and state.done % plan.test_every == 0:
            self._test()
        if self.probing and (state.done in self.stops or not state.running):
            state.hand_back(self.chips)
            found = [probe(chip, self.task.train, self.backend_name) for chip in self.chips]
            # A call goes on past the update at which its last chip stopped.
            update = int(state.watch.updates.max())
            state.probes.append({"update": update, "chips": found})

    def _test(self):
        """Record the test error, and check the criterion, which is one of epochs."""
        state, targets = self.state, self.task.targets(self.task.test)
        outputs = self._outputs(self.task.test)
        errors = [squared_error(targets, output) for output in outputs]
        entropies = [self._entropy(output) for output in outputs]
        state.tests.append({"update": state.done, "error": errors, "cross_entropy": entropies})
        if state.done and not self.plan.checks_every_update:
            if self.task.criterion.metric == "unit_error":
                same = self.task.train is self.task.test
                outputs = outputs if same else self._outputs(self.task.train)
                targets = self.task.targets(self.task.train)
                errors = [unit_error(targets, output) for output in outputs]
            state.check(errors)

    def _entropy(self, output):
        """Return the cross-entropy, where the output units and the cases have one."""
        targets = self.task.targets(self.task.test)
        logistic = self.design.network.target.function == "logistic"
        if not logistic or targets.min() < 0 or targets.max() > 1:
            return None
        return cross_entropy(targets, output, self.design.substrate.margin)

    def _outputs(self, cases):
        """Return every chip's reconstructions, shape (chips, cases, units)."""
        program, output = self.design.lowered_inference, self.design.inference.monitor[1]
        weights = self.state.weights[: len(program.layout.matrices)]
        codes = self.backend.forward(
            program, weights, self._as_cases(cases), output, body=self.state.body
        )
        return self.design.substrate.decode(codes, program.layout.slots[output])

    def _as_cases(self, cases):
        """Return cases as the substrate is given them; the latest are kept."""
        if self.encoded[0] is not cases:
            self.encoded = cases, self.design.substrate.encode(cases, self.design.network)
        return self.encoded[1]

    def _identity(self):
        """What a checkpoint must share with the training that goes on from it."""
        return {
            **_design_fields(self.design),
            "program": self.program.fingerprint,
            "task": self.task.name,
            "set of cases": self.task.fingerprint,
            "chip seeds": [chip.seed for chip in self.chips],
            "batch size": self.plan.batch_size,
            "number of updates": self.plan.total,
            "until": self.plan.until,
            "hold": self.plan.hold,
            "probes": bool(self.probing),
        }

    def _save(self):
        if self.checkpoint is not None:
            self.state.save(self.checkpoint, self._identity())

    def runs(self, interrupted):
        """Return the record of every chip."""
        outputs = self._outputs(self.task.test)
        return [self._run(i, output, interrupted) for i, output in enumerate(outputs)]

    def _run(self, i, output, interrupted):
        """Return the record of chip `i`, whose reconstructions are `output`."""
        state, chip, targets = self.state, self.chips[i], self.task.targets(self.task.test)
        crossed, checks = int(state.watch.crossed[i]), int(state.watch.checked[i])
        return Run(
            design=self.design,
            seed=chip.seed,
            task=self.task.name,
            backend=self.backend_name,
            metric=self.task.criterion.metric,
            criterion=self.criterion,
            threshold=state.watch.threshold,
            learned=crossed >= 0,
            updates=crossed if crossed >= 0 else None,
            total_updates=int(state.watch.updates[i]),
            checks=checks,
            held_share=float(state.watch.passed[i] / checks) if checks else float("nan"),
            unit_error=unit_error(targets, output),
            error=squared_error(targets, output),
            cross_entropy=self._entropy(output),
            interrupted=interrupted
            and bool(state.watch.active[i] and state.done < self.plan.total),
            diverged=not all(np.isfinite(matrix).all() for matrix in (*chip.matrices, output)),
            wall_s=state.wall_s,
            weights=[matrix.copy() for matrix in chip.matrices],
            history=state.history(i),
            probes=[{"update": p["update"], **p["chips"][i]} for p in state.probes],
            batch_size=self.plan.batch_size,
            counters=state.counters(i),
            updates_before=state.before[i],
            sums=[matrix.copy() for matrix in chip.sums]
            if self.design.substrate.keeps_remainders
            else [],
        )


def _design_fields(design):
    """Return a design's fields by "section.field"; of an own rule, all but the function."""
    return {
        f"{section}.{name}": value
        for section, fields in design.sections().items()
        for name, value in fields.items()
        if not callable(value)
    }


def _start_output_biases(chips, task):
    """Set the output biases of untrained chips from the data, where the design asks."""
    network, substrate = chips[0].design.network, chips[0].design.substrate
    fresh = [chip for chip in chips if chip.updates == 0]
    if network.output_bias != "data_mean" or not fresh:
        return
    biases = network.output_biases(task.train)
    last = fresh[0].program.layout.matrices[len(network.matrices) - 1]
    for caution in substrate.start_cautions(biases, last, network.target.function):
        warn(caution)
    for chip in fresh:
        chip.set_output_biases(biases)
