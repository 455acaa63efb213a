# Analog chips: their types, phases and calls, and the noise alone.

GROUP = agree(np.dtype(
    [(name, "i8") for name in ("offset", "size", "first")]
    + [("function", "i4"), ("spare", "i4")]
), sizeof(rh_group))
ANALOG_CONSTANTS, ANALOG_SEGMENTS = RH_ANALOG_CONSTANTS, RH_ANALOG_SEGMENTS
CASES = RH_CASES


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
                 cases, order, keys, first, learning, purpose, lanes, side_by_side):
        real = real_type(weights)
        seeds, write = keys
        gain, offset, stuck = units
        count, n_chips = order.shape[1], len(seeds)
        ends = np.array([count])
        self.table, self.dtype, self.c = table, DTYPES[real.name], table.c
        finer = learning and table.c.integrator == RH_RUNGE_KUTTA
        base = weights.copy() if shares is not None else None
        before = np.empty_like(weights) if finer or shares is not None else None
        rates = np.empty_like(weights) if finer else None
        self.kept = (weights, sums, shares, base, before, rates, state, units, constants, past,
                     values, cases, order, keys, ends)
        self.j.shares = NULL if shares is None else address(shares, real, weights.size, False)
        self.j.base = NULL if base is None else address(base, real, weights.size, True)
        self.j.before = NULL if before is None else address(before, real, weights.size, True)
        self.j.rates = NULL if rates is None else address(rates, real, weights.size, True)
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
        self.j.purpose, self.j.cases = purpose, side_by_side
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
