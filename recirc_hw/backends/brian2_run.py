"""A Brian2 network made for one course: from a chip's state to a chip's state."""

import tempfile
from contextlib import ExitStack

import brian2 as b2
import numpy as np
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice

from recirc_hw.backends.brian2_groups import Groups


class Net:
    """A network of Brian2's objects, made for one course; `with` it, to leave no files.

    Parameters
    ----------
    program : Phases
    matrices : list of arrays, shape (rows, cols + 1)
    course : Course
    """

    def __init__(self, program, matrices, course):
        _start_afresh()
        self.program, self.dynamics, self.course = program, program.dynamics, course
        groups, self.stack = Groups(self.dynamics, course), ExitStack()
        self.step, self.units, self.neurons = groups.step, groups.units, groups.neurons
        self.synapses = [
            groups.synapses(k, matrices[way[0]])
            for k, way in enumerate(self.dynamics.projections)
        ]
        self.spikes = [b2.SpikeMonitor(group) for group in self.neurons]
        self.network = b2.Network(
            *self.units, *self.neurons, *self.synapses, *groups.tellers, *self.spikes
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stack.close()

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
            folder = tempfile.TemporaryDirectory(prefix="recirc_hw-")
            self.stack.enter_context(folder)  # what the run left is read from there
            device.build(directory=folder.name, compile=True, run=True)

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


def _start_afresh():
    """Forget earlier networks; standalone code is built once for each."""
    device = b2.get_device()
    if isinstance(device, CPPStandaloneDevice) and device.has_been_run:
        device.reinit()
        device.activate(build_on_run=False)
    b2.start_scope()
