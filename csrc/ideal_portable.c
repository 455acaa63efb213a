/* The ideal kernels, compiled for portable. */
#include "target_portable.h"
#include "ideal.inc"
