/* Vectors of VECTOR_BYTES, which a target_*.h chooses, and the judge of all walks. */
#ifndef RECIRC_HW_VECTORS_H
#define RECIRC_HW_VECTORS_H

#include <math.h>
#include <string.h>

#include "kernels.h"

#define INLINE static inline __attribute__((always_inline))

/* Before a short loop that is to become vector code: left whole until then. */
#if defined(__clang__)
#define ROLLED
#else
#define ROLLED _Pragma("GCC unroll 1")
#endif

/* At most BLOCK vectors at a time; or ROWS, where each needs three registers. */
#define BLOCK 4
#define ROWS (VECTOR_BYTES == 64 ? 8 : 4)
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* they never leave this file */
#endif
typedef float rh_vector_f32 __attribute__((vector_size(VECTOR_BYTES)));
typedef double rh_vector_f64 __attribute__((vector_size(VECTOR_BYTES)));

/* Note a chip's error, count its check, and stop it where it has held long enough, or
 * diverged.
 * Returns whether it goes on. */
static inline int rh_judge(const rh_job *job, int64_t chip, int64_t batch, double error, double unit)
{
    int passes = unit < job->threshold;
    job->error[chip * job->history_stride + batch] = error;
    job->unit_error[chip * job->history_stride + batch] = unit;
    if (job->crossed[chip] >= 0) {
        job->checked[chip] += 1;
        job->passed[chip] += passes;
    } else if (passes) {
        job->crossed[chip] = job->updates[chip];
    }
    int held = job->crossed[chip] >= 0 && job->checked[chip] >= job->hold;
    job->active[chip] = !held && error == error;
    job->updates[chip] += job->active[chip];
    return job->active[chip];
}

#endif
