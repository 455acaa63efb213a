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

#if defined(__x86_64__)
#define EACH_ISA(x) {&x##_portable, &x##_avx2, &x##_avx512}
#else
#define EACH_ISA(x) {&x##_portable}
#endif

static const rh_ideal_kernels *const IDEAL[] = EACH_ISA(rh_ideal);
static const rh_fixed_kernels *const FIXED[] = EACH_ISA(rh_fixed);
static const rh_analog_kernels *const ANALOG[] = EACH_ISA(rh_analog);
static const rh_spiking_kernels *const SPIKING[] = EACH_ISA(rh_spiking);

static int there(int isa) { return isa >= RH_PORTABLE && isa <= rh_best_isa(); }

int rh_train_lanes(int isa, int dtype, const rh_program *program, const rh_job *job)
{
    return there(isa) ? IDEAL[isa]->train_lanes[dtype](program, job) : RH_ERR_ISA;
}

int rh_train_batch(int isa, int dtype, const rh_program *program, const rh_job *job,
                   const rh_blas *blas)
{
    return there(isa) ? IDEAL[isa]->train_batch[dtype](program, job, blas) : RH_ERR_ISA;
}

int rh_forward(int isa, int dtype, const rh_program *program, const void *weights,
               const void *cases, int64_t case_size, int64_t count, void *state,
               const rh_blas *blas)
{
    return there(isa) ? IDEAL[isa]->forward[dtype](program, weights, cases, case_size, count,
                                                   state, blas)
                      : RH_ERR_ISA;
}

int rh_fixed_train(int isa, int weight, int word, const rh_fixed_program *program,
                   const rh_fixed_job *job)
{
    return there(isa) ? FIXED[isa]->train[weight][word](program, job) : RH_ERR_ISA;
}

int rh_fixed_forward(int isa, int weight, int word, const rh_fixed_program *program,
                     const rh_fixed_job *job, int64_t slot, int64_t count, void *out)
{
    return there(isa) ? FIXED[isa]->forward[weight][word](program, job, slot, count, out)
                      : RH_ERR_ISA;
}

int rh_analog_present(int isa, int dtype, const rh_analog *analog, const rh_analog_job *job)
{
    return there(isa) ? ANALOG[isa]->present[dtype](analog, job) : RH_ERR_ISA;
}

int rh_noise(int isa, int dtype, uint64_t seed, uint32_t purpose, uint32_t step, int64_t moment,
             int64_t first, int64_t count, int64_t n_units, void *out)
{
    return there(isa) ? ANALOG[isa]->noise[dtype](seed, purpose, step, moment, first, count,
                                                  n_units, out)
                      : RH_ERR_ISA;
}

int rh_spiking_advance(int isa, const rh_spiking *program, const rh_stretch *stretch)
{
    return there(isa) ? SPIKING[isa]->advance(program, stretch) : RH_ERR_ISA;
}
