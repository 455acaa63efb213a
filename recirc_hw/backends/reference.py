"""The reference backend: what every operation means, in plain NumPy.

Not intended to be fast. State is an array of shape (cases in the batch, state
size); a slot is a slice of its columns.
"""

from functools import partial

import numpy as np

from recirc_hw.backends import (
    continuous,
    reference_analog,
    reference_fixed,
    reference_spiking,
    spiking,
)
from recirc_hw.backends.responses import RESPONSES, SLOPES
from recirc_hw.programs import IntegerProgram, Phases

_count = partial(spiking.count_spikes, advance=reference_spiking.advance)


def train(job):
    """Train each chip for the job's batches; return (error, unit_error).

    Returns
    -------
    two float64 arrays, shape (n_chips, n_batches): mean squared and largest
    absolute reconstruction error of the first pass, NaN once a chip stopped.
    """
    if isinstance(job.program, IntegerProgram):
        return reference_fixed.train(job)
    if isinstance(job.program, Phases):
        if spiking.spikes(job.program):
            return spiking.train(job, reference_spiking.advance)
        return continuous.train(job, reference_analog.present, continuous.write)
    error, unit_error = job.history()
    for chip in range(job.n_chips):
        order = job.order[chip if len(job.order) > 1 else 0]
        weights = [matrix[chip] for matrix in job.weights]
        sums = [matrix[chip] for matrix in job.sums]
        start = 0
        for batch, end in enumerate(job.batch_ends):
            if not job.watch.active[chip]:
                break
            cases = job.cases[order[start:end]]
            state = compute(job.program, weights, cases)
            difference = _monitored(job.program, state)
            error[chip, batch] = np.mean(difference.astype(np.float64) ** 2)
            unit_error[chip, batch] = np.max(np.abs(difference))
            if not job.watch.judge(chip, unit_error[chip, batch]):
                break
            _learn(job.program, state, weights, sums)
            start = end
    return error, unit_error


def forward(program, weights, cases, slot, body=None):
    """Run a program's case operations without learning.

    Parameters
    ----------
    weights : list of arrays, shape (n_chips, rows, cols + 1)
    cases : array, shape (n_cases, case_size)
    slot : int, which of the layout's slots is asked for
    body : Body, what the chips have besides; needed by phases only

    Returns
    -------
    array, shape (n_chips, n_cases, size of the slot)
    """
    if isinstance(program, IntegerProgram):
        return reference_fixed.forward(program, weights, cases, slot)
    if isinstance(program, Phases):
        if spiking.spikes(program):
            return spiking.forward(program, weights, cases, slot, body, _count)
        return continuous.forward(program, weights, cases, slot, body, reference_analog.present)
    chips = [[matrix[chip] for matrix in weights] for chip in range(len(weights[0]))]
    return np.stack([_slot(program, compute(program, chip, cases), slot) for chip in chips])


def compute(program, weights, cases):
    """Return the state after the operations that read, but do not learn from, a batch."""
    state = np.zeros((len(cases), program.layout.size), weights[0].dtype)
    for op in program.case_ops:
        if op.opcode != "correlate":
            _slot(program, state, op.dst)[:] = _value(program, op, state, weights, cases)
    return state


def _slot(program, state, index):
    """Return the columns of the state that a slot names."""
    slot = program.layout.slots[index]
    return state[:, slot.offset : slot.offset + slot.size]


def _value(program, op, state, weights, cases):
    """Return what one operation computes for a batch, shape (cases, size of dst)."""
    if op.opcode == "clamp":
        size = program.layout.slots[op.dst].size
        return cases[:, op.case_offset : op.case_offset + size]
    first = _slot(program, state, op.first)
    if op.opcode == "project":
        matrix = weights[op.matrix]
        if op.transposed:
            return first @ matrix[:, :-1]
        total = first @ matrix[:, :-1].T
        return RESPONSES[op.function](total + matrix[:, -1] if op.bias else total)
    second = _slot(program, state, op.second)
    if op.opcode == "combine":
        gain_first, gain_second = (state.dtype.type(gain) for gain in op.gains)
        return gain_first * first + gain_second * second
    if op.function == "deadzone":
        return first * (np.abs(second) > state.dtype.type(op.gains[0]))
    return first * SLOPES[op.function](second)


def _monitored(program, state):
    """Return target - output of a batch."""
    target, output = program.monitor
    return _slot(program, state, target) - _slot(program, state, output)


def _learn(program, state, weights, sums):
    """Add every correlate of the batch to the sums, then write."""
    for op in program.case_ops:
        if op.opcode == "correlate":
            post, pre = (_slot(program, state, slot) for slot in (op.first, op.second))
            policy = program.layout.matrices[op.matrix].policy
            if policy is not None and policy.mean:
                post = post * post.dtype.type(1 / len(state))
            sums[op.matrix][:, :-1] += post.T @ pre
            sums[op.matrix][:, -1] += post.sum(axis=0)
    for op in program.batch_ops:
        write(weights[op.matrix], sums[op.matrix], program.layout.matrices[op.matrix].policy)


def write(weights, sums, policy):
    """Apply a write policy in place: w <- cap((1 - decay) w + rate g), g <- momentum g."""
    real = weights.dtype.type
    weights[:] = real(1 - policy.decay) * weights + real(policy.rate) * sums
    sums *= real(policy.momentum)
    if policy.norm_cap > 0:
        norm = np.sqrt(np.sum(weights[:, :-1] ** 2, axis=1, keepdims=True))
        over = norm > real(policy.norm_cap)
        weights[:, :-1] *= np.where(over, real(policy.norm_cap) / np.maximum(norm, 1e-30), 1)
