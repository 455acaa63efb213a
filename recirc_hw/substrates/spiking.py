"""The spiking substrate: populations of neurons, plasticity from spike traces alone."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt

from recirc_hw.ledger import Counts, Event, Tally
from recirc_hw.programs import Phases
from recirc_hw.programs.spiking import SpikingBody
from recirc_hw.substrates.devices import AnyDevice, IdealDevice, Synapses
from recirc_hw.substrates.held import Held
from recirc_hw.substrates.presenting import cautions, phases_of

LEARNING = ("trace_updates", "weight_writes")  # whenever they happen
Times = PositiveFloat | tuple[PositiveFloat, ...]


class Spiking(Held):
    """Neurons that fire at random, synapses that keep time by traces of their spikes.

        tau_m du/dt = -u + x + J          hazard of a spike (1 / t_ref) e^u
        tau_pre dx/dt = -x,  each presynaptic spike: x += w jump(tau_pre)
        dw/dt = rate s_pre (s_post - f_post) / tau_post     while the loop runs free
        rate = plasticity_gain rule.learning_rate

    u is reset to 0 by a spike and keeps integrating while the neuron is refractory, so
    that it fires at about f(x) / t_ref, f logistic. s and f are a neuron's own traces,
    slow (that of its group, tau) and fast; their difference tells how its rate changes.
    A case is clamped by J, then the loop runs free. Weights change as it does: a batch
    only says how many cases make one update, and they come in random order.

    Source: Hinton & McClelland 1988, eqs. 3 to 6, regression being what a synapse still
    sends of earlier spikes; the neuron: Gerstner & Kistler 2002, section 5.3.

    Parameters
    ----------
    neurons : int
        Neurons in each unit.
    shared_weights : bool
        Whether a unit's neurons have the same weights; else each has its own.
    tau_ms : float
        Time constant of the visible units' synapses and slow traces.
    tau_hidden_ms : float, or one per hidden group
    clamp_ms : float, or None for 4 tau_ms
        How long a case is clamped.
    release_ms : float, or None for tau_ms ln(1 / rule.regression)
        How long the loop then runs free.
    plasticity_gain : float
    dt_ms, membrane_ms, refractory_ms, fast_ms : float
        The step; tau_m; t_ref; time constant of the fast traces.
    clamp : "current" or "shunting"
        J = +-clamp_strength on top of what the network sends, for binary cases; or J by
        the inverse of the neuron's rate against drive, in place of it, for graded ones.
    clamp_strength : float
    neuron : "escape" or "noisy_threshold"
        The latter fires when u is above threshold + threshold_noise z, z standard
        normal and drawn afresh at each step; without noise it is a plain LIF neuron.
    threshold, threshold_noise : float
    plasticity : "trace_difference", "raw_presynaptic", "pair_stdp" or "two_phase_hebb"
        The rule above; or, to show why they fail: spikes of the sender instead of its
        trace; pair STDP, dw = rate (s_pre per spike of post - s_post per spike of pre)
        t_ref / tau_post; dw/dt = +-rate s_pre s_post / release_ms, plus in the last
        release_ms of the clamp and minus after it.
    jump : "exact" or "approximate"
        What a spike adds to a trace: (t_ref / dt) (e^(dt / tau) - 1), or its limit
        t_ref / tau, with which the difference of two traces has a bias.
    device : a device of `recirc_hw.devices`
        What holds the weights; ideal: as floating point.
    write : "presentation" or "step"
        When a device is written what its synapse has gathered: after each case, until
        when the gathered part acts beside the device's weight, or at every step.
    readout : "counts" or "curve"
        How a reconstruction is told: by counting, for readout_ms, the spikes of visible
        units that are not clamped and hear the same hidden ones; or by the neuron's rate
        against constant drive, without noise.
    readout_ms : float
    check_every : int
        Updates between checks of all cases, at least.
    """

    type: Literal["spiking"] = Field("spiking", description="neurons that fire")
    precision: Literal["float64"] = Field(
        "float64", description="spike trains agree between backends in doubles only"
    )
    neurons: PositiveInt = Field(1, description="neurons in each unit")
    shared_weights: bool = Field(
        True, description="whether a unit's neurons share their weights"
    )
    tau_ms: PositiveFloat = Field(
        200.0, description="time constant of the visible units' synapses and slow traces"
    )
    tau_hidden_ms: Times = Field(30.0, description="the same for hidden groups")
    clamp_ms: PositiveFloat | None = Field(
        None, description="how long a case is clamped; none: 4 tau_ms"
    )
    release_ms: PositiveFloat | None = Field(
        300.0, description="how long the loop then runs free; none: from regression"
    )
    plasticity_gain: PositiveFloat = Field(
        0.05, description="rate of the weights per unit of the rule's learning rate"
    )
    dt_ms: PositiveFloat = Field(1.0, description="the step")
    membrane_ms: PositiveFloat = Field(5.0, description="time constant of a neuron's potential")
    refractory_ms: PositiveFloat = Field(
        10.0, description="shortest time between two spikes of a neuron"
    )
    fast_ms: PositiveFloat = Field(5.0, description="time constant of the fast traces")
    clamp: Literal["current", "shunting"] = Field(
        "current",
        description="on top of what the network sends, for binary cases, or in place of it",
    )
    clamp_strength: Annotated[float, Field(gt=0, le=40)] = Field(
        12.0, description="largest drive of a clamped unit, in units of net input"
    )
    neuron: Literal["escape", "noisy_threshold"] = Field(
        "escape", description="how a neuron decides to fire"
    )
    threshold: float = Field(
        2.45, description="potential at which a noisy-threshold neuron fires"
    )
    threshold_noise: Annotated[float, Field(ge=0)] = Field(
        1.87, description="standard deviation of that threshold, drawn at each step"
    )
    plasticity: Literal[
        "trace_difference", "raw_presynaptic", "pair_stdp", "two_phase_hebb"
    ] = Field("trace_difference", description="the rule of traces, or controls that fail")
    jump: Literal["exact", "approximate"] = Field(
        "exact", description="what a spike adds to a trace"
    )
    device: AnyDevice = Field(
        IdealDevice(), description="what a synapse is made of; see recirc-hw devices"
    )
    write: Literal["presentation", "step"] = Field(
        "presentation", description="when a device is written"
    )
    readout: Literal["counts", "curve"] = Field(
        "counts",
        description="whether spikes are counted, or the curve of rate against drive is used",
    )
    readout_ms: PositiveFloat = Field(2000.0, description="how long spikes are counted")
    check_every: PositiveInt = Field(
        20, description="updates between checks of all cases, at least"
    )

    @property
    def margin(self):
        """How far outputs are kept from 0 and 1 in a cross-entropy: half a spike."""
        return 0.5 * self.refractory_ms / (self.readout_ms * self.neurons)

    @property
    def shuffles(self):
        """That cases come in another order each time: of each, the next one finds traces."""
        return True

    @property
    def copies(self):
        """How many units of the chip stand for one of the network."""
        return 1 if self.shared_weights else self.neurons

    def effects(self):
        """Return what real synapses add to the equations, with what turns it off."""
        ideal = IdealDevice()
        return {} if self.device == ideal else {"synapse device": {"device": ideal}}

    def lower(self, rule, network, batch_size=1) -> Phases:
        """Return the phases of one case under `rule`; see `presenting.phases_of`."""
        return phases_of(self, rule, network)

    def cautions(self, rule, network):
        """Return the warning of a clamp too short, if it is; see `presenting.cautions`."""
        return cautions(self)

    def body(self, seeds, program):
        """Return the chips that `seeds` stand for, at rest."""
        synapses = None
        if program.dynamics.write != "never":
            synapses = Synapses.fabricate(self.device, seeds, program.layout.matrices)
        return SpikingBody.at_rest(seeds, program.dynamics, len(program.phases), synapses)

    def store(self, weights, matrix, seed, step):
        """Return (weights of every copy of each unit, nothing left over)."""
        if matrix is not None and len(weights) != matrix.rows:
            copied = np.repeat(np.repeat(weights[:, :-1], self.copies, 0), self.copies, 1)
            weights = np.column_stack([copied, np.repeat(weights[:, -1], self.copies)])
        return super().store(weights, matrix, seed, step)

    def read(self, weights, matrix):
        """Return the weights between the network's units: means over their copies."""
        if self.copies == 1:
            return weights.copy()
        rows = weights.reshape(-1, self.copies, weights.shape[1]).mean(axis=1)
        between = rows[:, :-1].reshape(len(rows), -1, self.copies).mean(axis=2)
        return np.column_stack([between, rows[:, -1]])

    def change(self, sums, matrix, averaged):
        """Return the change of the weights between the network's units."""
        return self.read(sums, matrix)

    def tally(self, chip, cases, batch_size):
        """Return what one learned example takes: means over cases, as the chip learns them.

        Inference is what goes on while a case is clamped; learning the rest of it, the
        traces at all times, and the writes.

        Raises
        ------
        ValueError
            Without cases: how many spikes there are depends on them.
        """
        if cases is None:
            raise ValueError(
                "how often a spiking chip fires depends on what it is shown: name a task"
            )
        counted, counts = chip.count_events(cases), Counts()
        for phase in chip.design.lowered().phases:
            during = "learning" if phase.plastic else "inference"
            counts += Counts({Event("seconds", during): phase.duration_ms / 1000})
            for what, number in counted[phase.name].items():
                own = "learning" if what in LEARNING else during
                counts += Counts({Event(what, own): number / len(cases)})
        trained = f"after {chip.updates} updates" if chip.updates else "as fabricated"
        basis = f"counted on {len(cases)} cases, chip {chip.seed} {trained}"
        return Tally(counts, Counts(), 1, None, "measured", basis)  # every case writes
