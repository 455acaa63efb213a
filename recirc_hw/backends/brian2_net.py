"""The brian2 backend: spiking chips as a Brian2 network, by Brian2's own settings.

It runs at the code generation target that `brian2.prefs.codegen.target` names, or on
C++ standalone where `brian2.set_device("cpp_standalone", build_on_run=False)` is active.
"""

from functools import partial

import numpy as np

from recirc_hw.backends import spiking
from recirc_hw.backends.brian2_course import Course
from recirc_hw.backends.brian2_run import Net
from recirc_hw.backends.spiking_life import counted
from recirc_hw.errors import UnsupportedError
from recirc_hw.programs.firing import clamp_drive

NO_TRAINS = (
    "spike trains on the brian2 backend: a clamped unit cannot fire while its neuron is "
    "refractory there; native, numba and reference clamp them"
)
"""Why it is given no spike trains; asked before anything runs."""

MOST_SYNAPSES = 200_000  # of the cases that are answered side by side


def train(job, own_noise=False):
    """Train each chip for the job's batches; return (error, unit_error) as the reference.

    With `own_noise` Brian2 draws the random numbers; else they are those of the others.
    """
    _refuse(job.program)
    if job.trains:
        raise UnsupportedError(NO_TRAINS)
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
        program, clamp_drive(program.dynamics, cases), None if own_noise else keys,
        np.repeat(sizes, sizes),
    )  # fmt: skip
    with Net(program, [matrix[chip] for matrix in job.weights], course) as net:
        net.take_up(body, chip)
        learned = net.run_watching_weights(sizes)
        fired = net.hand_back(body, chip)
    for p, counts in enumerate(fired):
        body.counters[chip, p] += (*counted(program.dynamics, *counts), len(cases))
    body.steps[chip] += len(cases)
    for batch, end in enumerate(job.batch_ends):
        before = [matrix[batch][None] for matrix in learned]
        part = cases[None, end - sizes[batch] : end]
        difference = _difference(program, spiking.by_curve(program, before, part)[0])
        error[batch], unit_error[batch] = np.mean(difference**2), np.abs(difference).max()
        job.watch.judge(chip, unit_error[batch])
    spiking.keep(job, np.array([chip]), [m[-1][None] for m in learned], len(cases))


def _difference(program, values):
    """Return the monitor's target minus its output, a row a case."""
    target, output = (program.layout.slots[k] for k in program.monitor)
    return (
        values[:, target.offset : target.offset + target.size]
        - values[:, output.offset : output.offset + output.size]
    )


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
        course = Course.of_case(
            program, drives[start : places.stop], None if own_noise else keys
        )
        with Net(program, matrices, course) as net:
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
