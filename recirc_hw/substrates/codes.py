"""Real numbers as codes of a matrix's formats, and the remainders that a carry keeps."""

import numpy as np

from recirc_hw.programs.integer import remainders


def matrix_parts(matrix):
    """Return (columns, fraction bits, shift) of a matrix's weights and of its biases."""
    return (
        (slice(None, -1), matrix.fraction_bits, matrix.shift),
        (slice(-1, None), matrix.bias_fraction_bits, matrix.bias_shift),
    )


def moved(codes, up):
    """Return codes 2^up, rounded half up."""
    return codes << up if up >= 0 else (codes + (1 << (-up - 1))) >> -up


def remainder(codes, shift):
    """Return remainders, kept below half of 2^shift as a carry leaves them."""
    return np.clip(codes, *remainders(shift))


def rounded(values, one, low, high):
    """Return floor(values one + 1/2), kept in low..high."""
    return np.clip(np.floor(np.asarray(values, np.float64) * one + 0.5), low, high)
