"""The native backend: packs arrays for the compiled core and shares chips out to threads.

Small networks run one chip a lane, many side by side; larger ones one chip at a
time, online in fused loops or a batch at a time through BLAS. Which walk serves
is decided by the network and the batch size alone, never by how many chips or
threads there are, so results do not depend on those.
"""

from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache, partial

import numpy as np
from numpy.lib.stride_tricks import as_strided
from threadpoolctl import ThreadpoolController

from recirc_hw.backends import (
    _native,
    continuous,
    native_analog,
    native_fixed,
    native_spiking,
    spiking,
)
from recirc_hw.backends.packing import LANE_BYTES, TILE_BYTES, aligned, padded
from recirc_hw.programs import FUNCTIONS, OPCODES, IntegerProgram, Phases

ISAS = _native.ISAS
"""Instruction sets of this machine, from the plainest to the best."""

VECTOR_BYTES = {"portable": 16, "avx2": 32, "avx512": 64}  # as csrc/kernels_*.c say
BLOCK = 500  # cases that `forward` takes through the network at once
BATCH_LEAST = 8  # cases a batch from which matrix products pay,
BATCH_CONNECTIONS = 2000  # with at least this many weights


def train(job, isa=ISAS[-1]):
    """Train the chips of a job; returns and changes what the reference does."""
    if isinstance(job.program, IntegerProgram):
        return native_fixed.train(job, isa)
    if isinstance(job.program, Phases):
        if spiking.spikes(job.program):
            return spiking.train(job, spiking_advance(isa))
        present = partial(native_analog.present, isa=isa)
        return continuous.train(job, present, continuous.write)
    error, unit_error = job.history()
    walk = _BatchWalk(job) if _batched(job) else _LaneWalk(job, VECTOR_BYTES[isa])
    call = _Calls(job, walk, error, unit_error, ISAS.index(isa))
    with _blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(job.threads) as pool:
        for _ in pool.map(call, range(0, job.n_chips, walk.lanes)):
            pass
    return error, unit_error


def forward(program, weights, cases, slot, isa=ISAS[-1], body=None):
    """Run a program's case operations without learning; as the reference does."""
    if isinstance(program, IntegerProgram):
        return native_fixed.forward(program, weights, cases, slot, isa)
    if isinstance(program, Phases):
        if spiking.spikes(program):
            count = partial(spiking.count_spikes, advance=spiking_advance(isa))
            return spiking.forward(program, weights, cases, slot, body, count)
        present = partial(native_analog.present, isa=isa)
        return continuous.forward(program, weights, cases, slot, body, present)
    table, cases = _batch_table(program, BLOCK), np.ascontiguousarray(cases)
    size = program.layout.slots[slot].size
    values = np.empty((len(weights[0]), len(cases), size), weights[0].dtype)
    state = aligned(BLOCK * program.layout.size, values.dtype)
    first, _, stride = _batch_slots(program, BLOCK)[slot]
    rows = as_strided(state[first:], (BLOCK, size), (stride * state.itemsize, state.itemsize))
    with _blas().limit(limits=1, user_api="blas"):
        for chip, answer in enumerate(values):
            packed = _pack_chip(weights, chip)
            for start in range(0, len(cases), BLOCK):
                block = cases[start : start + BLOCK]
                _native.forward(ISAS.index(isa), table, packed, block, state)
                answer[start : start + BLOCK] = rows[: len(block)]
    return values


def spiking_advance(isa):
    """Return what runs the steps of a spiking chip."""
    return partial(native_spiking.advance, isa=ISAS.index(isa))


@cache
def _blas():
    """Return the handle that keeps BLAS to one thread, so that its sums do not vary."""
    return ThreadpoolController()


def _batched(job):
    """Return whether matrix products serve this network and batch size best."""
    connections = sum(matrix[0].size for matrix in job.weights)
    largest = max(job.batch_size, np.diff(job.batch_ends, prepend=0).max())
    return largest >= BATCH_LEAST and connections >= BATCH_CONNECTIONS


class _Calls:
    """Train the group of chips that starts at a given one, in one call of the core."""

    def __init__(self, job, walk, error, unit_error, isa):
        self.job, self.walk, self.isa = job, walk, isa
        self.history = (error, unit_error)

    def __call__(self, first):
        job, walk = self.job, self.walk
        chips = slice(first, min(first + walk.lanes, job.n_chips))
        if not job.watch.active[chips].any():
            return
        weights, sums = walk.pack(job.weights, chips), walk.pack(job.sums, chips)
        call = _native.Call(
            walk.table,
            weights,
            sums,
            aligned(walk.state_size, weights.dtype),
            job.cases,
            job.order,
            job.batch_ends,
            *self.history,
            job.watch,
            (first, chips.stop - first),
            walk.lanes,
        )
        walk.run(call, self.isa)
        walk.unpack(weights, job.weights, chips)
        walk.unpack(sums, job.sums, chips)


class _LaneWalk:
    """Weights as (column, row, chip), rows padded to whole vectors where one chip is alone."""

    def __init__(self, job, vector_bytes):
        item = job.weights[0].itemsize
        tile = TILE_BYTES // item
        total = 2 * item * tile * sum(matrix[0].size for matrix in job.weights)
        self.lanes = tile if total <= LANE_BYTES else 1
        self.unit = 1 if self.lanes > 1 else vector_bytes // item
        self.table = _lane_table(job.program, self.lanes, self.unit)
        self.state_size = (job.program.layout.size + tile) * self.lanes

    def run(self, call, isa):
        call.train_lanes(isa)

    def _shape(self, matrix):
        return matrix.shape[2], padded(matrix.shape[1], self.unit), self.lanes

    def pack(self, matrices, chips):
        sizes = [int(np.prod(self._shape(matrix))) for matrix in matrices]
        packed, start = aligned(sum(sizes), matrices[0].dtype), 0
        for matrix, size in zip(matrices, sizes, strict=True):
            part = packed[start : start + size].reshape(self._shape(matrix))
            part[:, : matrix.shape[1], : chips.stop - chips.start] = matrix[chips].T
            start += size
        return packed

    def unpack(self, packed, matrices, chips):
        start = 0
        for matrix in matrices:
            shape = self._shape(matrix)
            part = packed[start : start + np.prod(shape)].reshape(shape)
            matrix[chips] = part[:, : matrix.shape[1], : chips.stop - chips.start].T
            start += part.size


class _BatchWalk:
    """Weights as (row, column), then the biases; one chip a call."""

    lanes = 1

    def __init__(self, job):
        largest = int(np.diff(job.batch_ends, prepend=0).max())
        self.table = _batch_table(job.program, largest)
        self.state_size = job.program.layout.size * largest

    def run(self, call, isa):
        call.train_batch(isa)

    def pack(self, matrices, chips):
        return _pack_chip(matrices, chips.start)

    def unpack(self, packed, matrices, chips):
        start = 0
        for matrix in matrices:
            rows, width = matrix.shape[1:]
            biases = start + rows * (width - 1)
            matrix[chips.start, :, :-1] = packed[start:biases].reshape(rows, width - 1)
            matrix[chips.start, :, -1] = packed[biases : biases + rows]
            start = biases + rows


def _pack_chip(matrices, chip):
    """Return one chip's weights as the batch walk reads them."""
    parts = [part for m in matrices for part in (m[chip, :, :-1].ravel(), m[chip, :, -1])]
    return np.concatenate(parts)


@lru_cache(maxsize=64)
def _lane_table(program, lanes, unit):
    """Return the program as the lane walk reads it: one case, each slot where it is."""
    slots = [(slot.offset, slot.size, 0) for slot in program.layout.slots]
    return _table(program, slots, 1, lanes, unit)


@lru_cache(maxsize=64)
def _batch_table(program, rows):
    """Return the program as the batch walk reads it: each slot in a block of `rows` cases."""
    return _table(program, _batch_slots(program, rows), rows, 1, 1)


def _batch_slots(program, rows):
    """Return (offset, size, stride) of every slot: those that overlap share a block.

    A block is as wide as all the slots in it; a slot is some of its columns.
    """
    blocks = []  # [start, end), of slots that overlap one another, rising
    for start, end in sorted((s.offset, s.offset + s.size) for s in program.layout.slots):
        if blocks and start < blocks[-1][1]:
            blocks[-1][1] = max(blocks[-1][1], end)
        else:
            blocks.append([start, end])
    starts = [start for start, _ in blocks]
    found = []
    for slot in program.layout.slots:
        start, end = blocks[bisect_right(starts, slot.offset) - 1]
        found.append((start * rows + slot.offset - start, slot.size, end - start))
    return found


def _table(program, slots, rows, lanes, unit):
    """Return the program as records of the core.

    Every slot is written once, so correlates can wait until a case is computed.
    """
    compute = [op for op in program.case_ops if op.opcode != "correlate"]
    correlate = [op for op in program.case_ops if op.opcode == "correlate"]
    ordered = [*compute, *correlate, *program.batch_ops]
    return _native.Table(
        np.array([_op_row(op) for op in ordered], _native.OP),
        (len(compute), len(correlate), len(program.batch_ops)),
        np.array(slots, _native.SLOT),
        _matrix_rows(program.layout.matrices, lanes, unit),
        rows,
        program.layout.size * rows,
        program.monitor,
    )


def _op_row(op):
    """Return one operation as a record of the core."""
    return (
        OPCODES[op.opcode], FUNCTIONS[op.function], op.dst, op.first, op.second, op.matrix,
        op.bias, op.transposed, op.case_offset, *op.gains,
    )  # fmt: skip


def _matrix_rows(matrices, lanes, unit):
    """Return the matrices as records of the core, laid out one after another."""
    rows, offset = [], 0
    for matrix in matrices:
        stride, policy = padded(matrix.rows, unit), matrix.policy
        written = (
            (policy.rate, policy.momentum, policy.decay, policy.norm_cap, policy.mean)
            if policy
            else (0.0, 0.0, 0.0, 0.0, False)
        )
        rows.append((offset, matrix.rows, matrix.cols, stride, *written))
        offset += (matrix.cols + 1) * stride * lanes
    return np.array(rows, _native.MATRIX)
