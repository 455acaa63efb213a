/* The spiking kernels, compiled for avx512. */
#include "target_avx512.h"
#if !defined(RH_ABSENT)
#include "spiking_kernels.inc"
#endif
#include "target_end.h"
