/* The kernels of one instruction set; private to csrc/. */
#ifndef RECIRC_HW_KERNELS_H
#define RECIRC_HW_KERNELS_H

#include "recirc_hw.h"

typedef struct {
    int (*train_lanes[2])(const rh_program *, const rh_job *); /* by dtype */
    int (*train_batch[2])(const rh_program *, const rh_job *, const rh_blas *);
    int (*forward[2])(const rh_program *, const void *weights, const void *cases,
                      int64_t case_size, int64_t count, void *state, const rh_blas *);
    int (*fixed_train[3][2])(const rh_fixed_program *, const rh_fixed_job *);
    int (*fixed_forward[3][2])(const rh_fixed_program *, const rh_fixed_job *, int64_t slot,
                               int64_t count, void *out); /* by weight and by word */
    int (*spiking_advance)(const rh_spiking *, const rh_stretch *);
} rh_kernels;

extern const rh_kernels rh_kernels_portable;
#if defined(__x86_64__)
extern const rh_kernels rh_kernels_avx2, rh_kernels_avx512;
#endif

#endif
