"""The native backend's integer side: packs codes for the compiled core.

Small networks run one chip a lane, larger ones one chip at a time; the integers
are the same either way.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from recirc_hw.backends import _native
from recirc_hw.backends.job import Watch
from recirc_hw.backends.packing import LANE_BYTES
from recirc_hw.programs import FUNCTIONS, OPCODES, FixedState
from recirc_hw.programs.integer import ROUNDINGS
from recirc_hw.programs.tables import entries

ISAS = _native.ISAS
WEIGHTS = {"int8": 0, "int16": 1, "int32": 2}
LARGEST_WORD, LARGEST_SHORT = 2**31 - 1, 2**15 - 1


def train(job, isa=ISAS[-1]):
    """Train the chips of a job; returns and changes what the reference does."""
    history = job.history()
    walk = _Walk(job)

    def call(first):
        chips = slice(first, min(first + walk.lanes, job.n_chips))
        if job.watch.active[chips].any():
            walk.train(job, chips, history, ISAS.index(isa))

    with ThreadPoolExecutor(job.threads) as pool:
        for _ in pool.map(call, range(0, job.n_chips, walk.lanes)):
            pass
    return history


def forward(program, weights, cases, slot, isa=ISAS[-1]):
    """Run a program's case operations without learning; as the reference does."""
    dtype = weights[0].dtype
    table, count = _table(program, 1, dtype.name), len(cases)
    codes = np.empty((len(weights[0]), count, program.layout.slots[slot].size), table.word)
    for chip in range(len(weights[0])):
        packed = _packed(weights, slice(chip, chip + 1), 1, dtype)
        call = _native.FixedCall(
            table, packed, np.zeros(packed.size, table.word), _state(program, 1, table.word),
            np.ascontiguousarray(cases, np.int32), np.arange(count)[None], np.array([count]),
            *np.zeros((2, 1, 1)), Watch.start(1), FixedState.start([0], len(weights)),
            False, (0, 1), 1,
        )  # fmt: skip
        call.forward(ISAS.index(isa), slot, codes[chip])
    return codes


class _Walk:
    """How one job is laid out for the core."""

    def __init__(self, job):
        self.dtype = job.weights[0].dtype
        word = job.program.word // 8
        cells = sum(matrix[0].size for matrix in job.weights)
        total = _native.LANES * cells * (self.dtype.itemsize + word)
        self.lanes = _native.LANES if total <= LANE_BYTES and job.n_chips > 1 else 1
        self.table = _table(job.program, self.lanes, self.dtype.name)
        self.at_once = self.lanes == 1 and _writes_at_once(job)

    def train(self, job, chips, history, isa):
        """Pack the chips of a slice, train them in one call, and unpack them."""
        weights = _packed(job.weights, chips, self.lanes, self.dtype)
        sums = _packed(job.sums, chips, self.lanes, self.table.word)
        state = _state(job.program, self.lanes, self.table.word)
        call = _native.FixedCall(
            self.table, weights, sums, state, np.ascontiguousarray(job.cases, np.int32),
            job.order, job.batch_ends, *history, job.watch, job.body, self.at_once,
            (chips.start, chips.stop - chips.start), self.lanes,
        )  # fmt: skip
        call.train(isa)
        _unpack(weights, job.weights, chips, self.lanes)
        _unpack(sums, job.sums, chips, self.lanes)


def _writes_at_once(job):
    """Return whether each case can go into the weights at once, through no sums."""
    program = job.program
    learned = [op.matrix for op in program.case_ops if op.opcode == "correlate"]
    written = [op.matrix for op in program.batch_ops]
    if sorted(learned) != sorted(set(written)) or job.batch_ends[-1] != len(job.batch_ends):
        return False
    carries = all(program.layout.matrices[k].rounding == "carry" for k in written)
    return carries or not any(matrix.any() for matrix in job.sums)


def _stride(rows, lanes):
    """Return how many cells a column of weights takes: a lone chip's, whole groups of rows."""
    group = 2 * _native.LANES
    return rows if lanes > 1 else -(-rows // group) * group


def _parts(packed, matrices, lanes):
    """Yield (part of the packed array, matrix) for each matrix, shape (col, row, lane)."""
    start = 0
    for matrix in matrices:
        rows, width = matrix.shape[1:]
        stride = _stride(rows, lanes)
        size = width * stride * lanes
        yield packed[start : start + size].reshape(width, stride, lanes)[:, :rows], matrix
        start += size


def _packed(matrices, chips, lanes, dtype):
    """Return the matrices of some chips as the core reads them, padded with zeros."""
    size = sum(m.shape[2] * _stride(m.shape[1], lanes) * lanes for m in matrices)
    packed = _zeros(size, dtype)
    for part, matrix in _parts(packed, matrices, lanes):
        part[:, :, : chips.stop - chips.start] = matrix[chips].T
    return packed


def _unpack(packed, matrices, chips, lanes):
    for part, matrix in _parts(packed, matrices, lanes):
        matrix[chips] = part[:, :, : chips.stop - chips.start].T


def _state(program, lanes, word):
    """Return what the core wants: the slots, and room beside them, of each lane."""
    room = _native.FIXED_ROOM + 2 * sum(_largest(program))
    return _zeros((program.layout.size + room) * lanes, word)


def _zeros(size, dtype):
    """Return zeros that begin where a cache line does."""
    line = 64
    room = np.zeros(size + line // np.dtype(dtype).itemsize, dtype)
    return room[-room.ctypes.data % line // room.itemsize :][:size]


def _largest(program):
    """Return the most rows, and the most columns, that a matrix has."""
    matrices = program.layout.matrices
    return max(m.rows for m in matrices), max(m.cols for m in matrices)


@lru_cache(maxsize=64)
def _table(program, lanes, weight):
    """Return the program as records of the core."""
    compute = [op for op in program.case_ops if op.opcode != "correlate"]
    correlate = [op for op in program.case_ops if op.opcode == "correlate"]
    ordered = [*compute, *correlate, *program.batch_ops]
    tables = [entries(key) for key in program.tables]
    starts = np.cumsum([0, *(len(table) for table in tables)])
    slots = program.layout.slots
    return _native.FixedTable(
        np.array([_op_row(program, op) for op in ordered], _native.FIXED_OP),
        (len(compute), len(correlate), len(program.batch_ops)),
        np.array([(slot.offset, slot.size, 0) for slot in slots], _native.SLOT),
        _matrix_rows(program, lanes),
        np.concatenate([*tables, np.zeros(0, np.int32)]),
        starts,
        program.layout.size,
        program.monitor,
        float(slots[program.monitor[0]].one),
        WEIGHTS[weight],
        program.word == 64,
        _largest(program),
    )


def _op_row(program, op):
    """Return one operation as a record of the core."""
    wide, pairs, block = _products(program, op)
    return (
        OPCODES[op.opcode], FUNCTIONS[op.function], op.dst, op.first, op.second, op.matrix,
        op.table, op.bias, op.transposed, op.shift, op.bias_align, op.clips, wide, pairs,
        op.case_offset, *op.gains, op.low, op.high, op.one, block,
    )  # fmt: skip


def _products(program, op):
    """Return (whether a projection's sum is wide, whether pairs will do, its block)."""
    if op.opcode != "project" or program.word == 64:
        return True, False, 2**31
    matrix, source = program.layout.matrices[op.matrix], program.layout.slots[op.first]
    widest = max(-source.low, source.high, 1)
    count = matrix.rows if op.transposed else matrix.cols
    reach = -matrix.low * (count * widest + (op.bias << op.bias_align))
    reach = reach + (1 << op.shift >> 1) if op.shift > 0 else reach << -op.shift
    block = max(1, LARGEST_WORD // (-matrix.low * widest))
    return reach > LARGEST_WORD, block > 1 and widest <= LARGEST_SHORT, block


def _short_updates(program, k):
    """Return whether one case's rounded change of matrix k surely fits 16 bits."""
    matrix, slots, reach = program.layout.matrices[k], program.layout.slots, 0
    for op in program.case_ops:
        if op.opcode == "correlate" and op.matrix == k:
            post, pre = slots[op.first], slots[op.second]
            widest = max(-pre.low, pre.high, 1 << op.bias_align)
            reach += abs(op.gains[0]) * max(-post.low, post.high) * widest
    return (reach >> min(matrix.shift, matrix.bias_shift)) < LARGEST_SHORT


def _matrix_rows(program, lanes):
    """Return the matrices as records of the core, laid out one after another."""
    rows, offset = [], 0
    for k, matrix in enumerate(program.layout.matrices):
        stride = _stride(matrix.rows, lanes)
        rows.append(
            (offset, matrix.rows, matrix.cols, stride, matrix.low, matrix.high,
             ROUNDINGS.index(matrix.rounding), matrix.shift, matrix.bias_shift,
             _short_updates(program, k))
        )  # fmt: skip
        offset += (matrix.cols + 1) * stride * lanes
    return np.array(rows, _native.FIXED_MATRIX)
