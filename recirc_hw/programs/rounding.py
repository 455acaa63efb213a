"""How a real weight change becomes a whole number of steps: the write's roundings."""

import numpy as np


def rounded(g, shift, rounding, bits):
    """Return g / 2^shift as an integer; `bits` are 32 random ones for each value.

    floor       g >> shift
    half_up     floor(g / 2^shift + 1/2); carry takes the same, and keeps the rest
    half_even   to the nearest, ties to the even one
    stochastic  (g + r) >> shift, r the top `shift` bits of the random ones
                (more than 32: those 32, then zeros)
    """
    down = g >> shift
    if rounding == "floor":
        return down
    rest, half = g - (down << shift), (np.int64(1) << shift) >> 1
    if rounding == "stochastic":
        bits = bits.astype(np.int64)
        r = np.where(
            shift <= 32, bits >> np.maximum(32 - shift, 0), bits << np.maximum(shift - 32, 0)
        )
        return (g + r) >> shift
    if rounding == "half_even":
        return down + ((rest > half) | ((rest == half) & (down & 1 == 1) & (shift > 0)))
    return (g + half) >> shift
