/* The ideal kernels, compiled for avx2. */
#include "target_avx2.h"
#if !defined(RH_ABSENT)
#include "ideal.inc"
#endif
#include "target_end.h"
