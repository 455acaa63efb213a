# cython: language_level=3, boundscheck=False, wraparound=False
"""The door to the compiled core: check, borrow, call without the GIL, translate."""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from scipy.linalg.cython_blas cimport dgemm, sgemm

from recirc_hw.errors import (
    NativeBoundsError,
    NativeInstructionSetError,
    NativeOpcodeError,
)


def agree(dtype, size_t core):
    """Return a NumPy type, which must be of the size that the core's struct has."""
    if dtype.itemsize != core:
        raise ImportError(f"recirc_hw._native: {dtype} and its C struct differ in size")
    return dtype


OP = agree(np.dtype(
    [(name, "i4") for name in ("opcode", "function", "dst", "first", "second", "matrix")]
    + [("bias", "i4"), ("transposed", "i4"), ("case_offset", "i8")]
    + [("gain_first", "f8"), ("gain_second", "f8")]
), sizeof(rh_op))
SLOT = agree(np.dtype([("offset", "i8"), ("size", "i8"), ("stride", "i8")]), sizeof(rh_slot))
MATRIX = agree(np.dtype(
    [(name, "i8") for name in ("offset", "rows", "cols", "stride")]
    + [(name, "f8") for name in ("rate", "momentum", "decay", "norm_cap")]
    + [("mean", "i8")]
), sizeof(rh_matrix))
LANES, FIXED_ROOM = RH_LANES, RH_FIXED_ROOM
TILE_BYTES = RH_TILE_BYTES
ISAS = ("portable", "avx2", "avx512")[: rh_best_isa() + 1]
DTYPES = {"float32": 0, "float64": 1}
STATUS = {
    RH_ERR_OPCODE: (NativeOpcodeError, "the program holds an unknown operation or function"),
    RH_ERR_BOUNDS: (NativeBoundsError, "the program or the order reaches outside its arrays"),
    RH_ERR_ISA: (NativeInstructionSetError, "this machine lacks the instruction set"),
}

cdef rh_blas BLAS
BLAS.s = <void *>sgemm
BLAS.d = <void *>dgemm

def translate(int status):
    """Raise the exception that stands for a status; do nothing for success."""
    if status != RH_OK:
        kind, message = STATUS[status]
        raise kind(message)


cdef void *address(array, dtype, int64_t least, bint write) except NULL:
    """Borrow an array's memory after checking its type, layout and size."""
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        raise TypeError(f"want an array of {dtype}, got {getattr(array, 'dtype', type(array))}")
    if not array.flags.c_contiguous or not array.flags.aligned:
        raise ValueError("want a contiguous, aligned array")
    if write and not array.flags.writeable:
        raise ValueError("want an array that can be written")
    if array.size < least:
        raise ValueError(f"want at least {least} values, got {array.size}")
    cdef size_t memory = array.ctypes.data
    return <void *>memory


def real_type(array):
    """Return a NumPy array's type, which must be one that the core computes in."""
    if not isinstance(array, np.ndarray) or array.dtype.name not in DTYPES:
        raise TypeError(f"want weights of {' or '.join(DTYPES)}, got {array!r:.80}")
    return array.dtype


cdef class Table:
    """A program as the core reads it; keeps the arrays it borrows."""

    cdef rh_program c
    cdef object kept

    def __init__(self, ops, counts, slots, matrices, rows, state_size, monitor):
        self.kept = (ops, slots, matrices)
        self.c.ops = <const rh_op *>address(ops, OP, sum(max(count, 0) for count in counts), False)
        self.c.slots = <const rh_slot *>address(slots, SLOT, 1, False)
        self.c.matrices = <const rh_matrix *>address(matrices, MATRIX, 1, False)
        self.c.n_compute, self.c.n_correlate, self.c.n_write = counts
        self.c.n_slots, self.c.n_matrices = len(slots), len(matrices)
        self.c.rows, self.c.state_size = rows, state_size
        self.c.target, self.c.output = monitor


cdef void borrow(rh_job *c, cases, order, batch_ends, error, unit_error, watch, chips) except *:
    """Borrow what every kind of job has beside its weights, sums and state."""
    first, count = chips
    rows, least = slice(first, first + count), count * len(batch_ends)
    orders, length = order.shape
    c.n_cases, c.case_size = cases.shape
    c.order_stride, c.order_length = 0 if orders == 1 else length, length
    c.order = <const int64_t *>address(
        order if orders == 1 else order[rows], np.int64,
        length * (1 if orders == 1 else count), False
    )
    c.batch_ends = <const int64_t *>address(batch_ends, np.int64, 1, False)
    c.n_batches = c.history_stride = len(batch_ends)
    c.error = <double *>address(error[rows], np.float64, least, True)
    c.unit_error = <double *>address(unit_error[rows], np.float64, least, True)
    c.updates = <int64_t *>address(watch.updates[rows], np.int64, count, True)
    c.crossed = <int64_t *>address(watch.crossed[rows], np.int64, count, True)
    c.checked = <int64_t *>address(watch.checked[rows], np.int64, count, True)
    c.passed = <int64_t *>address(watch.passed[rows], np.int64, count, True)
    c.active = <uint8_t *>address(watch.active[rows], np.uint8, count, True)
    c.n_chips, c.hold, c.threshold = count, watch.hold, watch.threshold


cdef class Call:
    """A job as the core reads it; keeps the arrays it borrows."""

    cdef rh_job c
    cdef object kept
    cdef Table table
    cdef int dtype

    def __init__(self, Table table, weights, sums, state, cases, order, batch_ends,
                 error, unit_error, watch, chips, lanes):
        real = real_type(weights)
        self.table, self.dtype = table, DTYPES[real.name]
        self.kept = (weights, sums, state, cases, order, batch_ends, error, unit_error, watch)
        self.c.weights = address(weights, real, 1, True)
        self.c.sums = address(sums, real, weights.size, True)
        self.c.state = address(state, real, table.c.state_size, True)
        self.c.n_weights, self.c.n_state = weights.size, state.size
        self.c.cases = address(cases, real, 1, False)
        borrow(&self.c, cases, order, batch_ends, error, unit_error, watch, chips)
        self.c.lanes = lanes
        translate(rh_check(&table.c, &self.c))

    def train_lanes(self, int isa):
        """Train this call's chips, one a lane, or one chip alone."""
        cdef int status
        with nogil:
            status = rh_train_lanes(isa, self.dtype, &self.table.c, &self.c)
        translate(status)

    def train_batch(self, int isa):
        """Train this call's one chip, each batch as matrix products."""
        cdef int status
        with nogil:
            status = rh_train_batch(isa, self.dtype, &self.table.c, &self.c, &BLAS)
        translate(status)


def forward(int isa, Table table, weights, cases, state):
    """Run the compute operations for every case, a row of `state` each."""
    cdef int dtype = DTYPES[real_type(weights).name]
    cdef int status
    cdef int64_t count, case_size
    count, case_size = cases.shape
    cdef void *w = address(weights, weights.dtype, 1, False)
    cdef void *x = address(cases, weights.dtype, count * case_size, False)
    cdef void *s = address(state, weights.dtype, table.c.state_size, True)
    translate(rh_check_program(&table.c, 1, case_size, weights.size, state.size))
    with nogil:
        status = rh_forward(isa, dtype, &table.c, w, x, case_size, count, s, &BLAS)
    translate(status)


include "_native_fixed.pxi"
include "_native_analog.pxi"
include "_native_spiking.pxi"
