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


cdef extern from "recirc_hw.h" nogil:
    enum: RH_OK, RH_ERR_OPCODE, RH_ERR_BOUNDS, RH_ERR_ISA, RH_TILE_BYTES
    ctypedef struct rh_op:
        pass
    ctypedef struct rh_slot:
        pass
    ctypedef struct rh_matrix:
        pass
    ctypedef struct rh_program:
        const rh_op *ops
        const rh_slot *slots
        const rh_matrix *matrices
        int64_t n_compute, n_correlate, n_write, n_slots, n_matrices
        int64_t rows, state_size, target, output
    ctypedef struct rh_job:
        void *weights
        void *sums
        void *state
        const void *cases
        const int64_t *order
        const int64_t *batch_ends
        double *error
        double *unit_error
        int64_t *updates
        int64_t *crossed
        int64_t *checked
        int64_t *passed
        uint8_t *active
        int64_t n_weights, n_state
        int64_t n_cases, case_size, order_stride, n_batches, history_stride
        int64_t order_length, lanes, n_chips, hold
        double threshold
    ctypedef struct rh_blas:
        void *s
        void *d
    enum: RH_LANES, RH_COUNTERS
    ctypedef struct rh_fixed_op:
        pass
    ctypedef struct rh_fixed_matrix:
        pass
    ctypedef struct rh_fixed_program:
        const rh_fixed_op *ops
        const rh_slot *slots
        const rh_fixed_matrix *matrices
        const int32_t *entries
        const int64_t *table_starts
        int64_t n_compute, n_correlate, n_write, n_slots, n_matrices, n_tables
        int64_t state_size, target, output, wide_sums
        double one
    ctypedef struct rh_fixed_job:
        rh_job job
        const uint64_t *seeds
        int64_t *steps
        int64_t *counters
        int64_t n_matrices, at_once
    enum: RH_ANALOG_CONSTANTS, RH_ANALOG_SEGMENTS
    ctypedef struct rh_group:
        pass
    ctypedef struct rh_phase:
        const uint8_t *clamped
        const uint8_t *moving
        const uint8_t *plastic
        const uint8_t *steady
        const uint8_t *needed
        const void *constants
        int64_t steps, lag
        double dt_ms
    ctypedef struct rh_analog:
        const rh_program *program
        const rh_group *groups
        const rh_phase *phases
        const int32_t *source
        const int32_t *to
        int64_t n_groups, n_phases, units, n_units
        int32_t integrator, learning, dac_bits, adc_bits
        double unit_noise, read_noise
    ctypedef struct rh_analog_job:
        rh_job job
        const void *gain
        const void *offset
        const void *stuck
        const void *shares
        void *base
        void *before
        void *rates
        void *past
        void *values
        const uint64_t *seeds
        const int64_t *write
        int64_t count, first, learning, n_past, n_values, n_constants
        uint32_t purpose
    int rh_analog_check(const rh_analog *, const rh_analog_job *)
    int rh_analog_present(int, int, const rh_analog *, const rh_analog_job *)
    int rh_noise(int, int, uint64_t, uint32_t, uint32_t, int64_t, int64_t, int64_t, int64_t, void *)
    int rh_best_isa()
    int rh_fixed_check(int, const rh_fixed_program *, const rh_fixed_job *)
    int rh_fixed_train(int, int, int, const rh_fixed_program *, const rh_fixed_job *)
    int rh_fixed_forward(int, int, int, const rh_fixed_program *, const rh_fixed_job *,
                         int64_t, int64_t, void *)
    int rh_check_program(const rh_program *, int64_t, int64_t, int64_t, int64_t)
    int rh_check(const rh_program *, const rh_job *)
    int rh_train_lanes(int, int, const rh_program *, const rh_job *)
    int rh_train_batch(int, int, const rh_program *, const rh_job *, const rh_blas *)
    int rh_forward(int, int, const rh_program *, const void *, const void *,
                   int64_t, int64_t, void *, const rh_blas *)


OP = np.dtype(
    [(name, "i4") for name in ("opcode", "function", "dst", "first", "second", "matrix")]
    + [("bias", "i4"), ("transposed", "i4"), ("case_offset", "i8")]
    + [("gain_first", "f8"), ("gain_second", "f8")]
)
SLOT = np.dtype([("offset", "i8"), ("size", "i8"), ("stride", "i8")])
MATRIX = np.dtype(
    [(name, "i8") for name in ("offset", "rows", "cols", "stride")]
    + [(name, "f8") for name in ("rate", "momentum", "decay", "norm_cap")]
    + [("mean", "i8")]
)
FIXED_OP = np.dtype(
    [(name, "i4") for name in ("opcode", "function", "dst", "first", "second", "matrix")]
    + [(name, "i4") for name in ("table", "bias", "transposed", "shift", "bias_align", "clips")]
    + [(name, "i8") for name in ("case_offset", "gain_first", "gain_second")]
    + [(name, "i8") for name in ("low", "high", "one", "block")]
)
FIXED_MATRIX = np.dtype(
    [(name, "i8") for name in ("offset", "rows", "cols", "stride", "low", "high")]
    + [(name, "i4") for name in ("rounding", "shift", "bias_shift", "written")]
)
GROUP = np.dtype(
    [(name, "i8") for name in ("offset", "size", "first")]
    + [("function", "i4"), ("spare", "i4")]
)
ANALOG_CONSTANTS, ANALOG_SEGMENTS = RH_ANALOG_CONSTANTS, RH_ANALOG_SEGMENTS
LANES = RH_LANES
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

SIZES = ((OP, sizeof(rh_op)), (SLOT, sizeof(rh_slot)), (MATRIX, sizeof(rh_matrix)),
         (FIXED_OP, sizeof(rh_fixed_op)), (FIXED_MATRIX, sizeof(rh_fixed_matrix)),
         (GROUP, sizeof(rh_group)))
if any(mine.itemsize != core for mine, core in SIZES):
    raise ImportError("recirc_hw._native: the C structs and the NumPy types differ in size")


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


cdef class FixedTable:
    """An integer program as the core reads it; keeps the arrays it borrows."""

    cdef rh_fixed_program c
    cdef object kept
    cdef int weight, wide_word
    cdef readonly object word, weight_type, slots

    def __init__(self, ops, counts, slots, matrices, entries, starts, state_size, monitor, one,
                 weight, wide_word, wide_sums):
        self.kept, self.slots = (ops, slots, matrices, entries, starts), slots
        if weight not in range(3) or wide_word not in range(2):
            raise ValueError(f"want a weight type of 0..2 and a word of 0 or 1, got {weight}, {wide_word}")
        self.weight, self.wide_word = weight, wide_word
        self.weight_type = np.dtype(("int8", "int16", "int32")[weight])
        self.word = np.dtype(("int32", "int64")[wide_word])
        self.c.wide_sums = wide_sums
        self.c.ops = <const rh_fixed_op *>address(ops, FIXED_OP, sum(max(count, 0) for count in counts), False)
        self.c.slots = <const rh_slot *>address(slots, SLOT, 1, False)
        self.c.matrices = <const rh_fixed_matrix *>address(matrices, FIXED_MATRIX, 1, False)
        self.c.table_starts = <const int64_t *>address(starts, np.int64, 1, False)
        self.c.entries = <const int32_t *>address(entries, np.int32, int(starts.max()), False)
        self.c.n_compute, self.c.n_correlate, self.c.n_write = counts
        self.c.n_slots, self.c.n_matrices = len(slots), len(matrices)
        self.c.n_tables, self.c.state_size = len(starts) - 1, state_size
        self.c.target, self.c.output = monitor
        self.c.one = one


cdef class FixedCall:
    """A job on codes as the core reads it; keeps the arrays it borrows."""

    cdef rh_fixed_job c
    cdef object kept
    cdef FixedTable table

    def __init__(self, FixedTable table, weights, sums, state, cases, order, batch_ends,
                 error, unit_error, watch, fixed, at_once, chips, lanes):
        first, count = chips
        rows = slice(first, first + count)
        self.table = table
        self.kept = (weights, sums, state, cases, order, batch_ends, error, unit_error, watch, fixed)
        self.c.job.weights = address(weights, table.weight_type, 1, True)
        self.c.job.sums = address(sums, table.word, weights.size, True)
        self.c.job.state = address(state, table.word, table.c.state_size, True)
        self.c.job.cases = address(cases, np.int32, 1, False)
        borrow(&self.c.job, cases, order, batch_ends, error, unit_error, watch, chips)
        self.c.n_matrices, self.c.at_once = fixed.counters.shape[1], at_once
        cells = count * fixed.counters.shape[1] * RH_COUNTERS
        self.c.job.n_weights, self.c.job.n_state = weights.size, state.size
        self.c.job.lanes = lanes
        self.c.seeds = <const uint64_t *>address(fixed.seeds[rows], np.uint64, count, False)
        self.c.steps = <int64_t *>address(fixed.steps[rows], np.int64, count, True)
        self.c.counters = <int64_t *>address(fixed.counters[rows], np.int64, cells, True)
        translate(rh_fixed_check(table.wide_word, &table.c, &self.c))

    def train(self, int isa):
        """Train this call's chips, one a lane, or one chip alone."""
        cdef int status
        with nogil:
            status = rh_fixed_train(
                isa, self.table.weight, self.table.wide_word, &self.table.c, &self.c
            )
        translate(status)

    def forward(self, int isa, int64_t slot, out):
        """Run every presentation of one chip, and copy a slot of each into `out`."""
        cdef int status
        if not 0 <= slot < self.table.c.n_slots:
            raise ValueError(f"want a slot of 0..{self.table.c.n_slots - 1}, got {slot}")
        cdef int64_t count = self.c.job.batch_ends[self.c.job.n_batches - 1]
        cdef int64_t size = self.table.slots["size"][slot]
        cdef void *to = address(out, self.table.word, count * size, True)
        self.c.counters = NULL
        with nogil:
            status = rh_fixed_forward(
                isa, self.table.weight, self.table.wide_word, &self.table.c, &self.c, slot, count, to
            )
        translate(status)


cdef class AnalogTable:
    """Phases as the core reads them; keeps the arrays it borrows."""

    cdef rh_analog c
    cdef rh_phase phase[64]
    cdef object kept
    cdef Table program
    cdef list constants

    def __init__(self, Table program, groups, wiring, phases, n_units, units, settings):
        if len(phases) > 64:
            raise ValueError(f"want at most 64 phases, got {len(phases)}")
        source, to = (np.ascontiguousarray(ends, np.int32) for ends in zip(*wiring))
        self.program, self.kept = program, (groups, source, to, phases)
        self.c.program, self.c.phases = &program.c, self.phase
        self.c.groups = <const rh_group *>address(groups, GROUP, 1, False)
        self.c.source = <const int32_t *>address(source, np.int32, len(wiring), False)
        self.c.to = <const int32_t *>address(to, np.int32, len(wiring), False)
        self.c.n_groups, self.c.n_phases = len(groups), len(phases)
        self.c.units, self.c.n_units = units, n_units
        self.c.integrator, self.c.learning, self.c.dac_bits, self.c.adc_bits = settings[:4]
        self.c.unit_noise, self.c.read_noise = settings[4:]
        for k, (steps, lag, dt_ms, clamped, moving, plastic, steady, needed) in enumerate(phases):
            self.phase[k].steps, self.phase[k].lag, self.phase[k].dt_ms = steps, lag, dt_ms
            for flags in (clamped, moving):
                address(flags, np.uint8, len(groups), False)
            for flags in (plastic, steady, needed):
                address(flags, np.uint8, len(wiring), False)
            self.phase[k].clamped = <const uint8_t *>address(clamped, np.uint8, 1, False)
            self.phase[k].moving = <const uint8_t *>address(moving, np.uint8, 1, False)
            self.phase[k].plastic = <const uint8_t *>address(plastic, np.uint8, 1, False)
            self.phase[k].steady = <const uint8_t *>address(steady, np.uint8, 1, False)
            self.phase[k].needed = <const uint8_t *>address(needed, np.uint8, 1, False)


cdef class AnalogCall:
    """A batch of cases for a group of analog chips; keeps the arrays it borrows."""

    cdef rh_analog c
    cdef rh_phase phase[64]
    cdef rh_analog_job j
    cdef object kept
    cdef AnalogTable table
    cdef int dtype

    def __init__(self, AnalogTable table, weights, sums, shares, state, units, constants, past, values,
                 cases, order, keys, first, learning, purpose, lanes):
        real = real_type(weights)
        seeds, write = keys
        gain, offset, stuck = units
        count, n_chips = order.shape[1], len(seeds)
        ends = np.array([count])
        self.table, self.dtype, self.c = table, DTYPES[real.name], table.c
        spare = [np.zeros_like(weights) for _ in range(3)] if learning else []
        self.kept = (weights, sums, shares, spare, state, units, constants, past, values, cases,
                     order, keys, ends)
        self.j.shares = NULL if shares is None else address(shares, real, weights.size, False)
        self.j.base = self.j.before = self.j.rates = NULL
        if learning:
            np.copyto(spare[0], weights)
            self.j.base = address(spare[0], real, weights.size, True)
            self.j.before = address(spare[1], real, weights.size, True)
            self.j.rates = address(spare[2], real, weights.size, True)
        self.c.phases = self.phase
        self.j.n_constants = constants[0].size
        for k in range(table.c.n_phases):
            self.phase[k] = table.phase[k]
            self.phase[k].constants = address(constants[k], real, self.j.n_constants, False)
        self.j.job.weights = address(weights, real, 1, True)
        self.j.job.sums = address(sums, real, weights.size, True)
        self.j.job.state = address(state, real, 1, True)
        self.j.job.n_weights, self.j.job.n_state = weights.size, state.size
        self.j.job.cases = address(cases, real, 1, False)
        self.j.job.n_cases, self.j.job.case_size = cases.shape
        self.j.job.order = <const int64_t *>address(order, np.int64, 1, False)
        self.j.job.order_stride = 0 if len(order) == 1 else count
        self.j.job.order_length, self.j.job.n_batches = count, 1
        self.j.job.batch_ends = <const int64_t *>address(ends, np.int64, 1, False)
        self.j.job.lanes, self.j.job.n_chips = lanes, n_chips
        if len(order) not in (1, n_chips):
            raise ValueError(f"want an order for all chips or one each, got {len(order)}")
        least = table.c.units * lanes
        self.j.gain = address(gain, real, least, False)
        self.j.offset = address(offset, real, least, False)
        self.j.stuck = address(stuck, real, least, False)
        self.j.past = NULL if past is None else address(past, real, 1, True)
        self.j.n_past = 0 if past is None else past.size
        self.j.values, self.j.n_values = address(values, real, 1, True), values.size
        self.j.seeds = <const uint64_t *>address(seeds, np.uint64, n_chips, False)
        self.j.write = <const int64_t *>address(write, np.int64, n_chips, False)
        self.j.count, self.j.first, self.j.learning = count, first, learning
        self.j.purpose = purpose
        translate(rh_analog_check(&self.c, &self.j))

    def present(self, int isa):
        """Take the batch through the phases; sums get the changes, values the slots."""
        cdef int status
        with nogil:
            status = rh_analog_present(isa, self.dtype, &self.c, &self.j)
        translate(status)


def noise(int isa, seed, uint32_t purpose, uint32_t step, int64_t moment, int64_t first, out):
    """Fill `out`, shape (cases, units), with the normals that random_streams.noise draws."""
    cdef int dtype = DTYPES[real_type(out).name], status
    cdef int64_t count, n_units
    cdef uint64_t key = seed
    count, n_units = out.shape
    cdef void *to = address(out, out.dtype, 1, True)
    with nogil:
        status = rh_noise(isa, dtype, key, purpose, step, moment, first, count, n_units, to)
    translate(status)


cdef extern from "recirc_hw.h" nogil:
    enum: RH_TABLE, RH_HIGHEST
    ctypedef struct rh_population:
        pass
    ctypedef struct rh_projection:
        pass
    ctypedef struct rh_spiking:
        const rh_population *populations
        const rh_projection *projections
        const double *chance
        int64_t n_populations, n_projections, n_units, n_neurons, neurons
        int32_t refractory, neuron, plasticity, shunting
        double membrane_stay, fast_stay, fast_jump, hazard, threshold, threshold_noise
    ctypedef struct rh_gathered:
        double *post
        double *pre
        double scale
        int64_t steps
    ctypedef struct rh_stretch:
        double *weights
        double *potential
        double *current
        double *slow
        double *fast
        double *bias_slow
        int32_t *waiting
        int32_t *bias_waiting
        const double *drive
        const double *rates
        const uint8_t *forced
        int64_t *fired
        int64_t *bias_fired
        uint8_t *raster
        double *potentials
        double *currents
        double *slows
        double *fasts
        rh_gathered *gathered
        double *total
        int32_t *count
        uint32_t *draws
        int64_t n_weights, steps, moment, drawn_steps
        uint64_t seed
        int64_t purpose, step, place
    int rh_spiking_check(const rh_spiking *, const rh_stretch *)
    int rh_spiking_advance(int, const rh_spiking *, const rh_stretch *)


POPULATION = np.dtype(
    [(name, "i8") for name in ("first", "units")]
    + [(name, "f8") for name in ("stay", "jump", "bias_jump")]
)
PROJECTION = np.dtype(
    [(name, "i8") for name in ("offset", "source", "target", "rebase")]
    + [(name, "f8") for name in ("current_jump", "bias_jump")]
)
GATHERED = np.dtype([("post", "u8"), ("pre", "u8"), ("scale", "f8"), ("steps", "i8")])
CHANCES, HIGHEST = RH_TABLE, RH_HIGHEST

if any(mine.itemsize != core for mine, core in ((POPULATION, sizeof(rh_population)),
                                                (PROJECTION, sizeof(rh_projection)),
                                                (GATHERED, sizeof(rh_gathered)))):
    raise ImportError("recirc_hw._native: the C structs and the NumPy types differ in size")


cdef class SpikingTable:
    """The constants of spiking chips as the core reads them; keeps the arrays it borrows."""

    cdef rh_spiking c
    cdef object kept
    cdef readonly object populations, projections

    def __init__(self, populations, projections, chance, neurons, kinds, constants):
        self.kept = (populations, projections, chance)
        self.populations, self.projections = populations, projections
        self.c.populations = <const rh_population *>address(populations, POPULATION, 1, False)
        self.c.projections = <const rh_projection *>address(projections, PROJECTION, 1, False)
        self.c.chance = <const double *>address(chance, np.float64, CHANCES, False)
        self.c.n_populations, self.c.n_projections = len(populations), len(projections)
        self.c.n_units, self.c.neurons = int(populations["units"].sum()), neurons
        self.c.n_neurons = neurons * self.c.n_units
        self.c.refractory, self.c.neuron, self.c.plasticity, self.c.shunting = kinds
        (self.c.membrane_stay, self.c.fast_stay, self.c.fast_jump, self.c.hazard,
         self.c.threshold, self.c.threshold_noise) = constants

    def _room(self, int64_t drawn_steps):
        """Return the scratch arrays of a stretch: total, count, draws, gathered and its parts."""
        units = self.populations["units"]
        blocks = -(-(drawn_steps * ((self.c.n_neurons + 3) // 4)) // 16) * 16
        sizes = [(units[p["target"]], units[p["source"]] + 1) for p in self.projections]
        parts = [(np.zeros(rows), np.zeros(columns)) for rows, columns in sizes]
        gathered = np.array(
            [(post.ctypes.data, pre.ctypes.data, 1.0, 0) for post, pre in parts], GATHERED
        )
        return (np.zeros(units.max()), np.zeros(self.c.n_units, np.int32),
                np.zeros(4 * blocks, np.uint32), gathered, parts)


def spiking_advance(int isa, SpikingTable table, memory, chip, rates, drive, forced, key,
                    int64_t moment, int64_t steps, int64_t drawn_steps, window):
    """Run a stretch; return the spikes of each unit and of each population's bias."""
    cdef rh_stretch s
    cdef int status
    cdef int64_t units = table.c.n_units, neurons = table.c.n_neurons
    cdef int64_t populations = table.c.n_populations, first = table.populations["units"][0]
    total, count, draws, gathered, parts = table._room(drawn_steps)
    fired, bias_fired = np.zeros(units, np.int64), np.zeros(populations, np.int64)
    s.weights = <double *>address(memory, np.float64, 1, True)
    s.n_weights = memory.size
    s.potential = <double *>address(chip.potential, np.float64, neurons, True)
    s.waiting = <int32_t *>address(chip.waiting, np.int32, neurons, True)
    s.current = <double *>address(chip.current, np.float64, units, True)
    s.slow = <double *>address(chip.slow, np.float64, units, True)
    s.fast = <double *>address(chip.fast, np.float64, units, True)
    s.bias_slow = <double *>address(chip.bias_slow, np.float64, populations, True)
    s.bias_waiting = <int32_t *>address(chip.bias_waiting, np.int32, populations, True)
    s.rates = <const double *>address(rates, np.float64, table.c.n_projections, False)
    s.drive = NULL if drive is None else <const double *>address(drive, np.float64, first, False)
    s.forced = (NULL if forced is None
                else <const uint8_t *>address(forced, np.uint8, steps * first, False))
    s.fired = <int64_t *>address(fired, np.int64, units, True)
    s.bias_fired = <int64_t *>address(bias_fired, np.int64, populations, True)
    s.total = <double *>address(total, np.float64, int(table.populations["units"].max()), True)
    s.count = <int32_t *>address(count, np.int32, units, True)
    s.draws = <uint32_t *>address(
        draws, np.uint32, 64 * ((drawn_steps * ((neurons + 3) // 4) + 15) // 16), True
    )
    s.gathered = <rh_gathered *>address(gathered, GATHERED, table.c.n_projections, True)
    s.raster = NULL
    if window is not None:
        s.raster = <uint8_t *>address(window.raster, np.uint8, steps * neurons, True)
        s.potentials = <double *>address(window.potential, np.float64, steps * neurons, True)
        s.currents = <double *>address(window.current, np.float64, steps * units, True)
        s.slows = <double *>address(window.slow, np.float64, steps * units, True)
        s.fasts = <double *>address(window.fast, np.float64, steps * units, True)
    s.seed, s.purpose, s.step, s.place = key
    s.moment, s.steps, s.drawn_steps = moment, steps, drawn_steps
    translate(rh_spiking_check(&table.c, &s))
    with nogil:
        status = rh_spiking_advance(isa, &table.c, &s)
    translate(status)
    return fired, bias_fired
