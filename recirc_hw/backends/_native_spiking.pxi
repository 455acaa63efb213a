# Spiking chips: their types, constants and stretches of time.

POPULATION = agree(np.dtype(
    [(name, "i8") for name in ("first", "units")]
    + [(name, "f8") for name in ("stay", "jump", "bias_jump")]
), sizeof(rh_population))
PROJECTION = agree(np.dtype(
    [(name, "i8") for name in ("offset", "source", "target", "rebase")]
    + [(name, "f8") for name in ("current_jump", "bias_jump")]
), sizeof(rh_projection))
GATHERED = agree(np.dtype([("post", "u8"), ("pre", "u8"), ("scale", "f8"), ("steps", "i8")]), sizeof(rh_gathered))
CHANCES, HIGHEST = RH_TABLE, RH_HIGHEST


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
