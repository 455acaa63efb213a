# Chips of few bits: their types, programs and calls.

FIXED_OP = agree(np.dtype(
    [(name, "i4") for name in ("opcode", "function", "dst", "first", "second", "matrix")]
    + [(name, "i4") for name in ("table", "bias", "transposed", "shift", "bias_align", "clips")]
    + [(name, "i4") for name in ("wide_sums", "pairs")]
    + [(name, "i8") for name in ("case_offset", "gain_first", "gain_second")]
    + [(name, "i8") for name in ("low", "high", "one", "block")]
), sizeof(rh_fixed_op))
FIXED_MATRIX = agree(np.dtype(
    [(name, "i8") for name in ("offset", "rows", "cols", "stride", "low", "high")]
    + [(name, "i4") for name in ("rounding", "shift", "bias_shift", "short_updates")]
), sizeof(rh_fixed_matrix))


cdef class FixedTable:
    """An integer program as the core reads it; keeps the arrays it borrows."""

    cdef rh_fixed_program c
    cdef object kept
    cdef int weight, wide_word
    cdef readonly object word, weight_type, slots

    def __init__(self, ops, counts, slots, matrices, entries, starts, state_size, monitor, one,
                 weight, wide_word, largest):
        self.kept, self.slots = (ops, slots, matrices, entries, starts), slots
        if weight not in range(3) or wide_word not in range(2):
            raise ValueError(f"want a weight type of 0..2 and a word of 0 or 1, got {weight}, {wide_word}")
        self.weight, self.wide_word = weight, wide_word
        self.weight_type = np.dtype(("int8", "int16", "int32")[weight])
        self.word = np.dtype(("int32", "int64")[wide_word])
        self.c.tallest, self.c.widest = largest
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
