"""Phases: what a chip that lives in continuous time goes through for one case."""

import hashlib
from dataclasses import dataclass, replace

from recirc_hw.programs.layout import Layout, Slot


@dataclass(frozen=True)
class Phase:
    """One stretch of time; groups and matrices by position.

    Groups that are neither clamped nor moving hold what they have. Weight changes
    are gathered while a matrix is plastic, and written after the batch.
    """

    name: str
    duration_ms: float
    steps: int  # of integration
    clamped: tuple[int, ...] = ()  # groups held at the case's values
    moving: tuple[int, ...] = ()  # groups that follow their input
    plastic: tuple[int, ...] = ()  # matrices that learn

    @property
    def dt_ms(self):
        """The time of one step."""
        return self.duration_ms / self.steps


@dataclass(frozen=True)
class Phases:
    """What a continuous-time chip goes through for one case, and its dynamics.

    The layout's slots are the network's groups, the visible one first, and "output":
    the response of the visible units to the hidden activity at the end of the first
    phase. `monitor` names target and output, as a program's does. `dynamics` is the
    substrate's record of constants.
    """

    name: str
    layout: Layout
    phases: tuple[Phase, ...]
    dynamics: object

    @property
    def monitor(self):
        """The slots whose difference is the reconstruction error: (target, output)."""
        return 0, len(self.layout.slots) - 1

    @property
    def fingerprint(self):
        """SHA-256 of the layout, the phases and the dynamics, as hex digits."""
        parts = (self.layout, self.phases, self.dynamics)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def without_writes(self):
        """Return phases that gather weight changes but never apply them."""
        matrices = tuple(replace(matrix, policy=None) for matrix in self.layout.matrices)
        return replace(self, layout=replace(self.layout, matrices=matrices))

    def __str__(self):
        """Return the phases as people read them."""
        groups = [slot.name for slot in self.layout.slots]
        matrices = [matrix.name for matrix in self.layout.matrices]

        def names(positions, of):
            return ", ".join(of[k] for k in positions) or "-"

        rows = [("phase", "ms", "steps", "clamped", "moving", "learning")] + [
            (
                phase.name, f"{phase.duration_ms:.4g}", str(phase.steps),
                names(phase.clamped, groups), names(phase.moving, groups),
                names(phase.plastic, matrices),
            )
            for phase in self.phases
        ]  # fmt: skip
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        return "\n".join([self.name, *(line.rstrip() for line in lines)])


def group_slots(network):
    """Return a slot for each of a network's groups, then one for the reconstruction."""
    slots, offset = [], 0
    for group in network.groups:
        slots.append(Slot(group.name, offset, group.size))
        offset += group.size
    return (*slots, Slot("output", offset, network.groups[0].size))
