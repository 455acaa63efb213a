"""What a spiking chip goes through, case after case, on every backend.

A backend brings `advance(dynamics, chip, stretch)`, which runs the steps of a stretch,
changes the chip in place, and returns how often each unit's neurons fired, and each
population's bias neuron. Step order, within every step:

1.  potentials, currents and traces from the values of the step before;
2.  weights from the decayed traces, where they are plastic;
3.  which neurons fire;
4.  their spikes into currents, by the weights of 2;
5.  resets, and the traces' jumps.
"""

import numpy as np

from recirc_hw.programs.spiking import Stretch


class Life:
    """One chip that goes through case after case; its state and counts are the body's.

    Parameters
    ----------
    program : Phases
    body : SpikingBody
    chip : int, the chip's place in the body
    advance : callable(dynamics, SpikingChip, Stretch), which a backend brings
    """

    def __init__(self, program, body, chip, advance):
        self.program, self.body, self.chip, self.advance = program, body, chip, advance
        self.dynamics = program.dynamics

    def take_case(self, matrices, drive, n_cases=1, train=None, divide=None):
        """Go through one case; return what the synapses then hold.

        Parameters
        ----------
        matrices : list of arrays, shape (rows, cols + 1): what the synapses hold
        drive : array, of the clamped units
        n_cases : int, of the batch that the case is of
        train : (time_ms, unit), or None: spikes forced upon the clamped units
        divide : callable(Stretch), or None
            Yields the parts that a stretch is to be run in; the next is asked for once
            one has been run.
        """
        body, chip = self.body, self.chip
        held = _Held(body, chip, matrices)
        state = body.chip(chip, held.seen())
        key = int(body.seeds[chip]), "spikes", int(body.steps[chip]), 0
        for p, stretch in stretches(self.program, drive, key, n_cases, train):
            for part in divide(stretch) if divide else (stretch,):
                fired = self._run(state, part, held)
                body.counters[chip, p] += (*counted(self.dynamics, *fired), 0)
            body.counters[chip, p] += (0, 0, 1)
        if self.dynamics.write != "step":
            held.write(state.weights)
        body.steps[chip] += held.writes
        return held.matrices

    def _run(self, state, stretch, held):
        """Run a stretch, at once or with a write at every step; return what fired."""
        if self.dynamics.write != "step" or not any(stretch.rates):
            return self.advance(self.dynamics, state, stretch)
        fired = []
        for step in range(stretch.steps):
            fired.append(self.advance(self.dynamics, state, stretch.part(step, step + 1)))
            held.write(state.weights)
            for weights, seen in zip(state.weights, held.seen(), strict=True):
                weights[:] = seen
        return [np.sum(counts, axis=0) for counts in zip(*fired, strict=True)]


class _Held:
    """What one chip's synapses hold while it goes through a case."""

    def __init__(self, body, chip, matrices):
        self.body, self.chip, self.matrices, self.writes = body, chip, matrices, 0

    def seen(self):
        """Return the weights as the network sees them."""
        weights = [matrix[None] for matrix in self.matrices]
        return [m[0] for m in weights_seen(self.body, [self.chip], weights, self.writes)]

    def write(self, weights):
        """Write what has changed of the weights that were seen."""
        synapses, before = self.body.synapses, self.seen()
        if synapses is None:
            self.matrices = weights
        else:
            seed, done = self.body.seeds[[self.chip]], self.body.steps[[self.chip]]
            self.matrices = [
                synapses.write(
                    k, [self.chip], matrix[None], (weights[k] - before[k])[None], seed,
                    done + self.writes,
                )[0]
                for k, matrix in enumerate(self.matrices)
            ]  # fmt: skip
        self.writes += 1


def weights_seen(body, chips, weights, later=0):
    """Return the weights of some chips as their networks see them, (n_chips, ...) each.

    `later` counts the writes since `body.steps`.
    """
    if body is None or body.synapses is None:
        return weights
    seeds, writes = body.seeds[chips], body.steps[chips] + later
    return [
        body.synapses.seen(k, chips, matrix, seeds, writes) for k, matrix in enumerate(weights)
    ]


def stretches(program, drive, key, n_cases=1, train=None):
    """Yield (phase number, Stretch) of each phase of one case, in turn.

    A case given as a spike train is forced upon the clamped units, from its beginning on.
    """
    moment, dynamics = 0, program.dynamics
    for p, phase in enumerate(program.phases):
        forced = None
        if phase.clamped and train is not None:
            forced = _forced(dynamics, train, moment, phase.steps)
        if phase.steps:
            held = drive if phase.clamped else None
            found = rates(program, phase, n_cases)
            yield p, Stretch(phase.steps, moment, key, held, found, forced)
        moment += phase.steps


def _forced(dynamics, train, first, steps):
    """Return which units of the first population fire at each step, shape (steps, units)."""
    time_ms, unit = train
    forced = np.zeros((steps, dynamics.sizes[0] // dynamics.copies), np.uint8)
    step = np.floor(time_ms / dynamics.dt_ms + 1e-9).astype(np.int64) - first
    inside = (step >= 0) & (step < steps)
    forced[step[inside], unit[inside]] = 1
    return np.ascontiguousarray(np.repeat(forced, dynamics.copies, axis=1))


def rates(program, phase, n_cases):
    """Return what multiplies traces (or spikes) in the change of each projection's weights.

    trace_difference   rate dt / tau_post, of s_pre (s_post - f_post), each step
    raw_presynaptic    rate t_ref / (n tau_post), of s_post - f_post, each spike of pre
    pair_stdp          the same, of s_pre each spike of post, - s_post each spike of pre
    two_phase_hebb     +-rate dt / T, of s_pre s_post, each step of a phase of T
    """
    dynamics = program.dynamics
    found = []
    for matrix, _, target in dynamics.projections:
        policy = program.layout.matrices[matrix].policy
        if matrix not in phase.plastic:
            found.append(0.0)
            continue
        # A matrix that is not written still gathers what it would learn at rate 1.
        rate = dynamics.gain * (policy.rate if policy else 1.0)
        rate /= n_cases if policy and policy.mean else 1
        if dynamics.plasticity == "two_phase_hebb":
            scale = dynamics.dt_ms / phase.duration_ms * (1 if phase.clamped else -1)
        elif dynamics.plasticity == "trace_difference":
            scale = dynamics.dt_ms / dynamics.tau_ms[target]
        else:
            scale = dynamics.refractory_ms / (dynamics.neurons * dynamics.tau_ms[target])
        found.append(rate * scale)
    return tuple(found)


def counted(dynamics, fired, biases):
    """Return (spikes, synaptic events) of so many spikes of units and bias neurons."""
    populations = range(len(dynamics.sizes))
    of = [int(fired[dynamics.units(p)].sum() + biases[p]) for p in populations]
    events = sum(of[source] * dynamics.sizes[to] for _, source, to in dynamics.projections)
    return sum(of), events
