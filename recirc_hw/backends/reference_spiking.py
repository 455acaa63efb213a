"""The reference backend's spiking chips: the equations, step by step.

Not intended to be fast. A unit's neurons are the columns of the arrays by unit.
"""

import numpy as np

from recirc_hw.programs.firing import spike_chance
from recirc_hw.random_streams import chances


def advance(dynamics, chip, stretch):
    """Run a stretch; return the spikes of each unit and of each bias neuron, int64."""
    draws = chances(
        *stretch.key, range(stretch.moment, stretch.moment + stretch.steps),
        dynamics.n_neurons,
    )  # fmt: skip
    run = _Run(dynamics, chip, stretch)
    fired = np.zeros(dynamics.n_units, np.int64)
    biases = np.zeros(len(dynamics.sizes), np.int64)
    for step in range(stretch.steps):
        spikes, bias_spikes = run.step(step, draws[step])
        fired += spikes
        biases += bias_spikes
    return fired, biases


class _Run:
    """One chip, and the constants of one stretch."""

    def __init__(self, dynamics, chip, stretch):
        self.dynamics, self.chip, self.stretch = dynamics, chip, stretch
        populations = range(len(dynamics.sizes))
        self.units = [dynamics.units(p) for p in populations]
        self.neurons = [
            slice(dynamics.neurons * u.start, dynamics.neurons * u.stop) for u in self.units
        ]
        self.slow_stays = np.array([dynamics.stays(tau) for tau in dynamics.tau_ms])
        self.slow_jump = [dynamics.trace_jump(tau) for tau in dynamics.tau_ms]

    def step(self, step, draws):
        """Do one step; return the spikes of each unit and of each bias neuron."""
        self._decay()
        self._learn()
        spikes, bias_spikes = self._fire(step, draws)
        counts = np.concatenate([self._of_units(spikes, p) for p in range(len(self.units))])
        self._send(counts, bias_spikes)
        self._reset(spikes, bias_spikes, counts)
        if self.stretch.record is not None:
            self._record(step, spikes)
        return counts, bias_spikes

    def _of_units(self, values, population):
        """Return the sum over each unit's neurons, shape (units,)."""
        values = values[self.neurons[population]].astype(np.int64)
        return values.reshape(self.dynamics.neurons, -1).sum(axis=0)

    def _decay(self):
        """Take potentials, currents and traces one step on, by their old values."""
        dynamics, chip = self.dynamics, self.chip
        stays = dynamics.stays(dynamics.membrane_ms)
        for p, (units, neurons) in enumerate(zip(self.units, self.neurons, strict=True)):
            drive = chip.current[units]
            if p == 0 and self.stretch.drive is not None:
                shunted = dynamics.clamp == "shunting"
                drive = self.stretch.drive if shunted else drive + self.stretch.drive
            drive = np.tile(drive, dynamics.neurons)
            chip.potential[neurons] = stays * chip.potential[neurons] + (1 - stays) * drive
            chip.slow[units] *= self.slow_stays[p]
        for _, source, target in dynamics.projections:
            chip.current[self.units[target]] *= self.slow_stays[source]
        chip.fast *= dynamics.stays(dynamics.fast_ms)
        chip.bias_slow *= self.slow_stays
        chip.waiting[:] = np.maximum(chip.waiting - 1, 0)
        chip.bias_waiting[:] = np.maximum(chip.bias_waiting - 1, 0)

    def _learn(self):
        """Change the weights by the product of traces, where that is the rule."""
        chip, rule = self.chip, self.dynamics.plasticity
        if rule not in ("trace_difference", "two_phase_hebb"):
            return
        for rate, (matrix, source, target) in self._plastic():
            post = chip.slow[self.units[target]]
            if rule == "trace_difference":
                post = post - chip.fast[self.units[target]]
            pre = np.append(chip.slow[self.units[source]], chip.bias_slow[source])
            chip.weights[matrix] += rate * np.outer(post, pre)

    def _plastic(self):
        """Return (rate, projection) of those that learn."""
        pairs = zip(self.stretch.rates, self.dynamics.projections, strict=True)
        return [(rate, projection) for rate, projection in pairs if rate]

    def _fire(self, step, draws):
        """Return which neurons fire, and which bias neurons, as booleans."""
        chip = self.chip
        spikes = (chip.waiting == 0) & (draws < spike_chance(self.dynamics, chip.potential))
        if self.stretch.forced is not None:
            forced = np.tile(self.stretch.forced[step] > 0, self.dynamics.neurons)
            spikes[self.neurons[0]] = forced
        return spikes, chip.bias_waiting == 0

    def _send(self, counts, bias_spikes):
        """Add the step's spikes to the currents; learn from spikes, where that is the rule."""
        dynamics, chip, rule = self.dynamics, self.chip, self.dynamics.plasticity
        plastic = self._plastic()
        for rate, (matrix, source, target) in plastic:
            # A bias is one neuron, whose spikes count for those of all neurons of a unit.
            pre = np.append(counts[self.units[source]], dynamics.neurons * bias_spikes[source])
            units = self.units[target]
            if rule == "raw_presynaptic":
                chip.weights[matrix] += rate * np.outer(
                    chip.slow[units] - chip.fast[units], pre
                )
            if rule == "pair_stdp":
                chip.weights[matrix] -= rate * np.outer(chip.slow[units], pre)
        for matrix, source, target in dynamics.projections:
            weights = chip.weights[matrix]
            total = dynamics.current_jump(source) * (
                weights[:, :-1] @ counts[self.units[source]]
            )
            total += dynamics.bias_jump(source) * weights[:, -1] * bias_spikes[source]
            chip.current[self.units[target]] += total
        for rate, (matrix, source, target) in plastic if rule == "pair_stdp" else ():
            pre = np.append(chip.slow[self.units[source]], chip.bias_slow[source])
            chip.weights[matrix] += rate * np.outer(counts[self.units[target]], pre)

    def _reset(self, spikes, bias_spikes, counts):
        """Reset neurons that fired, and add to their traces."""
        dynamics, chip = self.dynamics, self.chip
        chip.potential[spikes] = 0.0
        chip.waiting[spikes] = dynamics.refractory_steps
        chip.bias_waiting[bias_spikes] = dynamics.refractory_steps
        for p, units in enumerate(self.units):
            chip.slow[units] += counts[units] * self.slow_jump[p]
            chip.bias_slow[p] += bias_spikes[p] * dynamics.trace_jump(dynamics.tau_ms[p], 1)
        chip.fast += counts * dynamics.trace_jump(dynamics.fast_ms)

    def _record(self, step, spikes):
        """Note what this step came to."""
        window, chip = self.stretch.record, self.chip
        window.raster[step] = spikes
        window.potential[step], window.current[step] = chip.potential, chip.current
        window.slow[step], window.fast[step] = chip.slow, chip.fast
