"""What integer programs mean, in plain NumPy with 64-bit integers.

Not intended to be fast. State is an array of shape (cases in the batch, state
size), as in the reference backend; every code and sum fits 64 bits by its bounds.
"""

import numpy as np

from recirc_hw.programs.rounding import rounded
from recirc_hw.programs.tables import entries
from recirc_hw.random_streams import rounding_bits, rounding_key

SATURATED, CLIPPED, ASKED, DEAD = range(4)


def train(job):
    """Train each chip for the job's batches; return (error, unit_error).

    Returns
    -------
    two float64 arrays, shape (n_chips, n_batches), of target - output in units of
    `one`, NaN once a chip stopped.
    """
    history = job.history()
    for chip in range(job.n_chips):
        _train_chip(job, chip, *history)
    return history


def _train_chip(job, chip, error, unit_error):
    """Train one chip."""
    program, state_of = job.program, job.body
    order = job.order[chip if len(job.order) > 1 else 0]
    weights = [matrix[chip] for matrix in job.weights]
    sums = [matrix[chip] for matrix in job.sums]
    counters, start = state_of.counters[chip], 0
    for batch, end in enumerate(job.batch_ends):
        if not job.watch.active[chip]:
            return
        state = compute(program, weights, job.cases[order[start:end]], counters)
        error[chip, batch], unit_error[chip, batch] = monitored(program, state)
        if not job.watch.judge(chip, unit_error[chip, batch]):
            return
        correlate(program, state, sums)
        for op in program.batch_ops:
            key = rounding_key(int(state_of.seeds[chip]), int(state_of.steps[chip]), op.matrix)
            matrix = program.layout.matrices[op.matrix]
            write(matrix, weights[op.matrix], sums[op.matrix], key, counters[op.matrix])
        state_of.steps[chip] += 1
        start = end


def forward(program, weights, cases, slot):
    """Run the case operations without learning; return codes of a slot, int64.

    Returns
    -------
    array, shape (n_chips, n_cases, size of the slot)
    """
    chips = [[matrix[chip] for matrix in weights] for chip in range(len(weights[0]))]
    counters = np.zeros((len(program.layout.matrices), 4), np.int64)
    states = [compute(program, chip, cases, counters) for chip in chips]
    return np.stack([_slot(program, state, slot) for state in states])


def compute(program, weights, cases, counters):
    """Return the state after the operations that read, but do not learn from, a batch."""
    state = np.zeros((len(cases), program.layout.size), np.int64)
    for op in program.case_ops:
        if op.opcode != "correlate":
            _slot(program, state, op.dst)[:] = OPERATIONS[op.opcode](
                program, op, state, weights, cases, counters
            )
    return state


def shifted(x, shift):
    """Return floor(x / 2^shift + 1/2), ties up; a negative shift multiplies."""
    if shift <= 0:
        return x * (1 << -shift)
    return (x + (1 << (shift - 1))) >> shift


def _slot(program, state, index):
    slot = program.layout.slots[index]
    return state[:, slot.offset : slot.offset + slot.size]


def _clamp(program, op, state, weights, cases, counters):
    size = program.layout.slots[op.dst].size
    return cases[:, op.case_offset : op.case_offset + size]


def _project(program, op, state, weights, cases, counters):
    """Return the response to sum w y + (b << bias_align), or a carried error."""
    matrix = weights[op.matrix].astype(np.int64)
    first = _slot(program, state, op.first)
    total = first @ matrix[:, :-1] if op.transposed else first @ matrix[:, :-1].T
    if op.bias:
        total = total + matrix[:, -1] * (1 << op.bias_align)
    code = shifted(total, op.shift)
    if op.clips:
        counters[op.matrix, CLIPPED] += np.sum((code < op.low) | (code > op.high))
        code = np.clip(code, op.low, op.high)
    return entries(program.tables[op.table])[code - op.low] if op.table >= 0 else code


def _combine(program, op, state, weights, cases, counters):
    first, second = _slot(program, state, op.first), _slot(program, state, op.second)
    return shifted(op.gains[0] * first + op.gains[1] * second, op.shift)


def _gate(program, op, state, weights, cases, counters):
    error, y = _slot(program, state, op.first), _slot(program, state, op.second)
    slope = {"logistic": y * (op.one - y), "tanh": op.one**2 - y * y, "identity": 1}
    return shifted(error * slope[op.function], op.shift)


OPERATIONS = {"clamp": _clamp, "project": _project, "combine": _combine, "gate": _gate}


def monitored(program, state):
    """Return (mean squared, largest absolute) target - output, in units of `one`."""
    target, output = program.monitor
    one = float(program.layout.slots[target].one)
    codes = _slot(program, state, target) - _slot(program, state, output)
    return float(np.sum(codes * codes)) / codes.size / (one * one), float(
        np.max(np.abs(codes))
    ) / one


def correlate(program, state, sums):
    """Add every correlate of a batch to the sums g."""
    for op in program.case_ops:
        if op.opcode == "correlate":
            post = op.gains[0] * _slot(program, state, op.first)
            sums[op.matrix][:, :-1] += post.T @ _slot(program, state, op.second)
            sums[op.matrix][:, -1] += post.sum(axis=0) * (1 << op.bias_align)


def write(matrix, weights, sums, key, counters):
    """Apply one write: w <- saturate(w + round(g >> shift)); g keeps a carry's remainder."""
    width = matrix.cols + 1
    index = np.arange(width)[None] * matrix.rows + np.arange(matrix.rows)[:, None]
    shifts = np.full(width, matrix.shift, np.int64)
    shifts[-1] = matrix.bias_shift
    g = sums.astype(np.int64)
    change = rounded(g, shifts[None], matrix.rounding, rounding_bits(key, index))
    wanted = weights + change
    kept = np.clip(wanted, matrix.low, matrix.high)
    counters[SATURATED] += np.sum(kept != wanted)
    weights[:] = kept
    if matrix.rounding == "carry":
        sums[:] = np.where(kept == wanted, g - (change << shifts[None]), 0)
    else:
        counters[ASKED] += np.sum(g != 0)
        counters[DEAD] += np.sum((g != 0) & (change == 0))
        sums[:] = 0
