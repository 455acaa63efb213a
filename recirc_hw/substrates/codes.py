"""Codes: how cases, weights and remainders become integers, and what integers stand for."""

import numpy as np

from recirc_hw.programs.integer import remainders
from recirc_hw.substrates.effects import Substrate


class Coded(Substrate):
    """A substrate of integer codes, with `dtype`, `unit(function)` and `keeps_remainders`."""

    def encode(self, cases, network):
        """Return the codes of cases: round(x one), half up, kept in the unit's range.

        Parameters
        ----------
        cases : float array, shape (..., case_size), in the units' own range
        network : a network, whose `case_groups` fill a case

        Returns
        -------
        int32 array of that shape; x one for x, `one` being 2^A - 1 or, of identity
        units, 2^A
        """
        codes = np.zeros(np.shape(cases), np.int32)
        for group in network.case_groups:
            unit = self.unit(group.function)
            part = slice(group.case_offset, group.case_offset + group.size)
            codes[..., part] = _rounded(cases[..., part], unit.one, unit.low, unit.high)
        return codes

    def decode(self, codes, slot):
        """Return what a slot's codes stand for, codes / one, as float64 of their shape.

        Parameters
        ----------
        codes : int array, any shape
        slot : IntegerSlot
        """
        return codes / np.float64(slot.one)

    def store(self, weights, matrix, seed, step):
        """Return (codes, remainders) of real weights: the nearest codes, half up.

        Parameters
        ----------
        weights : float array, shape (rows, cols + 1), finite, bias last
        matrix : IntegerMatrix
        seed, step : int
            Which chip's which matrix; few bits round the same on every chip.

        Returns
        -------
        codes : array of `dtype`, in steps of 2^-fraction_bits
        remainders : int64 array
            In units of 2^-shift of such a step, as g has them; weights outside the
            format take the nearest rail, with no remainder.
        """
        codes = np.empty(weights.shape, np.int64)
        left = np.zeros(weights.shape, np.int64)
        for part, fraction, shift in matrix_parts(matrix):
            scaled = np.ldexp(weights[:, part], fraction)
            codes[:, part] = _rounded(scaled, 1, matrix.low, matrix.high)
            rest = np.floor(np.ldexp(scaled - codes[:, part], shift) + 0.5)
            inside = np.abs(scaled - codes[:, part]) <= 0.5
            left[:, part] = np.where(inside, _remainder(rest.astype(np.int64), shift), 0)
        return codes.astype(self.dtype), left

    def read(self, codes, matrix):
        """Return the real weights that codes stand for, float64, shape (rows, cols + 1)."""
        weights = np.empty(codes.shape)
        for part, fraction, _ in matrix_parts(matrix):
            weights[:, part] = np.ldexp(codes[:, part].astype(np.float64), -fraction)
        return weights

    def check_range(self, weights, matrix, seed, step):
        """Refuse weights outside their format.

        Parameters
        ----------
        weights : float array, shape (rows, cols + 1)
        matrix : IntegerMatrix

        Raises
        ------
        ValueError
            Naming the matrix, the first weight outside, and the range.
        """
        for part, fraction, _ in matrix_parts(matrix):
            low, high = np.ldexp([matrix.low - 0.5, matrix.high + 0.5], -fraction)
            outside = (weights[:, part] < low) | (weights[:, part] >= high)
            if outside.any():
                raise ValueError(
                    f"weights of '{matrix.name}': {weights[:, part][outside][0]:g} is outside "
                    f"{np.ldexp(matrix.low, -fraction):g}.."
                    f"{np.ldexp(matrix.high, -fraction):g}, "
                    f"what {matrix.bits} bits with {fraction} of fraction hold"
                )

    def check_codes(self, matrices, sums, program):
        """Refuse what no training by a program leaves behind.

        Parameters
        ----------
        matrices : list of int arrays, shape (..., rows, cols + 1)
            Weights; those of another type or outside their format are refused.
        sums : list of int arrays, likewise; may be empty
            What is carried beside them: -2^(s-1)..2^(s-1)-1 by a write that shifts by
            s and carries, 0 by any other.
        program : IntegerProgram

        Raises
        ------
        ValueError
            Naming the matrix, the first value that is wrong, and the range.
        """
        for codes, matrix in zip(matrices, program.layout.matrices, strict=False):
            if codes.dtype != self.dtype:
                raise ValueError(
                    f"weights of '{matrix.name}': want codes of {self.dtype}, got {codes.dtype}"
                )
            if codes.min() < matrix.low or codes.max() > matrix.high:
                raise ValueError(
                    f"weights of '{matrix.name}': codes {codes.min()}..{codes.max()} are "
                    f"outside {matrix.low}..{matrix.high}, what {matrix.bits} bits hold"
                )
        for left, matrix in zip(sums, program.layout.matrices, strict=False):
            _check_remainders(left, matrix)

    def start_sums(self, sums, before, after):
        """Return the remainders that a program starts from, in its own units.

        They were left by another program, or at fabrication, whose shifts may
        differ where a batch's mean is taken; other roundings leave none.
        """
        found = []
        for g, old, new in zip(
            sums, before.layout.matrices, after.layout.matrices, strict=True
        ):
            scaled = np.zeros(g.shape, f"int{after.word}")
            if self.keeps_remainders:
                for (part, _, then), (_, _, now) in zip(
                    matrix_parts(old), matrix_parts(new), strict=True
                ):
                    moved = _moved(g[:, part].astype(np.int64), now - then)
                    scaled[:, part] = _remainder(moved, now)
            found.append(scaled)
        return found

    def change(self, sums, matrix, averaged):
        """Return the weight change, before the rate, that sums stand for.

        The rate of a mean has the share of each of the cases `averaged` in it.

        Parameters
        ----------
        sums : int array, shape (rows, cols + 1)
            What a batch's cases add to g.
        matrix : IntegerMatrix, for batches as large as that one
        averaged : int
            The number of cases whose mean is taken; 1 for their sum.

        Returns
        -------
        float64 array of that shape, in units of a weight; 0 where the rate is 0
        """
        change = np.zeros(sums.shape)
        for part, fraction, shift in matrix_parts(matrix):
            if matrix.rate:
                rate = matrix.rate * averaged
                change[:, part] = np.ldexp(sums[:, part] / rate, -fraction - shift)
        return change


def matrix_parts(matrix):
    """Return (columns, fraction bits, shift) of a matrix's weights and of its biases."""
    return (
        (slice(None, -1), matrix.fraction_bits, matrix.shift),
        (slice(-1, None), matrix.bias_fraction_bits, matrix.bias_shift),
    )


def _check_remainders(sums, matrix):
    """Refuse sums that no write of a matrix leaves, naming the first."""
    for part, _, shift in matrix_parts(matrix):
        low, high = remainders(shift) if matrix.rounding == "carry" else (0, 0)
        left = sums[..., part]
        outside = (left < low) | (left > high)
        if outside.any():
            raise ValueError(
                f"sums of '{matrix.name}': {left[outside][0]} is outside {low}..{high}, "
                f"what a write with {matrix.rounding} rounding leaves in them"
            )


def _moved(codes, up):
    """Return codes 2^up, rounded half up."""
    return codes << up if up >= 0 else (codes + (1 << (-up - 1))) >> -up


def _remainder(codes, shift):
    """Return remainders, kept below half of 2^shift as a carry leaves them."""
    return np.clip(codes, *remainders(shift))


def _rounded(values, one, low, high):
    """Return floor(values one + 1/2), kept in low..high."""
    return np.clip(np.floor(np.asarray(values, np.float64) * one + 0.5), low, high)
