"""What every backend does with spiking chips: train them, and read them out.

What a chip goes through in one case is in `spiking_life`, with the order within a step.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from recirc_hw.backends import continuous
from recirc_hw.backends.spiking_life import Life, stretches, weights_seen
from recirc_hw.programs import Phases
from recirc_hw.programs.firing import clamp_drive, curve, passed_on
from recirc_hw.programs.spiking import SpikingBody, SpikingDynamics


def spikes(program):
    """Return whether a program is one of spiking chips."""
    return isinstance(program, Phases) and isinstance(program.dynamics, SpikingDynamics)


def train(job, advance):
    """Train the chips of a job; return (error, unit_error) as the reference does.

    The errors of a batch are told by the neurons' curve, from the weights before it.
    """
    batches = _numbers(job)
    return continuous.train(job, partial(present, batches=batches, advance=advance), keep)


def forward(program, weights, cases, slot, body, count, threads=1):
    """Answer every case from rest; return a slot, shape (n_chips, n_cases, its size).

    `count(program, matrices, cases, seed, step)` returns the spikes of each unit while a
    chip is read out, a row a case.
    """
    chips = np.arange(len(weights[0]))
    place, weights = program.layout.slots[slot], weights_seen(body, chips, weights)
    if program.dynamics.readout == "curve":
        values = by_curve(program, weights, np.broadcast_to(cases, (len(chips), *cases.shape)))
    else:
        answer = partial(_answer, program, weights, cases, body, count)
        with ThreadPoolExecutor(threads) as pool:
            values = np.stack(list(pool.map(answer, chips)))
    return values[..., place.offset : place.offset + place.size]


def _numbers(job):
    """Yield the numbers of the cases of each batch, shape (n_chips, cases)."""
    order = np.broadcast_to(job.order, (job.n_chips, job.order.shape[1]))
    start = 0
    for end in job.batch_ends:
        yield order[:, start:end]
        start = end


def present(job, chips, cases, learning, first=0, *, batches, advance):
    """Take each chip through its cases, one after another; see `continuous`.

    Weights change within a case, so what it returns for each matrix are the weights
    after the last.
    """
    held = [matrix[chips] for matrix in job.weights]
    values = by_curve(job.program, weights_seen(job.body, chips, held), cases)
    learn, numbers = partial(_learn, job, advance), next(batches)
    with ThreadPoolExecutor(job.threads) as pool:
        learned = list(pool.map(learn, chips, cases, numbers[chips]))
    return values, [np.stack(matrix) for matrix in zip(*learned, strict=True)]


def keep(job, chips, learned, n_cases):
    """Take over the weights after a batch; of matrices not written, only their change."""
    for k, (matrix, after) in enumerate(zip(job.program.layout.matrices, learned, strict=True)):
        if matrix.policy is None:
            job.sums[k][chips] += (after - job.weights[k][chips]) / job.program.dynamics.gain
        else:
            job.weights[k][chips] = after


def _learn(job, advance, chip, cases, numbers):
    """Present a batch to one chip; return its weights after that."""
    matrices = [matrix[chip] for matrix in job.weights]
    life = Life(job.program, job.body, chip, advance)
    for drive, number in zip(clamp_drive(life.dynamics, cases), numbers, strict=True):
        train = job.trains[number] if job.trains else None
        matrices = life.take_case(matrices, drive, len(cases), train)
    return matrices


def by_curve(program, weights, cases):
    """Return every slot by the neurons' curve, shape (n_chips, n_cases, layout size)."""
    dynamics = program.dynamics
    sent = curve(dynamics, clamp_drive(dynamics, cases))
    values = [cases]
    for projection, matrix in zip(dynamics.projections, weights, strict=False):
        sent = passed_on(dynamics, projection, matrix, sent)
        values.append(_of_units(dynamics, sent))
    return np.concatenate(values, axis=-1)


def _of_units(dynamics, values):
    """Return the mean over the copies of each of the network's units."""
    return values.reshape(*values.shape[:-1], -1, dynamics.copies).mean(axis=-1)


def _answer(program, weights, cases, body, count, chip):
    """Return every slot of one chip's answers by counting spikes, a row a case."""
    dynamics, read_out = program.dynamics, program.phases[-1]
    matrices, seed = [matrix[chip] for matrix in weights], int(body.seeds[chip])
    fired = count(program, matrices, cases, seed, int(body.steps[chip]))
    most = dynamics.neurons * read_out.duration_ms / dynamics.refractory_ms
    active = _of_units(dynamics, fired / most)
    return np.hstack([cases, active[:, cases.shape[1] :]])


def count_spikes(program, matrices, cases, seed, step, advance):
    """Return the spikes of each unit while a chip is read out, a row a case."""
    dynamics, found = program.dynamics, []
    for place, drive in enumerate(clamp_drive(dynamics, cases)):
        state = SpikingBody.at_rest([seed], dynamics, 1).chip(0, matrices)
        for _, stretch in stretches(program, drive, (seed, "test spikes", step, place)):
            fired, _ = advance(dynamics, state, stretch)
        found.append(fired)
    return np.stack(found)
