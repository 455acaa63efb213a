"""What a Brian2 network is given at every step of a run."""

from dataclasses import dataclass

import numpy as np

from recirc_hw.backends.spiking_life import rates
from recirc_hw.random_streams import chances


@dataclass
class Course:
    """What happens at every step of a run; copies of the network run side by side."""

    copies: int
    drive: np.ndarray  # shape (steps, copies, units of the first population)
    clamped: np.ndarray  # shape (steps,)
    rates: np.ndarray  # shape (steps, projections)
    draws: np.ndarray | None  # shape (steps, copies, neurons); None: Brian2 draws its own
    phase_ends: np.ndarray  # step behind each phase of each case
    n_phases: int

    @classmethod
    def through(cls, program, drives, keys, batch_sizes):
        """Return the course of cases one after another; `keys` as in `of_case`."""
        parts = [
            cls.of_case(program, drive[None], keys and [keys[k]], int(size))
            for k, (drive, size) in enumerate(zip(drives, batch_sizes, strict=True))
        ]
        together = [
            np.concatenate([getattr(p, name) for p in parts])
            for name in ("drive", "clamped", "rates")
        ]
        draws = np.concatenate([p.draws for p in parts]) if keys else None
        steps = len(parts[0].clamped)
        ends = np.concatenate([p.phase_ends + k * steps for k, p in enumerate(parts)])
        return cls(1, *together, draws, ends, len(program.phases))

    @classmethod
    def of_case(cls, program, drives, keys, batch_size=1):
        """Return the course of one case on each of as many copies as there are drives.

        `keys` name the random numbers of each; None where Brian2 draws its own.
        """
        dynamics, lengths = program.dynamics, [phase.steps for phase in program.phases]
        clamped = np.repeat([float(bool(p.clamped)) for p in program.phases], lengths)
        learning = [rates(program, phase, batch_size) for phase in program.phases]
        moments, draws = range(sum(lengths)), None
        if keys:
            draws = [chances(*key, moments, dynamics.n_neurons) for key in keys]
            draws = np.stack(draws, axis=1)
        return cls(
            len(drives), clamped[:, None, None] * drives, clamped,
            np.repeat(learning, lengths, axis=0), draws, np.cumsum(lengths), len(lengths),
        )  # fmt: skip
