"""The numba backend: integer programs and phases as compiled loops, parallel over chips.

Slower than native and needing no C compiler; it holds the same integers. Ideal
designs do not run here.
"""

from functools import lru_cache, partial

import numba
import numpy as np

from recirc_hw.backends import continuous, numba_analog, spiking
from recirc_hw.backends.numba_kernels import forward_chip, train_chips
from recirc_hw.backends.numba_spiking import advance
from recirc_hw.errors import UnsupportedError
from recirc_hw.programs import FUNCTIONS, OPCODES, IntegerProgram, Phases
from recirc_hw.programs.integer import ROUNDINGS
from recirc_hw.programs.tables import entries


def train(job):
    """Train the chips of a job; returns and changes what the reference does."""
    if isinstance(job.program, Phases):
        if spiking.spikes(job.program):
            return spiking.train(job, advance)
        return continuous.train(job, numba_analog.present, continuous.write)
    _refuse_floats(job.program)
    history, watch, fixed = job.history(), job.watch, job.body
    weights, sums = _packed(job.weights), _packed(job.sums)
    numba.set_num_threads(min(job.threads, numba.config.NUMBA_NUM_THREADS))
    train_chips(
        *_tables(job.program), weights, sums, np.ascontiguousarray(job.cases, np.int32),
        np.ascontiguousarray(job.order), np.asarray(job.batch_ends), fixed.seeds, fixed.steps,
        fixed.counters, *history,
        (watch.updates, watch.crossed, watch.checked, watch.passed, watch.active,
         float(watch.threshold), int(watch.hold)),
    )  # fmt: skip
    _unpack(weights, job.weights)
    _unpack(sums, job.sums)
    return history


def forward(program, weights, cases, slot, body=None):
    """Run a program's case operations without learning; as the reference does."""
    if isinstance(program, Phases):
        if spiking.spikes(program):
            count = partial(spiking.count_spikes, advance=advance)
            return spiking.forward(program, weights, cases, slot, body, count)
        return continuous.forward(program, weights, cases, slot, body, numba_analog.present)
    _refuse_floats(program)
    place = program.layout.slots[slot]
    packed, cases = _packed(weights), np.ascontiguousarray(cases, np.int32)
    codes = np.empty((len(packed), len(cases), place.size), np.int64)
    for chip, answer in enumerate(codes):
        forward_chip(*_tables(program), packed[chip], cases, place.offset, answer)
    return codes


def _refuse_floats(program):
    """Refuse programs on reals."""
    if not isinstance(program, IntegerProgram):
        raise UnsupportedError(
            "the numba backend runs fixed-point and continuous-time designs only; "
            "native and reference run this one, too"
        )


def _packed(matrices):
    """Return the matrices of every chip side by side, shape (chips, cells)."""
    return np.concatenate([matrix.reshape(len(matrix), -1) for matrix in matrices], axis=1)


def _unpack(packed, matrices):
    start = 0
    for matrix in matrices:
        size = matrix[0].size
        matrix[:] = packed[:, start : start + size].reshape(matrix.shape)
        start += size


@lru_cache(maxsize=64)
def _tables(program):
    """Return the program as integer tables: ops, slots, matrices, entries, starts, monitor."""
    ops = [_op_row(op) for op in program.ops]
    slots = [(slot.offset, slot.size) for slot in program.layout.slots]
    tables = [entries(key) for key in program.tables]
    rows, start = [], 0
    for matrix in program.layout.matrices:
        rows.append(
            (start, matrix.rows, matrix.cols, matrix.low, matrix.high,
             ROUNDINGS.index(matrix.rounding), matrix.shift, matrix.bias_shift)
        )  # fmt: skip
        start += matrix.rows * (matrix.cols + 1)
    target, output = program.monitor
    return (
        np.array(ops, np.int64),
        np.array(slots, np.int64),
        np.array(rows, np.int64),
        np.concatenate([*tables, np.zeros(0, np.int32)]),
        np.cumsum([0, *(len(table) for table in tables)]),
        (target, output, program.layout.slots[target].one, program.layout.size),
    )


def _op_row(op):
    """Return an operation as whole numbers, in the order that numba_kernels names."""
    return (
        OPCODES[op.opcode], op.dst, op.first, op.second, op.matrix, op.table,
        FUNCTIONS[op.function], *op.gains, op.shift, op.low, op.high, op.one, op.bias,
        op.bias_align, op.transposed, op.case_offset,
    )  # fmt: skip
