/* The whole contract of the compiled core.
 *
 * The caller owns all memory; a call borrows it. Every function returns RH_OK
 * or a negative status. No allocation, no global, no random numbers, no I/O.
 * Real arrays are float or double, as the function's dtype says.
 */
#ifndef RECIRC_HW_H
#define RECIRC_HW_H

#include <stdint.h>

enum { RH_OK = 0, RH_ERR_OPCODE = -1, RH_ERR_BOUNDS = -2, RH_ERR_ISA = -3 };
enum { RH_CLAMP, RH_PROJECT, RH_COMBINE, RH_GATE, RH_CORRELATE, RH_WRITE };
enum { RH_IDENTITY, RH_LOGISTIC, RH_TANH, RH_DEADZONE };
enum { RH_PORTABLE, RH_AVX2, RH_AVX512 };
enum { RH_FLOAT32, RH_FLOAT64 };
enum { RH_TILE_BYTES = 128 }; /* the unit of vector work, and of lanes */

enum { RH_FLOOR, RH_HALF_UP, RH_HALF_EVEN, RH_STOCHASTIC, RH_CARRY };
enum { RH_SATURATED, RH_CLIPPED, RH_ASKED, RH_DEAD, RH_COUNTERS };
enum { RH_LANES = 16, RH_FIXED_ROOM = 8 * RH_LANES, RH_PURPOSE_ROUNDING = 20 };

/* One operation; slots and matrices by position, -1 where unused. */
typedef struct {
    int32_t opcode, function;
    int32_t dst, first, second, matrix;
    int32_t bias, transposed;
    int64_t case_offset;
    double gain_first, gain_second;
} rh_op;

/* A slot's first value, how many there are, and how far it is to the next case's
 * (batch walk; a lane walk holds one case at a time). */
typedef struct {
    int64_t offset, size, stride;
} rh_slot;

/* A matrix at `offset` values from the start of the weights (and of the sums).
 * Batch walk:  w[i * cols + j], then the biases.
 * Lane walk:   w[(j * stride + i) * lanes + lane], stride >= rows, biases at j = cols. */
typedef struct {
    int64_t offset, rows, cols, stride;
    double rate, momentum, decay, norm_cap;
    int64_t mean;
} rh_matrix;

/* `ops` holds n_compute operations, then n_correlate, then n_write. */
typedef struct {
    const rh_op *ops;
    const rh_slot *slots;
    const rh_matrix *matrices;
    int64_t n_compute, n_correlate, n_write, n_slots, n_matrices;
    int64_t rows, state_size; /* cases the state has room for, and all its values */
    int64_t target, output;
} rh_program;

/* Many batches for one group of chips. */
typedef struct {
    void *weights, *sums;      /* as rh_matrix says */
    void *state;               /* lanes * state_size, or state_size for the batch walk */
    const void *cases;         /* n_cases x case_size */
    const int64_t *order;      /* case of each presentation; order_stride a chip */
    const int64_t *batch_ends; /* n_batches, into a chip's order */
    double *error, *unit_error; /* history_stride a chip; n_batches are written */
    int64_t *updates, *crossed, *checked, *passed; /* one a chip */
    uint8_t *active;           /* one a chip; 0: its weights are left alone */
    int64_t n_weights, n_state; /* values in weights (and in sums), and in state */
    int64_t n_cases, case_size, order_stride, n_batches, history_stride;
    int64_t order_length;      /* presentations that a chip's order holds */
    int64_t lanes;             /* chips side by side: the tile, or 1 */
    int64_t n_chips;           /* in this group; at most `lanes` */
    int64_t hold;              /* checks after the first pass of the criterion */
    double threshold;          /* on the unit error; negative: never passed */
} rh_job;

/* BLAS's ?gemm, handed over by the caller; the one callback there is. */
typedef void (*rh_sgemm)(char *, char *, int *, int *, int *, float *, float *, int *,
                         float *, int *, float *, float *, int *);
typedef void (*rh_dgemm)(char *, char *, int *, int *, int *, double *, double *, int *,
                         double *, int *, double *, double *, int *);
typedef struct {
    rh_sgemm s;
    rh_dgemm d;
} rh_blas;

/* Fixed point: one operation on codes, as programs/integer.py says, field by field.
 * `block` products of a projection fit a word; wide_sums: its sum may pass 32 bits;
 * pairs: its source fits 16 bits with its sign, its weights too, and `block` is 2 at least. */
typedef struct {
    int32_t opcode, function, dst, first, second, matrix;
    int32_t table, bias, transposed, shift, bias_align, clips;
    int32_t wide_sums, pairs;
    int64_t case_offset, gain_first, gain_second, low, high, one, block;
} rh_fixed_op;

/* Laid out as for the lane walk; a lone chip's stride is a multiple of 2 RH_LANES, and
 * its padding 0. short_updates: a case's rounded change fits 16 bits with its sign. */
typedef struct {
    int64_t offset, rows, cols, stride, low, high;
    int32_t rounding, shift, bias_shift, short_updates;
} rh_fixed_matrix;

typedef struct {
    const rh_fixed_op *ops;
    const rh_slot *slots;
    const rh_fixed_matrix *matrices;
    const int32_t *entries;      /* of all tables, one after another */
    const int64_t *table_starts; /* n_tables + 1 */
    int64_t n_compute, n_correlate, n_write, n_slots, n_matrices, n_tables;
    int64_t state_size, target, output;
    int64_t tallest, widest; /* the most rows, and columns, that a matrix has */
    double one; /* the code that stands for 1 in target and output */
} rh_fixed_program;

/* In `job`, weights are of the kind's weight type, sums and state of its word, cases
 * int32; the state has room for `state_size` + RH_FIXED_ROOM + 2 `tallest` +
 * 2 `widest` values of each lane. */
typedef struct {
    rh_job job;
    const uint64_t *seeds; /* one a chip */
    int64_t *steps;        /* one a chip: writes done */
    int64_t *counters;     /* RH_COUNTERS for each matrix of each chip; 0: not counted */
    int64_t n_matrices;
    int64_t at_once; /* batches of one, one correlate a matrix, no sums to begin with */
} rh_fixed_job;

/* Analog chips: what a phase lets happen, and its constants for each unit and lane. */
enum { RH_HEUN, RH_RUNGE_KUTTA };
enum { RH_EXACT, RH_CIRCUIT, RH_TRACE };
enum {
    RH_STAYS, RH_CORRECTS, RH_NOISES, RH_MOVES, RH_RATES, /* of the activity, */
    RH_TRACE_STAYS, RH_TRACE_CORRECTS, RH_TRACED, RH_TRACE_RATES, /* of its trace */
    RH_ANALOG_CONSTANTS
};
enum {
    RH_SENT, RH_TARGET, RH_PRE, RH_POST, /* those that a program's slots lie in */
    RH_ACTIVITY, RH_TRACES, RH_LATER, RH_SPREAD, RH_NORMALS, RH_GUESS, RH_ROOM, RH_BEFORE,
    RH_START, RH_START_TRACE, RH_SLOPE, RH_SLOPE_TRACE, RH_SUM, RH_SUM_TRACE,
    RH_ANALOG_SEGMENTS
};
enum { RH_CASES = 16 }; /* cases of one chip side by side */

typedef struct {
    int64_t offset, size, first; /* among padded units; `first` among all units */
    int32_t function, spare;
} rh_group;

typedef struct {
    const uint8_t *clamped, *moving;          /* one a group */
    const uint8_t *plastic, *steady, *needed; /* one a matrix; steady: its source stands still */
    const void *constants;                    /* RH_ANALOG_CONSTANTS x units x lanes */
    int64_t steps, lag;                       /* of delay, in whole steps */
    double dt_ms;
} rh_phase;

/* `program` has a project, then a correlate, for each matrix: from SENT to TARGET, and of
 * POST and PRE. Matrix k runs from group `source[k]` to `to[k]`; a group has one matrix. */
typedef struct {
    const rh_program *program;
    const rh_group *groups;
    const rh_phase *phases;
    const int32_t *source, *to;
    int64_t n_groups, n_phases, units, n_units; /* padded, and unpadded, units */
    int32_t integrator, learning, dac_bits, adc_bits;
    double unit_noise, read_noise;
} rh_analog;

/* In `job`, `state` holds RH_ANALOG_SEGMENTS x units x lanes (or, side by side, `cases`)
 * values, and one matrix's padding more; `past` likewise; weights are those as read; sums start at 0 and get the changes. */
typedef struct {
    rh_job job;
    const void *gain, *offset, *stuck; /* units x lanes; a stuck value of NaN: works */
    const void *shares;    /* laid out as weights: a weight's change a gathered one; or null */
    void *base, *before, *rates; /* likewise: room, where weights follow their changes */
    void *past;                        /* (moments + 1) x units x lanes, where there is a lag */
    void *values;                      /* n_chips x n_cases x (n_units + n_visible) */
    const uint64_t *seeds;             /* one a chip */
    const int64_t *write;              /* one a chip: the number of its next write */
    int64_t count, first, learning;    /* cases; place of the first; whether weights change */
    int64_t cases; /* side by side on a chip alone: RH_CASES or 1, and 1 with `shares` */
    int64_t n_past, n_values, n_constants;
    uint32_t purpose;
} rh_analog_job;

/* Best instruction set of this machine: RH_PORTABLE, RH_AVX2 or RH_AVX512. */
int rh_best_isa(void);

/* Check that a program stays inside arrays of these sizes. */
int rh_check_program(const rh_program *program, int64_t lanes, int64_t case_size,
                     int64_t n_weights, int64_t n_state);

/* Check that a program and a job stay inside their arrays. */
int rh_check(const rh_program *program, const rh_job *job);

/* Check that a job's batches rise and that its order names cases. */
int rh_check_order(const rh_job *job);

/* Train a group of chips: one chip a lane, or one chip. */
int rh_train_lanes(int isa, int dtype, const rh_program *program, const rh_job *job);

/* Fixed point: check, train, and run forward. `weight` is 0, 1, 2 for 8, 16 and 32
 * bits, `word` 0, 1 for 32 and 64. */
int rh_fixed_check(int word, const rh_fixed_program *program, const rh_fixed_job *job);
int rh_fixed_train(int isa, int weight, int word, const rh_fixed_program *program,
                   const rh_fixed_job *job);
int rh_fixed_forward(int isa, int weight, int word, const rh_fixed_program *program,
                     const rh_fixed_job *job, int64_t slot, int64_t count, void *out);

/* Analog: check, and present one batch to a group of chips. */
int rh_analog_check(const rh_analog *analog, const rh_analog_job *job);
int rh_analog_present(int isa, int dtype, const rh_analog *analog, const rh_analog_job *job);

/* Normals as random_streams.noise draws them for `count` cases of one moment. */
int rh_noise(int isa, int dtype, uint64_t seed, uint32_t purpose, uint32_t step, int64_t moment,
             int64_t first, int64_t count, int64_t n_units, void *out);

/* Train one chip, each batch as matrix products. */
int rh_train_batch(int isa, int dtype, const rh_program *program, const rh_job *job,
                   const rh_blas *blas);

/* Run the compute operations for `count` cases, a row each; `state` keeps every slot. */
int rh_forward(int isa, int dtype, const rh_program *program, const void *weights,
               const void *cases, int64_t case_size, int64_t count, void *state,
               const rh_blas *blas);

/* Spiking chips; see recirc_hw/backends/spiking.py for the order within a step, and
 * programs/spiking.py for what each value is. */
enum { RH_ESCAPE, RH_NOISY_THRESHOLD };
enum { RH_TRACE_DIFFERENCE, RH_RAW_PRESYNAPTIC, RH_PAIR_STDP, RH_TWO_PHASE_HEBB };
enum { RH_HIGHEST = 20, RH_TABLE_STEPS = 16, RH_TABLE = 2 * 20 * 16 + 1 };

typedef struct {
    int64_t first, units;           /* of all units */
    double stay, jump, bias_jump;   /* of its slow traces */
} rh_population;

/* Its weights w[j * units of target + i] lie at `offset`, the biases at j = units of source. */
typedef struct {
    int64_t offset, source, target, rebase; /* rebase: steps after which q is small */
    double current_jump, bias_jump;
} rh_projection;

typedef struct {
    const rh_population *populations;
    const rh_projection *projections;
    const double *chance; /* RH_TABLE of them, of potentials from -RH_HIGHEST on */
    int64_t n_populations, n_projections, n_units, n_neurons, neurons;
    int32_t refractory, neuron, plasticity, shunting;
    double membrane_stay, fast_stay, fast_jump, hazard, threshold, threshold_noise;
} rh_spiking;

/* What a projection gathers between two flushes of its weights: G and S of spiking.inc. */
typedef struct {
    double *post, *pre; /* units of the target; units of the source, and its bias */
    double scale;
    int64_t steps;
} rh_gathered;

/* One chip, and the steps it is to do. */
typedef struct {
    double *weights, *potential, *current, *slow, *fast, *bias_slow;
    int32_t *waiting, *bias_waiting;
    const double *drive;   /* into the units of the first population; 0: not clamped */
    const double *rates;   /* one a projection */
    const uint8_t *forced; /* a row of the first population's units a step, or 0 */
    int64_t *fired, *bias_fired; /* are added to */
    uint8_t *raster;             /* steps x neurons; 0: nothing is recorded */
    double *potentials, *currents, *slows, *fasts; /* a row a step */
    rh_gathered *gathered; /* room, one a projection */
    double *total;         /* room for the units of the largest population */
    int32_t *count;        /* room for all units */
    uint32_t *draws;       /* room for drawn_steps * blocks of 4, in whole 16 blocks */
    int64_t n_weights, steps, moment, drawn_steps;
    uint64_t seed;
    int64_t purpose, step, place;
} rh_stretch;

int rh_spiking_check(const rh_spiking *program, const rh_stretch *stretch);
int rh_spiking_advance(int isa, const rh_spiking *program, const rh_stretch *stretch);

#endif
