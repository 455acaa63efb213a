"""Jobs of analog chips: the same one, made afresh for every backend."""

import numpy as np

from recirc_hw import Analog, Design, Recirculation
from recirc_hw.backends import Job, Watch

# Coarse and short, for a reference that steps in Python; unequal times show which is which.
QUICK = {"tau_ms": 1.0, "tau_hidden_ms": 0.8, "dt_ms": 0.1, "clamp_ms": 4.0, "release_ms": 0.7}
RATE = 4.0


class AnalogSetting:
    """Everything a job starts from; chip c is fabricated from the seed 7 + c."""

    def __init__(
        self, network, *, rule=None, n_chips=3, batch=2, updates=3, dtype="float64", **fields
    ):  # fmt: skip
        substrate = Analog(precision=dtype, **(QUICK | fields))
        rule = Recirculation(learning_rate=RATE, **(rule or {}))
        self.design = Design(network, rule, substrate)
        self.program = self.design.lowered(batch)
        self.n_chips, self.batch, self.updates = n_chips, batch, updates
        random = np.random.default_rng(3)
        self.cases = random.uniform(0, 1, (5, network.case_size)).astype(dtype)
        self.order = random.integers(0, 5, (n_chips, batch * updates))

    def chips(self, chosen):
        return [self.design.fabricate(7 + c) for c in chosen or range(self.n_chips)]

    def job(self, chosen=None, threads=1):
        """Return a fresh job, of all chips or of the ones listed."""
        chips = self.chips(chosen)
        weights = [np.stack(m) for m in zip(*(c.matrices for c in chips), strict=True)]
        return Job(
            self.program,
            weights,
            [np.zeros_like(matrix) for matrix in weights],
            self.cases.copy(),
            self.order[chosen or slice(None)].copy(),
            np.arange(1, self.updates + 1) * self.batch,
            Watch.start(len(chips)),
            threads,
            self.batch,
            self.design.substrate.body([chip.seed for chip in chips], self.program),
        )

    def trained(self, train, chosen=None, threads=1):
        """Return the weights after a training, and both error records."""
        job = self.job(chosen, threads)
        errors = train(job)
        return [*job.weights, *errors]

    def answers(self, forward):
        """Return the reconstructions of all cases, shape (chips, cases, units)."""
        program, job = self.design.lowered_inference, self.job()
        slot = program.monitor[1]
        return forward(program, job.weights, self.cases, slot, body=job.body)

    @property
    def steps(self):
        return sum(phase.steps for phase in self.program.phases)

    def tolerance(self):
        """Return by how much two sums of the same numbers may differ.

        A unit is driven by a sum of `widest` products and its response, each rounded, and
        forgets the error as fast as it makes new ones; a change gathers one rounding of
        that size at each step of each case; a write multiplies by the rate, and the next
        update sees the error again, at most doubled.
        """
        widest = 8 + max(matrix.cols for matrix in self.program.layout.matrices)
        eps = np.finfo(self.cases.dtype).eps
        learning = sum(phase.steps for phase in self.program.phases if phase.plastic)
        return eps * widest * (2 + RATE * learning * self.batch * 2.0**self.updates)
