"""What the compiled core offers: the structs and functions of recirc_hw.h."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t


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
    enum: RH_LANES, RH_COUNTERS, RH_FIXED_ROOM
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
        int64_t state_size, target, output, tallest, widest
        double one
    ctypedef struct rh_fixed_job:
        rh_job job
        const uint64_t *seeds
        int64_t *steps
        int64_t *counters
        int64_t n_matrices, at_once
    enum: RH_ANALOG_CONSTANTS, RH_ANALOG_SEGMENTS, RH_CASES, RH_RUNGE_KUTTA
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
        int64_t count, first, learning, cases, n_past, n_values, n_constants
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
