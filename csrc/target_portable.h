/* Compile what follows for any machine. */
#define ISA(x) x##_portable
#define VECTOR_BYTES 16
