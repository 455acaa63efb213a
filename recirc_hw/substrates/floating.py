"""What substrates share whose weights are floating-point numbers."""

from typing import Literal

import numpy as np
from pydantic import Field

from recirc_hw.substrates.effects import Substrate


class Floating(Substrate):
    """Weights and activities as floating-point numbers."""

    precision: Literal["float32", "float64"] = Field(
        "float64", description="float64 or float32"
    )

    @property
    def dtype(self):
        """The NumPy type of weights and activities."""
        return np.dtype(self.precision)

    @property
    def keeps_remainders(self):
        """Whether what a training leaves in the sums belongs to the chip's state: no."""
        return False

    @property
    def margin(self):
        """How far outputs are kept from 0 and 1 in a cross-entropy."""
        return 1e-12

    def encode(self, cases, network):
        """Return cases as the chip is given them."""
        return np.ascontiguousarray(cases, self.dtype)

    def decode(self, values, slot):
        """Return what a slot's values stand for: themselves."""
        return values

    def store(self, weights, matrix, seed, step):
        """Return (weights as the chip holds them, what is left over in the sums).

        `seed` is the chip's and `step` the matrix's place in the network: they name the
        parts as fabricated, where those differ from one another.
        """
        return weights.astype(self.dtype), np.zeros(weights.shape, self.dtype)

    def read(self, weights, matrix):
        """Return the real weights that stored ones stand for."""
        return weights.copy()

    def check_range(self, weights, matrix, seed, step):
        """Refuse weights that the chip cannot hold: none of those that are finite."""

    def check_codes(self, matrices, sums, program):
        """Refuse stored weights and sums of another format: any float will do."""

    def start_sums(self, sums, before, after):
        """Return the sums a training starts with: none."""
        return [np.zeros_like(matrix) for matrix in sums]

    def change(self, sums, matrix, averaged):
        """Return the weight change, before the rate, that sums stand for: themselves."""
        return sums
