"""The groups and synapses of a Brian2 network, their equations and their order.

A population is two groups: the units, with currents, traces and synapses, and the
neurons, which read their unit's current and tell it how many of them fired. Each has
its bias last. Time arrays hold drives, rates of learning and random numbers; every
update is in the order that `spiking_life` states.
"""

import brian2 as b2
import numpy as np
from scipy.special import ndtri

UNITS = """
dx/dt = -x / tau_in : 1
ds/dt = -s / tau : 1
df/dt = -f / tau_fast : 1
count : 1
slow_jump : 1 (constant)
fast_jump : 1 (constant)
current_jump : 1 (constant)
share : 1 (constant)
"""
NEURONS = """
du/dt = (-u + {drive}) / tau_m : 1
unit : integer (constant)
bias : boolean (constant)
x : 1 (linked)
"""
DRIVES = {
    "current": "x + drive(t, unit)",
    "shunting": "x * (1 - clamped(t)) + drive(t, unit)",
}
FIRES = {
    "escape": "level < -expm1(-hazard * exp(clip(u, -1000, 20)))",
    "noisy_threshold": "level <= u",
}
OWN_LEVELS = {"escape": "rand()", "noisy_threshold": "(threshold + noise_sd * randn())"}
CHANGES = {  # at every step
    "trace_difference": "rate(t) * s_pre * (s_post - f_post)",
    "two_phase_hebb": "rate(t) * s_pre * s_post",
}
AT_SPIKES = {  # of the sender, before its spike arrives
    "raw_presynaptic": "w += rate(t) * count_pre * share_pre * (s_post - f_post)\n",
    "pair_stdp": "w -= rate(t) * count_pre * share_pre * s_post\n",
}


class Groups:
    """Makes the groups and synapses of one network for one course.

    Parameters
    ----------
    dynamics : SpikingDynamics
    course : Course
    """

    def __init__(self, dynamics, course):
        self.dynamics, self.course = dynamics, course
        self.step = dynamics.dt_ms * b2.ms
        populations = range(len(dynamics.sizes))
        self.units = [self._units(p) for p in populations]
        self.neurons = [self._neurons(p) for p in populations]
        self.tellers = [self._teller(p) for p in populations]

    def _array(self, values):
        """Return a time array of one value, or one row, a step."""
        return b2.TimedArray(np.ascontiguousarray(values), dt=self.step)

    def _rows(self, values, size):
        """Return a step's values by copy, the bias's zero behind each copy's."""
        steps, copies = values.shape[:2]
        padded = np.zeros((steps, copies, size))
        padded[:, :, : values.shape[2]] = values
        return self._array(padded.reshape(steps, -1))

    def _units(self, p):
        """Return the units of a population, its bias last, copy after copy."""
        dynamics, size = self.dynamics, self.dynamics.sizes[p] + 1
        sources = [source for _, source, target in dynamics.projections if target == p]
        group = b2.NeuronGroup(
            self.course.copies * size, UNITS, method="exponential_euler", dt=self.step,
            events={"heard": "count > 0"}, name=f"units{p}",
            namespace={
                "tau_in": dynamics.tau_ms[sources[0] if sources else p] * b2.ms,
                "tau": dynamics.tau_ms[p] * b2.ms, "tau_fast": dynamics.fast_ms * b2.ms,
            },
        )  # fmt: skip
        group.set_event_schedule("heard", when="after_synapses", order=0)
        group.run_on_event(
            "heard", "s += count * slow_jump\nf += count * fast_jump\ncount = 0",
            when="after_resets",
        )  # fmt: skip
        tau = dynamics.tau_ms[p]
        for name, of_unit, of_bias in (
            ("slow_jump", dynamics.trace_jump(tau), dynamics.trace_jump(tau, 1)),
            ("fast_jump", dynamics.trace_jump(dynamics.fast_ms),
             dynamics.trace_jump(dynamics.fast_ms, 1)),
            ("current_jump", dynamics.current_jump(p), dynamics.bias_jump(p)),
            ("share", 1, dynamics.neurons),
        ):  # fmt: skip
            values = np.append(np.full(size - 1, float(of_unit)), of_bias)
            setattr(group, name, np.tile(values, self.course.copies))
        return group

    def _neurons(self, p):
        """Return the neurons of a population, its bias last, copy after copy."""
        dynamics, size = self.dynamics, self.dynamics.sizes[p]
        names, level = self._given(p)
        group = b2.NeuronGroup(
            self.course.copies * (dynamics.neurons * size + 1),
            NEURONS.format(drive=DRIVES[dynamics.clamp] if p == 0 else "x"),
            namespace=names, reset="u = 0", refractory=dynamics.refractory_ms * b2.ms,
            threshold=f"bias or {FIRES[dynamics.neuron].replace('level', level)}",
            method="exponential_euler", dt=self.step, name=f"neurons{p}",
        )  # fmt: skip
        unit = np.append(np.tile(np.arange(size), dynamics.neurons), size)
        unit = (unit + (size + 1) * np.arange(self.course.copies)[:, None]).ravel()
        group.unit, group.bias = unit, unit % (size + 1) == size
        group.x = b2.linked_var(self.units[p], "x", index=unit)
        group.state_updater.order = -1  # potentials before the currents they read
        return group

    def _given(self, p):
        """Return (the names that a population's equations use, the level it fires at)."""
        dynamics, course, size = self.dynamics, self.course, self.dynamics.sizes[p]
        names = {
            "tau_m": dynamics.membrane_ms * b2.ms,
            "hazard": dynamics.dt_ms / dynamics.refractory_ms,
            "threshold": dynamics.threshold, "noise_sd": dynamics.threshold_noise,
        }  # fmt: skip
        if p == 0:
            names["drive"] = self._rows(course.drive, size + 1)
            names["clamped"] = self._array(course.clamped)
        if course.draws is None:
            return names, OWN_LEVELS[dynamics.neuron]
        first, own = dynamics.neurons * dynamics.first_units[p], dynamics.neurons * size
        levels = self._levels(course.draws[:, :, first : first + own])
        return names | {"noise": self._rows(levels, own + 1)}, "noise(t, i)"

    def _levels(self, draws):
        """Return what a neuron's potential, or chance, is held against."""
        dynamics = self.dynamics
        if dynamics.neuron == "escape":
            return draws
        return dynamics.threshold + dynamics.threshold_noise * ndtri(draws)

    def _teller(self, p):
        """Return the synapses by which neurons tell their unit that they fired."""
        group, unit = self.neurons[p], self.units[p]
        synapses = b2.Synapses(
            group, unit, on_pre="count_post += 1", dt=self.step, name=f"tell{p}"
        )
        synapses.connect(i=np.arange(len(group)), j=np.asarray(group.unit[:], int))
        return synapses

    def synapses(self, k, weights):
        """Return the synapses of a projection."""
        rates = self.course.rates[:, k]
        _, source, target = self.dynamics.projections[k]
        synapses = b2.Synapses(
            self.units[source], self.units[target], method="euler", dt=self.step,
            namespace={"rate": self._array(rates), "one_step": self.step},
            name=f"synapses{k}", **_rule(self.dynamics.plasticity if rates.any() else None),
        )  # fmt: skip
        rows, columns = weights.shape
        pre, post = np.divmod(np.arange(weights.size), rows)
        copies = np.arange(self.course.copies)[:, None]
        synapses.connect(
            i=(pre + columns * copies).ravel(), j=(post + (rows + 1) * copies).ravel()
        )
        synapses.w = np.tile(weights.ravel(order="F"), self.course.copies)
        _schedule(synapses)
        return synapses


def _rule(plasticity):
    """Return a synapse's model, and what it does at spikes; None: it does not learn."""
    found = {"model": "w : 1", "on_event": {"pre": "heard"}}
    if plasticity in CHANGES:
        found["model"] = f"dw/dt = {CHANGES[plasticity]} / one_step : 1 (clock-driven)"
    change = AT_SPIKES.get(plasticity, "")
    found["on_pre"] = f"{change}x_post += w * count_pre * current_jump_pre"
    if plasticity == "pair_stdp":
        found["on_post"] = "w += rate(t) * count_post * s_pre"
        found["on_event"]["post"] = "heard"
    return found


def _schedule(synapses):
    """Weights after traces have decayed; spikes once they are counted."""
    if synapses.state_updater is not None:
        synapses.state_updater.order = 1
    synapses.pre.when, synapses.pre.order = "after_synapses", 1
    if hasattr(synapses, "post"):
        synapses.post.when, synapses.post.order = "after_synapses", 2
