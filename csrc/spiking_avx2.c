/* The spiking kernels, compiled for avx2. */
#include "target_avx2.h"
#if !defined(RH_ABSENT)
#include "spiking_kernels.inc"
#endif
#include "target_end.h"
