"""Everything that changes in a training, and how it is kept."""

import numpy as np

from recirc_hw.backends import Watch
from recirc_hw.errors import CheckpointError
from recirc_hw.programs import IntegerProgram
from recirc_hw.programs.integer import COUNTERS, NOT_CARRIED
from recirc_hw.programs.spiking import SpikingBody, phase_counts
from recirc_hw.training.checkpoint import load_checkpoint, match, save_checkpoint
from recirc_hw.training.stored import Progress, checked

TRACE_POINTS = 1000  # of the training curve, at most
WATCHED = ("updates", "crossed", "checked", "passed", "active")


class State:
    """The chips' weights side by side, their checks, and the curves so far.

    The training curve is a mean over stretches of `bin` updates, added up one
    update after another, so that its bits do not depend on where calls of the
    backend began and ended.
    """

    def __init__(self, chips, plan, threshold, program):
        layers = range(len(chips[0].matrices))
        self.program = program
        self.weights = [np.stack([chip.matrices[k] for chip in chips]) for k in layers]
        kept = [chip.start_sums(program) for chip in chips]
        self.sums = [np.stack([sums[k] for sums in kept]) for k in layers]
        self.body = chips[0].design.substrate.body([chip.seed for chip in chips], program)
        self.body.steps[:] = [chip.steps for chip in chips]
        hold = plan.hold if plan.until == "learned" else np.iinfo(np.int64).max
        self.watch = Watch.start(len(chips), threshold, hold)
        self.before = [chip.updates for chip in chips]
        self.done, self.wall_s = 0, 0.0
        self.bin = -(-plan.total // TRACE_POINTS)
        shape = (-(-plan.total // self.bin), len(chips))
        self.trace = {name: np.zeros(shape) for name in ("error", "unit_error", "count")}
        self.tests, self.probes = [], []

    @property
    def running(self):
        """Whether any chip has not stopped."""
        return bool(self.watch.active.any())

    def plain_watch(self):
        """Return a watch that counts updates but checks nothing."""
        watch = Watch.start(len(self.watch.active))
        watch.active, watch.updates = self.watch.active, self.watch.updates
        return watch

    def record(self, error, unit_error):
        """Add a call's records, shape (chips, updates), to the training curve."""
        bins = (self.done + np.arange(error.shape[1])) // self.bin
        seen = np.isfinite(error)
        np.add.at(self.trace["error"], bins, np.where(seen, error, 0).T)
        np.add.at(self.trace["count"], bins, seen.T)
        np.maximum.at(self.trace["unit_error"], bins, np.where(seen, unit_error, 0).T)
        self.done += error.shape[1]

    def check(self, values):
        """Count one check of every running chip: first crossing, then whether it holds."""
        watch = self.watch
        for chip in np.flatnonzero(watch.active):
            passes = values[chip] < watch.threshold
            if watch.crossed[chip] >= 0:
                watch.checked[chip] += 1
                watch.passed[chip] += passes
            elif passes:
                watch.crossed[chip] = watch.updates[chip]
            crossed = watch.crossed[chip] >= 0
            watch.active[chip] = not (crossed and watch.checked[chip] >= watch.hold)

    def latest_error(self):
        """Return the training error of the latest stretch, mean over chips."""
        row = max(0, (self.done - 1) // self.bin)
        count = self.trace["count"][row].sum()
        return float(self.trace["error"][row].sum() / count) if count else float("nan")

    def hand_back(self, chips):
        """Give the chips the weights they have now."""
        for i, chip in enumerate(chips):
            chip.matrices = [matrix[i].copy() for matrix in self.weights]
            chip.sums = [matrix[i].copy() for matrix in self.sums]
            chip.program, chip.steps = self.program, int(self.body.steps[i])
            chip.updates = self.before[i] + int(self.watch.updates[i])

    def history(self, chip):
        """Return one chip's training curve and tests, as arrays by name."""
        count = self.trace["count"][:, chip]
        seen = count > 0
        tests = {
            f"test_{name}": np.array([test[name][chip] for test in self.tests], float)
            for name in ("error", "cross_entropy")
        }
        return {
            "update": np.flatnonzero(seen) * self.bin + (count[seen] + 1) / 2,
            "train_error": self.trace["error"][seen, chip] / count[seen],
            "train_unit_error": self.trace["unit_error"][seen, chip],
            "test_update": np.array([test["update"] for test in self.tests], float),
            **tests,
        }

    def counters(self, chip):
        """Return one chip's counts as {matrix or phase: {what: count}}; None if it has none.

        A count is None where nothing is counted: carried updates are never dead.
        """
        if isinstance(self.body, SpikingBody):
            return phase_counts(self.program, self.body.counters[chip])
        if not isinstance(self.program, IntegerProgram):
            return None
        return {
            matrix.name: {
                name: None if matrix.rounding == "carry" and name in NOT_CARRIED else int(count)
                for name, count in zip(COUNTERS, counts, strict=True)
            }
            for matrix, counts in zip(
                self.program.layout.matrices, self.body.counters[chip], strict=True
            )
        }

    def _arrays(self):
        """Yield (name, array) of every array that changes in training."""
        yield from ((f"weights{k}", matrix) for k, matrix in enumerate(self.weights))
        yield from ((f"sums{k}", matrix) for k, matrix in enumerate(self.sums))
        yield from ((f"trace_{name}", values) for name, values in self.trace.items())
        yield from ((name, getattr(self.watch, name)) for name in WATCHED)
        yield from self.body.changing().items()

    def save(self, path, identity):
        """Write everything to `path`, whole or not at all."""
        meta = {
            name: getattr(self, name)
            for name in ("done", "wall_s", "before", "tests", "probes")
        }
        save_checkpoint(path, {"identity": identity, **meta}, dict(self._arrays()))

    def restore(self, path, identity):
        """Take up what `save` wrote, once it proves to be of the same training."""
        meta, arrays = load_checkpoint(path)
        match(path, meta.get("identity"), identity)
        try:
            for name, mine in self._arrays():
                _check_array(name, arrays.get(name), mine)
            self._check_progress(checked(Progress, meta))
        except ValueError as error:
            raise CheckpointError(f"checkpoint '{path}': {error}") from None
        for name, mine in self._arrays():
            mine[:] = arrays[name]
        self.done, self.wall_s = meta["done"], float(meta["wall_s"])
        self.before, self.tests, self.probes = meta["before"], meta["tests"], meta["probes"]

    def _check_progress(self, progress):
        """Refuse a record of other chips, or of more updates than this training has."""
        most, chips = len(self.trace["count"]) * self.bin, len(self.before)
        if progress.done > most:
            raise ValueError(f"done = {progress.done}: want at most {most}")
        lengths = {"before": progress.before}
        for i, test in enumerate(progress.tests):
            lengths |= {f"tests[{i}].error": test.error}
            lengths |= {f"tests[{i}].cross_entropy": test.cross_entropy}
        lengths |= {f"probes[{i}].chips": p.chips for i, p in enumerate(progress.probes)}
        for name, values in lengths.items():
            if len(values) != chips:
                raise ValueError(
                    f"{name}: want {chips} values, one per chip, got {len(values)}"
                )


def _check_array(name, found, wanted):
    """Refuse an array of a checkpoint that is missing, or of another type or shape."""
    if found is None:
        raise ValueError(f"array '{name}' is missing")
    if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
        raise ValueError(
            f"array '{name}': want {wanted.dtype} of shape {wanted.shape}, "
            f"got {found.dtype} of shape {found.shape}"
        )
