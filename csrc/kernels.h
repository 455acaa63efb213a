/* The kernels of one instruction set; private to csrc/. */
#ifndef RECIRC_HW_KERNELS_H
#define RECIRC_HW_KERNELS_H

#include "recirc_hw.h"

typedef struct {
    int (*train_lanes[2])(const rh_program *, const rh_job *); /* by dtype */
    int (*train_batch[2])(const rh_program *, const rh_job *, const rh_blas *);
    int (*forward[2])(const rh_program *, const void *weights, const void *cases,
                      int64_t case_size, int64_t count, void *state, const rh_blas *);
} rh_ideal_kernels;

typedef struct {
    int (*train[3][2])(const rh_fixed_program *, const rh_fixed_job *); /* by weight and word */
    int (*forward[3][2])(const rh_fixed_program *, const rh_fixed_job *, int64_t slot,
                         int64_t count, void *out);
} rh_fixed_kernels;

typedef struct {
    int (*present[2])(const rh_analog *, const rh_analog_job *); /* by dtype */
    int (*noise[2])(uint64_t seed, uint32_t purpose, uint32_t step, int64_t moment, int64_t first,
                    int64_t count, int64_t n_units, void *out);
} rh_analog_kernels;

typedef struct {
    int (*advance)(const rh_spiking *, const rh_stretch *);
} rh_spiking_kernels;

extern const rh_ideal_kernels rh_ideal_portable, rh_ideal_avx2, rh_ideal_avx512;
extern const rh_fixed_kernels rh_fixed_portable, rh_fixed_avx2, rh_fixed_avx512;
extern const rh_analog_kernels rh_analog_portable, rh_analog_avx2, rh_analog_avx512;
extern const rh_spiking_kernels rh_spiking_portable, rh_spiking_avx2, rh_spiking_avx512;

#endif
