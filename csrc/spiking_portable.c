/* The spiking kernels, compiled for portable. */
#include "target_portable.h"
#include "spiking_kernels.inc"
