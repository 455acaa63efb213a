/* Which instruction set runs. */
#include "kernels.h"

int rh_best_isa(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
        return RH_AVX512;
    if (__builtin_cpu_supports("avx2")) return RH_AVX2;
#endif
    return RH_PORTABLE;
}

static const rh_kernels *kernels_of(int isa)
{
    if (isa < RH_PORTABLE || isa > rh_best_isa()) return 0;
#if defined(__x86_64__)
    if (isa == RH_AVX512) return &rh_kernels_avx512;
    if (isa == RH_AVX2) return &rh_kernels_avx2;
#endif
    return &rh_kernels_portable;
}

int rh_train_lanes(int isa, int dtype, const rh_program *program, const rh_job *job)
{
    const rh_kernels *kernels = kernels_of(isa);
    return kernels ? kernels->train_lanes[dtype](program, job) : RH_ERR_ISA;
}

int rh_fixed_train(int isa, int weight, int word, const rh_fixed_program *program,
                   const rh_fixed_job *job)
{
    const rh_kernels *kernels = kernels_of(isa);
    return kernels ? kernels->fixed_train[weight][word](program, job) : RH_ERR_ISA;
}

int rh_fixed_forward(int isa, int weight, int word, const rh_fixed_program *program,
                     const rh_fixed_job *job, int64_t slot, int64_t count, void *out)
{
    const rh_kernels *kernels = kernels_of(isa);
    return kernels ? kernels->fixed_forward[weight][word](program, job, slot, count, out)
                   : RH_ERR_ISA;
}

int rh_train_batch(int isa, int dtype, const rh_program *program, const rh_job *job,
                   const rh_blas *blas)
{
    const rh_kernels *kernels = kernels_of(isa);
    return kernels ? kernels->train_batch[dtype](program, job, blas) : RH_ERR_ISA;
}

int rh_forward(int isa, int dtype, const rh_program *program, const void *weights,
               const void *cases, int64_t case_size, int64_t count, void *state,
               const rh_blas *blas)
{
    const rh_kernels *kernels = kernels_of(isa);
    return kernels ? kernels->forward[dtype](program, weights, cases, case_size, count, state, blas)
                   : RH_ERR_ISA;
}

int rh_spiking_advance(int isa, const rh_spiking *program, const rh_stretch *stretch)
{
    const rh_kernels *kernels = kernels_of(isa);
    return kernels ? kernels->spiking_advance(program, stretch) : RH_ERR_ISA;
}
