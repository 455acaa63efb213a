"""Spiking dynamics: constants, the state of fabricated chips, and what a backend runs.

Units of one chip lie side by side, population after population. A unit is `neurons`
neurons that share its weights; those of a population lie copy after copy, unit by unit:
neuron = first + copy units + unit. Each population has a bias neuron besides.
"""

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from recirc_hw.programs.body import Body

COUNTS = ("spikes", "synaptic_events", "presentations")
"""What is counted in each phase; what every step costs besides is known without."""

NEURONS = ("escape", "noisy_threshold")
PLASTICITIES = ("trace_difference", "raw_presynaptic", "pair_stdp", "two_phase_hebb")
ACCOUNT = 3.0  # time constants after which compiled backends settle a weight's account


@dataclass(frozen=True)
class SpikingDynamics:
    """The constants of a design's spiking neurons; times in ms.

    `projections` gives each one's (matrix, source population, target population).
    """

    dt_ms: float
    tau_ms: tuple[float, ...]  # of each population's synapses and slow traces
    sizes: tuple[int, ...]  # units in each population
    projections: tuple[tuple[int, int, int], ...]
    membrane_ms: float
    refractory_ms: float
    fast_ms: float
    neurons: int  # of a unit, which share its weights
    copies: int  # units that stand for one of the network, each with its own weights
    neuron: str  # "escape" or "noisy_threshold"
    threshold: float
    threshold_noise: float
    clamp: str  # "current" or "shunting"
    clamp_strength: float
    plasticity: str
    jump: str  # "exact" or "approximate"
    gain: float  # dw/dt per unit of the matrix's rate
    readout: str  # "counts" or "curve"
    write: str  # "never" where synapses need no writing, "presentation" or "step"

    @cached_property
    def refractory_steps(self):
        """The steps from a spike to the first that may bring another."""
        return round(self.refractory_ms / self.dt_ms)

    @cached_property
    def first_units(self):
        """Each population's first unit, and behind the last the number of units."""
        return tuple(int(n) for n in np.cumsum((0, *self.sizes)))

    @property
    def n_units(self):
        """Units of all populations."""
        return sum(self.sizes)

    @property
    def n_neurons(self):
        """Neurons of all populations, those of the biases left out."""
        return self.neurons * self.n_units

    def units(self, population):
        """Return the slice of a population's units."""
        return slice(self.first_units[population], self.first_units[population + 1])

    def offset(self, matrix):
        """Return where a matrix begins in a chip's memory."""
        sizes = {m: (self.sizes[s] + 1) * self.sizes[t] for m, s, t in self.projections}
        return sum(size for m, size in sizes.items() if m < matrix)

    def rebase(self, source):
        """Return the steps after which weights from a population are brought up to date."""
        return max(1, int(ACCOUNT * self.tau_ms[source] / self.dt_ms))

    def stays(self, tau_ms):
        """Return what is left after one step of what decays with this time constant."""
        return math.exp(-self.dt_ms / tau_ms)

    def trace_jump(self, tau_ms, neurons=None):
        """Return what a spike adds to a trace, so that its mean is the unit's activity.

            jump = (t_ref / dt) (exp(dt / tau) - 1) / n

        is exact for a trace that is read before the step's spikes are added to it;
        t_ref / (tau n) is its limit for small steps, and no good.
        """
        step = math.expm1(self.dt_ms / tau_ms) if self.jump == "exact" else self.dt_ms / tau_ms
        return self.refractory_ms / self.dt_ms * step / (neurons or self.neurons)

    def current_jump(self, source):
        """Return what a spike of a population's neuron adds to a current, per weight."""
        return self.trace_jump(self.tau_ms[source]) / self.copies

    def bias_jump(self, source):
        """Return what a spike of its bias neuron adds to a current, per weight."""
        return self.trace_jump(self.tau_ms[source], 1)


@dataclass
class SpikingBody(Body):
    """The state of spiking chips: potentials, currents, traces; shape (n_chips, ...)."""

    potential: np.ndarray  # of each neuron, in units of net input
    waiting: np.ndarray  # int32, steps until each neuron may fire again
    current: np.ndarray  # into each unit, from its synapses
    slow: np.ndarray  # each unit's own trace with its population's time constant
    fast: np.ndarray
    bias_waiting: np.ndarray  # of each population's bias neuron
    bias_slow: np.ndarray
    counters: np.ndarray  # int64, shape (n_chips, n_phases, 3), as COUNTS names them
    synapses: object = None  # the synapse devices, as fabricated; None: floating point

    @classmethod
    def at_rest(cls, seeds, dynamics, n_phases, synapses=None):
        """Return chips that have never had a spike."""
        count, units, populations = len(seeds), dynamics.n_units, len(dynamics.sizes)
        return cls.start(
            seeds,
            potential=np.zeros((count, dynamics.n_neurons)),
            waiting=np.zeros((count, dynamics.n_neurons), np.int32),
            current=np.zeros((count, units)),
            slow=np.zeros((count, units)),
            fast=np.zeros((count, units)),
            bias_waiting=np.zeros((count, populations), np.int32),
            bias_slow=np.zeros((count, populations)),
            counters=np.zeros((count, n_phases, len(COUNTS)), np.int64),
            synapses=synapses,
        )

    def changing(self):
        """Return the arrays that training changes, by name."""
        names = (*STATE, "counters")
        return super().changing() | {name: getattr(self, name) for name in names}

    def chip(self, index, matrices):
        """Return one chip's state; its arrays are views, but its weights a copy."""
        memory = np.concatenate([matrix.ravel(order="F") for matrix in matrices])
        ends = np.cumsum([matrix.size for matrix in matrices])[:-1]
        weights = [
            part.reshape(matrix.shape, order="F")
            for part, matrix in zip(np.split(memory, ends), matrices, strict=True)
        ]
        arrays = {name: getattr(self, name)[index] for name in STATE}
        return SpikingChip(memory, weights, **arrays)


STATE = (
    "potential", "waiting", "current", "slow", "fast", "bias_waiting", "bias_slow",
)  # fmt: skip


@dataclass
class SpikingChip:
    """What one chip's neurons and synapses hold now; arrays as in `SpikingBody`."""

    memory: np.ndarray  # of all weights, matrix after matrix, column after column
    weights: list[np.ndarray]  # views of it, shape (rows, cols + 1)
    potential: np.ndarray
    waiting: np.ndarray
    current: np.ndarray
    slow: np.ndarray
    fast: np.ndarray
    bias_waiting: np.ndarray
    bias_slow: np.ndarray


@dataclass
class Stretch:
    """Some steps of one phase of one case, as a backend is asked to run them.

    `rates` is what multiplies the product of traces in dw/dt, one a projection, 0 for
    none; negative ones are of the second of two phases. A clamped population's drive
    is `drive`; where `forced` is given its units fire as that says, and only so.
    """

    steps: int
    moment: int  # steps since the case began
    key: tuple[int, str, int, int]  # seed, purpose, step, place of the draws
    drive: np.ndarray | None  # into the first population's units; None: not clamped
    rates: tuple[float, ...]
    forced: np.ndarray | None = None  # uint8, shape (steps, units of the first population)
    record: "Recorded | None" = None

    def part(self, first, stop, record=None):
        """Return the steps first..stop-1 of it alone; `record` where it has none."""
        forced = None if self.forced is None else self.forced[first:stop]
        record = record if self.record is None else self.record.part(first, stop)
        return replace(
            self, steps=stop - first, moment=self.moment + first, forced=forced, record=record
        )


@dataclass
class Recorded:
    """Room for what happens in some steps; filled by the backend."""

    raster: np.ndarray  # uint8, shape (steps, neurons)
    potential: np.ndarray  # shape (steps, neurons), after the step's resets
    current: np.ndarray  # shape (steps, units)
    slow: np.ndarray
    fast: np.ndarray

    @classmethod
    def empty(cls, dynamics, steps):
        """Return room for so many steps."""
        neurons, units = (steps, dynamics.n_neurons), (steps, dynamics.n_units)
        return cls(
            np.zeros(neurons, np.uint8), np.zeros(neurons),
            *(np.zeros(units) for _ in range(3)),
        )  # fmt: skip

    def part(self, first, stop):
        """Return the room of the steps first..stop-1, a view."""
        return Recorded(*(getattr(self, field.name)[first:stop] for field in fields(self)))


def phase_counts(program, counters):
    """Return what a clocked chip did in each phase, as {phase: {what: how often}}.

    Inference: spikes; synaptic events, one a spike and target unit; updates of potentials
    and currents, one a neuron and a unit each step. Learning: trace updates, two a unit
    and one a bias each step; weight writes, one a plastic synapse each step, or each
    presentation where devices are written then.

    Parameters
    ----------
    counters : int array, shape (n_phases, 3), as COUNTS names them
    """
    dynamics, found = program.dynamics, {}
    synapses = sum((m.cols + 1) * m.rows for m in program.layout.matrices if m.policy)
    for phase, (spikes, events, presentations) in zip(
        program.phases, counters.tolist(), strict=True
    ):
        steps = phase.steps * presentations
        writes = presentations if dynamics.write == "presentation" else steps
        found[phase.name] = {
            "spikes": spikes,
            "synaptic_events": events,
            "neuron_updates": steps * (dynamics.n_neurons + dynamics.n_units),
            "trace_updates": steps * (2 * dynamics.n_units + len(dynamics.sizes)),
            "weight_writes": writes * synapses if phase.plastic else 0,
        }
    return found
