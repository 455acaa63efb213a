/* The fixed kernels, compiled for portable. */
#include "target_portable.h"
#include "fixed_kernels.inc"
