/* The kernels, compiled for portable. */
#define KERNELS rh_kernels_portable
#define VECTOR_BYTES 16
#include "kernels.inc"
