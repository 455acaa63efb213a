/* The end of what target_avx2.h or target_avx512.h began. */
#if defined(RH_ABSENT)
typedef int rh_not_on_this_machine;
#elif defined(__clang__)
#pragma clang attribute pop
#endif
