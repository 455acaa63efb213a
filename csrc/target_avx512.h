/* Compile what follows for avx512; target_end.h ends it. */
#define ISA(x) x##_avx512
#define VECTOR_BYTES 64
#if !defined(__x86_64__)
#define RH_ABSENT
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,prefer-vector-width=512")
#endif
