"""Real constants as hardware has them: a small whole number times a power of two."""

import math
from dataclasses import dataclass

SHARE_BITS = 8  # fraction bits of a memory constant that is no power of two


@dataclass(frozen=True)
class Constant:
    """factor * 2^exponent, the factor odd (or 0)."""

    factor: int
    exponent: int

    @property
    def value(self):
        """The number it stands for."""
        return math.ldexp(self.factor, self.exponent)

    def __str__(self):
        return (
            f"{self.factor} x 2^{self.exponent}" if self.factor != 1 else f"2^{self.exponent}"
        )


def nearest_constant(value, bits):
    """Return the nearest constant to a non-negative value whose factor has `bits` bits.

    With one bit that is the nearest power of two.
    """
    if value == 0:
        return Constant(0, 0)
    exponent = math.frexp(value)[1] - bits
    return _reduced(math.floor(math.ldexp(value, -exponent) + 0.5), exponent)


def memory_share(share):
    """Return 1 - lambda as a constant: 2^-k where lambda is 1 - 2^-k, else Q0.8.

    Returns None where the nearest constant would forget, or keep, everything.
    """
    taken = 1 - share
    mantissa, exponent = math.frexp(taken)
    if mantissa == 0.5 and exponent <= 0:
        return Constant(1, exponent - 1)
    steps = 2**SHARE_BITS
    kept = math.floor(steps * share + 0.5)
    return _reduced(steps - kept, -SHARE_BITS) if 0 < kept < steps else None


def _reduced(factor, exponent):
    """Return the constant with an odd factor."""
    while factor and factor % 2 == 0:
        factor, exponent = factor // 2, exponent + 1
    return Constant(factor, exponent)
