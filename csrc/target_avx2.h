/* Compile what follows for avx2; target_end.h ends it. */
#define ISA(x) x##_avx2
#define VECTOR_BYTES 32
#if !defined(__x86_64__)
#define RH_ABSENT
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif
