"""What a backend is asked to do: many batches of one program, for many chips."""

from dataclasses import dataclass

import numpy as np

from recirc_hw.programs import Body, IntegerProgram, Phases, Program


@dataclass
class Watch:
    """When each chip has learned, and whether it still holds; one value a chip.

    The check comes with every batch, on the first pass and before the write:
    a chip crosses when its largest unit error over the batch is below
    `threshold`; then `hold` more batches are checked, and it stops. A chip whose
    error is not a number stops at once.
    """

    updates: np.ndarray  # int64, weight updates done so far
    crossed: np.ndarray  # int64, updates done at the first crossing; -1: not yet
    checked: np.ndarray  # int64, checks since then
    passed: np.ndarray  # int64, how many of those held
    active: np.ndarray  # uint8; 0: stopped; weights left alone, sums void
    threshold: float = -1.0  # negative: nothing ever passes
    hold: int = 0

    @classmethod
    def start(cls, n_chips, threshold=-1.0, hold=0):
        """Return the watch of chips that have not been trained."""
        zeros = [np.zeros(n_chips, np.int64) for _ in range(3)]
        unset = np.full(n_chips, -1, np.int64)
        return cls(
            zeros[0], unset, zeros[1], zeros[2], np.ones(n_chips, np.uint8), threshold, hold
        )

    def judge(self, chip, unit_error):
        """Count one check of a chip; return whether it goes on."""
        passes = unit_error < self.threshold
        if self.crossed[chip] >= 0:
            self.checked[chip] += 1
            self.passed[chip] += passes
        elif passes:
            self.crossed[chip] = self.updates[chip]
        held = self.crossed[chip] >= 0 and self.checked[chip] >= self.hold
        self.active[chip] = not held and not np.isnan(unit_error)
        self.updates[chip] += self.active[chip]
        return bool(self.active[chip])


@dataclass
class Job:
    """Batches of cases for chips that share a program.

    `weights`, `sums` and `watch` are changed in place.
    """

    program: Program | IntegerProgram | Phases
    weights: list[np.ndarray]  # a matrix each, shape (n_chips, rows, cols + 1)
    sums: list[np.ndarray]  # likewise: g, what is summed up or kept by momentum
    cases: np.ndarray  # shape (n_cases, case_size)
    order: np.ndarray  # int64, shape (n_chips or 1, presentations): case numbers
    batch_ends: np.ndarray  # int64, shape (n_batches,), rising: where batches end
    watch: Watch
    threads: int = 1  # chips in parallel; results do not depend on it
    batch_size: int = 0  # cases of a full batch, where this job may hold only short ones
    body: Body | None = None  # what chips have besides; None where the program needs none
    trains: tuple | None = None  # (time_ms, unit) of each case, clamped as spikes

    @classmethod
    def gathering(cls, program, matrices, cases, body):
        """Return the job of one chip that leaves the g of one batch in `sums`, unwritten."""
        weights = [np.ascontiguousarray(matrix)[None].copy() for matrix in matrices]
        is_integer = isinstance(program, IntegerProgram)
        dtype = f"int{program.word}" if is_integer else weights[0].dtype
        sums = [np.zeros(matrix.shape, dtype) for matrix in weights]
        order, ends = np.arange(len(cases))[None], np.array([len(cases)])
        return cls(
            program.without_writes(), weights, sums, cases, order, ends, Watch.start(1),
            body=body,
        )  # fmt: skip

    @property
    def n_chips(self):
        """How many chips are trained side by side."""
        return len(self.watch.active)

    def history(self):
        """Return empty records, NaN, shape (n_chips, n_batches): error, unit error."""
        shape = (self.n_chips, len(self.batch_ends))
        return np.full(shape, np.nan), np.full(shape, np.nan)
