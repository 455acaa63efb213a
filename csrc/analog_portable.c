/* The analog kernels, compiled for portable. */
#include "target_portable.h"
#include "analog_kernels.inc"
