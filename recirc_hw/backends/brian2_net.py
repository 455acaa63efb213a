"""The brian2 backend: spiking chips as a Brian2 network, by Brian2's own settings.

It runs at the code generation target that `brian2.prefs.codegen.target` names, or on
C++ standalone where `brian2.set_device("cpp_standalone", build_on_run=False)` is active.
A population is two groups: the units, with currents, traces and synapses, and the
neurons, which read their unit's current and tell it how many of them fired. Each has
its bias last. Time arrays hold drives, rates of learning and random numbers; every
update is in the order that `spiking` states.
"""

import tempfile
from dataclasses import dataclass
from functools import partial

import brian2 as b2
import numpy as np
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from scipy.special import ndtri

from recirc_hw.backends import spiking
from recirc_hw.errors import UnsupportedError
from recirc_hw.programs.firing import clamp_drive
from recirc_hw.random_streams import chances

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
    "raw_presynaptic": "w += rate(t) * count_pre * share_pre * (s_post - f_post)",
    "pair_stdp": "w -= rate(t) * count_pre * share_pre * s_post",
}
MOST_SYNAPSES = 200_000  # of the cases that are answered side by side


def train(job, own_noise=False):
    """Train each chip for the job's batches; return (error, unit_error) as the reference.

    With `own_noise` Brian2 draws the random numbers; else they are those of the others.
    """
    _refuse(job.program)
    if job.trains:
        raise UnsupportedError(
            "spike trains on the brian2 backend: a clamped unit cannot fire while its neuron "
            "is refractory there; native, numba and reference clamp them"
        )
    error, unit_error = job.history()
    for chip in np.flatnonzero(job.watch.active):
        order = job.order[chip if len(job.order) > 1 else 0]
        _train_chip(job, chip, job.cases[order], error[chip], unit_error[chip], own_noise)
    return error, unit_error


def _train_chip(job, chip, cases, error, unit_error, own_noise):
    """Present a chip's cases in one run, and judge every batch by the weights before it."""
    program, body = job.program, job.body
    seed, done = int(body.seeds[chip]), int(body.steps[chip])
    keys = [(seed, "spikes", done + k, 0) for k in range(len(cases))]
    sizes = np.diff(job.batch_ends, prepend=0)
    course = Course.through(
        program, clamp_drive(program.dynamics, cases), keys, np.repeat(sizes, sizes)
    )
    net = Net(program, [matrix[chip] for matrix in job.weights], course, own_noise)
    net.take_up(body, chip)
    learned = net.run_watching_weights(sizes)
    start = 0
    for batch, end in enumerate(job.batch_ends):
        before = [matrix[batch][None] for matrix in learned]
        values = spiking.by_curve(program, before, cases[None, start:end])[0]
        target, output = (program.layout.slots[k] for k in program.monitor)
        difference = (
            values[:, target.offset : target.offset + target.size]
            - values[:, output.offset : output.offset + output.size]
        )
        error[batch], unit_error[batch] = np.mean(difference**2), np.abs(difference).max()
        job.watch.judge(chip, unit_error[batch])
        start = end
    fired = net.hand_back(body, chip)
    for p, counts in enumerate(fired):
        body.counters[chip, p] += (*spiking.counted(program.dynamics, *counts), len(cases))
    body.steps[chip] += len(cases)
    spiking.keep(job, np.array([chip]), [m[-1][None] for m in learned], len(cases))


def forward(program, weights, cases, slot, body=None, own_noise=False):
    """Answer every case from rest; return a slot, as the reference does."""
    _refuse(program)
    count = partial(_count, own_noise=own_noise)
    return spiking.forward(program, weights, cases, slot, body, count)


def _count(program, matrices, cases, seed, step, own_noise):
    """Return the spikes of each unit while a chip is read out, a row a case."""
    drives, found = clamp_drive(program.dynamics, cases), []
    together = max(1, MOST_SYNAPSES // sum(matrix.size for matrix in matrices))
    for start in range(0, len(cases), together):
        places = range(start, min(start + together, len(cases)))
        keys = [(seed, "test spikes", step, place) for place in places]
        course = Course.of_case(program, drives[start : places.stop], keys)
        net = Net(program, matrices, course, own_noise)
        net.run()
        fired, _ = net.fired()[-1]
        found.append(fired.reshape(len(places), -1))
    return np.concatenate(found)


def _refuse(program):
    """Refuse what Brian2 cannot do."""
    if not spiking.spikes(program):
        raise UnsupportedError(
            "the brian2 backend runs spiking designs only; native and reference run this one"
        )
    if program.dynamics.write != "never":
        raise UnsupportedError(
            "Spiking.device on the brian2 backend: a network that runs without a stop cannot "
            "write devices between cases; native and reference can"
        )


def _start_afresh():
    """Forget earlier networks; standalone code is built once for each."""
    device = b2.get_device()
    if isinstance(device, CPPStandaloneDevice) and device.has_been_run:
        device.reinit()
        device.activate(build_on_run=False)
    b2.start_scope()


@dataclass
class Course:
    """What happens at every step of a run; copies of the network run side by side."""

    copies: int
    drive: np.ndarray  # shape (steps, copies, units of the first population)
    clamped: np.ndarray  # shape (steps,)
    rates: np.ndarray  # shape (steps, projections)
    draws: np.ndarray  # shape (steps, copies, neurons)
    phase_ends: np.ndarray  # step behind each phase of each case
    n_phases: int

    @classmethod
    def through(cls, program, drives, keys, batch_sizes):
        """Return the course of cases one after another."""
        parts = [
            cls.of_case(program, drive[None], [key], int(size))
            for drive, key, size in zip(drives, keys, batch_sizes, strict=True)
        ]
        together = [np.concatenate([getattr(p, name) for p in parts]) for name in _STEPWISE]
        steps = len(parts[0].clamped)
        ends = np.concatenate([p.phase_ends + k * steps for k, p in enumerate(parts)])
        return cls(1, *together, ends, len(program.phases))

    @classmethod
    def of_case(cls, program, drives, keys, batch_size=1):
        """Return the course of one case on each of as many copies as there are drives."""
        dynamics, lengths = program.dynamics, [phase.steps for phase in program.phases]
        clamped = np.repeat([float(bool(p.clamped)) for p in program.phases], lengths)
        rates = [spiking.rates(program, phase, batch_size) for phase in program.phases]
        moments = range(sum(lengths))
        draws = [chances(*key, moments, dynamics.n_neurons) for key in keys]
        return cls(
            len(drives), clamped[:, None, None] * drives, clamped,
            np.repeat(rates, lengths, axis=0), np.stack(draws, axis=1), np.cumsum(lengths),
            len(lengths),
        )  # fmt: skip


_STEPWISE = ("drive", "clamped", "rates", "draws")


class Net:
    """A network of Brian2's objects, made for one course."""

    def __init__(self, program, matrices, course, own_noise):
        _start_afresh()
        self.program, self.dynamics, self.course = program, program.dynamics, course
        self.step = self.dynamics.dt_ms * b2.ms
        self.own_noise = own_noise
        populations = range(len(self.dynamics.sizes))
        self.units = [self._unit_group(p) for p in populations]
        self.neurons = [self._neuron_group(p) for p in populations]
        self.synapses = [
            self._synapses(k, matrices[way[0]])
            for k, way in enumerate(self.dynamics.projections)
        ]
        self.tellers = [self._teller(p) for p in populations]
        self.spikes = [b2.SpikeMonitor(group) for group in self.neurons]
        self.network = b2.Network(
            *self.units, *self.neurons, *self.synapses, *self.tellers, *self.spikes
        )

    def _array(self, values):
        """Return a time array of one value, or one row, a step."""
        return b2.TimedArray(np.ascontiguousarray(values), dt=self.step)

    def _rows(self, values, size):
        """Return a step's values by copy, the bias's zero behind each copy's."""
        steps, copies = values.shape[:2]
        padded = np.zeros((steps, copies, size))
        padded[:, :, : values.shape[2]] = values
        return self._array(padded.reshape(steps, -1))

    def _unit_group(self, p):
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

        def jumps(of):
            return np.tile(np.append(np.full(size - 1, of(None)), of(1)), self.course.copies)

        group.slow_jump = jumps(lambda n: dynamics.trace_jump(tau, n))
        group.fast_jump = jumps(lambda n: dynamics.trace_jump(dynamics.fast_ms, n))
        group.current_jump = jumps(
            lambda n: dynamics.bias_jump(p) if n else dynamics.current_jump(p)
        )
        group.share = jumps(lambda n: dynamics.neurons if n else 1)
        return group

    def _neuron_group(self, p):
        """Return the neurons of a population, its bias last, copy after copy."""
        dynamics, course, size = self.dynamics, self.course, self.dynamics.sizes[p]
        own = dynamics.neurons * size
        first = dynamics.neurons * dynamics.first_units[p]
        level = "noise(t, i)"
        namespace = {
            "tau_m": dynamics.membrane_ms * b2.ms,
            "hazard": dynamics.dt_ms / dynamics.refractory_ms,
            "threshold": dynamics.threshold, "noise_sd": dynamics.threshold_noise,
        }  # fmt: skip
        if self.own_noise:
            level = OWN_LEVELS[dynamics.neuron]
        else:
            levels = self._levels(course.draws[:, :, first : first + own])
            namespace["noise"] = self._rows(levels, own + 1)
        drive = DRIVES[dynamics.clamp] if p == 0 else "x"
        if p == 0:
            namespace["drive"] = self._rows(course.drive, size + 1)
            namespace["clamped"] = self._array(course.clamped)
        group = b2.NeuronGroup(
            course.copies * (own + 1), NEURONS.format(drive=drive), namespace=namespace,
            threshold=f"bias or {FIRES[dynamics.neuron].replace('level', level)}",
            reset="u = 0", refractory=dynamics.refractory_ms * b2.ms,
            method="exponential_euler", dt=self.step, name=f"neurons{p}",
        )  # fmt: skip
        unit = np.append(np.tile(np.arange(size), dynamics.neurons), size)
        unit = (unit + (size + 1) * np.arange(course.copies)[:, None]).ravel()
        group.unit, group.bias = unit, unit % (size + 1) == size
        group.x = b2.linked_var(self.units[p], "x", index=unit)
        group.state_updater.order = -1  # potentials before the currents they read
        return group

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

    def _synapses(self, k, weights):
        """Return the synapses of a projection."""
        dynamics, rule = self.dynamics, self.dynamics.plasticity
        _, source, target = dynamics.projections[k]
        rates = self.course.rates[:, k]
        namespace = {"rate": self._array(rates), "one_step": self.step}
        model, on_pre, on_post, events = "w : 1", "", None, {"pre": "heard"}
        if rates.any() and rule in CHANGES:
            model = f"dw/dt = {CHANGES[rule]} / one_step : 1 (clock-driven)"
        elif rates.any():
            on_pre = AT_SPIKES[rule] + "\n"
        if rates.any() and rule == "pair_stdp":
            on_post, events = "w += rate(t) * count_post * s_pre", events | {"post": "heard"}
        synapses = b2.Synapses(
            self.units[source], self.units[target], model, method="euler", dt=self.step,
            on_pre=on_pre + "x_post += w * count_pre * current_jump_pre", on_post=on_post,
            on_event=events, namespace=namespace, name=f"synapses{k}",
        )  # fmt: skip
        rows, columns = weights.shape
        pre, post = np.divmod(np.arange(weights.size), rows)
        copies = np.arange(self.course.copies)[:, None]
        synapses.connect(
            i=(pre + columns * copies).ravel(), j=(post + (rows + 1) * copies).ravel()
        )
        synapses.w = np.tile(weights.ravel(order="F"), self.course.copies)
        self._schedule(synapses)
        return synapses

    @staticmethod
    def _schedule(synapses):
        """Weights after traces have decayed; spikes once they are counted."""
        if synapses.state_updater is not None:
            synapses.state_updater.order = 1
        synapses.pre.when, synapses.pre.order = "after_synapses", 1
        if hasattr(synapses, "post"):
            synapses.post.when, synapses.post.order = "after_synapses", 2

    def take_up(self, body, chip):
        """Start from a chip's state."""
        dynamics = self.dynamics
        for p in range(len(dynamics.sizes)):
            units, neurons = dynamics.units(p), self._places(p)
            self.units[p].x = np.append(body.current[chip, units], 0)
            self.units[p].s = np.append(body.slow[chip, units], body.bias_slow[chip, p])
            self.units[p].f = np.append(body.fast[chip, units], 0)
            self.neurons[p].u = np.append(body.potential[chip, neurons], 0)
            waiting = np.append(body.waiting[chip, neurons], body.bias_waiting[chip, p])
            self.neurons[p].lastspike = (waiting - 1.0 - dynamics.refractory_steps) * self.step

    def _places(self, p):
        """Return the slice of a population's neurons."""
        units = self.dynamics.units(p)
        return slice(self.dynamics.neurons * units.start, self.dynamics.neurons * units.stop)

    def hand_back(self, body, chip):
        """Leave the state with the chip; return the spikes of each phase."""
        dynamics, steps = self.dynamics, len(self.course.clamped)
        for p in range(len(dynamics.sizes)):
            units, neurons = dynamics.units(p), self._places(p)
            body.current[chip, units] = self.units[p].x[:-1]
            body.slow[chip, units] = self.units[p].s[:-1]
            body.bias_slow[chip, p] = self.units[p].s[-1]
            body.fast[chip, units] = self.units[p].f[:-1]
            body.potential[chip, neurons] = self.neurons[p].u[:-1]
            last = np.rint(np.asarray(self.neurons[p].lastspike[:] / self.step))
            waiting = np.maximum(last + dynamics.refractory_steps + 1 - steps, 0)
            body.waiting[chip, neurons], body.bias_waiting[chip, p] = waiting[:-1], waiting[-1]
        return self.fired()

    def fired(self):
        """Return (spikes of each unit, of each bias) in every phase; copies end to end."""
        course, dynamics, found = self.course, self.dynamics, []
        for phase in range(course.n_phases):
            counts = [self._fired_in(p, phase) for p in range(len(dynamics.sizes))]
            units = np.concatenate([count[:, :-1] for count in counts], axis=1)
            found.append((units.ravel(), np.array([count[:, -1].sum() for count in counts])))
        return found

    def _fired_in(self, p, phase):
        """Return how often the units of a population, its bias last, fired in a phase."""
        steps = np.rint(np.asarray(self.spikes[p].t / self.step)).astype(int)
        phases = np.searchsorted(self.course.phase_ends, steps, side="right")
        unit = np.asarray(self.neurons[p].unit[:], int)[np.asarray(self.spikes[p].i)]
        chosen = unit[phases % self.course.n_phases == phase]
        size = self.dynamics.sizes[p] + 1
        counts = np.bincount(chosen, minlength=self.course.copies * size)
        return counts.reshape(self.course.copies, size)

    def run(self):
        """Run the whole course."""
        duration = len(self.course.clamped) * self.step
        self.network.run(duration, namespace={})
        device = b2.get_device()
        if isinstance(device, CPPStandaloneDevice):
            folder = tempfile.mkdtemp(prefix="recirc_hw-")
            device.build(directory=folder, compile=True, run=True)

    def run_watching_weights(self, batch_sizes):
        """Run; return each matrix before every batch and at the end, shape (n + 1, ...)."""
        case_ms = len(self.course.clamped) // int(batch_sizes.sum()) * self.step
        watches = [
            b2.StateMonitor(synapses, "w", record=True, dt=case_ms, when="start")
            for synapses in self.synapses
        ]
        self.network.add(*watches)
        self.run()
        firsts = np.cumsum(batch_sizes) - batch_sizes
        found = []
        for matrix, synapses, watch in zip(
            self.program.layout.matrices, self.synapses, watches, strict=True
        ):
            weights = np.vstack([watch.w.T[firsts], synapses.w[:]])
            shape = (len(weights), matrix.cols + 1, matrix.rows)
            found.append(weights.reshape(shape).swapaxes(1, 2))
        return found
