"""Weights of a few bits, as a digital memory beside an analog unit holds them."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from recirc_hw.programs.rounding import rounded
from recirc_hw.random_streams import rounding_bits, rounding_key
from recirc_hw.substrates.devices.cells import synapse_index
from recirc_hw.substrates.devices.device import Device

FRACTION = 32  # bits of a change below one code that the rounding looks at
ROUNDINGS = {"nearest": "half_even", "stochastic": "stochastic"}


class Codes(Device):
    """Hold a weight as a signed code; round every wanted change to whole codes.

        unit = w_max / 2^(bits - 1)
        g    = round(change 2^32 / unit), to the nearest, ties to even
        w    <- unit clip(w / unit + round(g / 2^32), -2^(bits-1), 2^(bits-1) - 1)

    The second rounding is the fixed-point substrate's: half_even for "nearest", or
    stochastic with its 32 bits of (seed, step, matrix, synapse).

    Parameters
    ----------
    bits : int, 2..24
        Of a weight, its sign included.
    w_max : float
        Weights reach from -w_max to w_max less one code.
    rounding : "nearest" or "stochastic"
    """

    type: Literal["codes"] = "codes"
    bits: Annotated[int, Field(ge=2, le=24)] = 8
    w_max: Annotated[float, Field(gt=0)] = 16.0
    rounding: Literal["nearest", "stochastic"] = "stochastic"

    @property
    def resolution(self):
        """One code, in weight units."""
        return self.w_max / (1 << (self.bits - 1))

    @property
    def limits(self):
        """The lowest and the highest code, in weight units."""
        return -self.w_max, self.w_max - self.resolution

    def scaled(self, half_range):
        """Return as many codes over another range."""
        return self.replace(w_max=float(half_range))

    def _drawn(self, seed, matrix, shape):
        low, high = self.limits
        return {"w_min": low, "w_max": high}

    def store(self, weights, cells):
        """Return the nearest weights that codes hold; see `Device.store`."""
        unit = self.resolution
        return cells.clip(np.rint(super().store(weights, cells) / unit) * unit)

    def _written(self, weights, change, cells, key):
        unit = self.resolution
        most = float(1 << self.bits)  # a change of the whole range, and more, saturates
        wanted = np.clip(change / unit, -most, most) * 2.0**FRACTION
        bits = self._bits(key, weights.shape)
        shift = np.int64(FRACTION)
        steps = rounded(np.rint(wanted).astype(np.int64), shift, ROUNDINGS[self.rounding], bits)
        return cells.clip((np.rint(weights / unit) + steps) * unit)

    def _bits(self, key, shape):
        """Return the rounding bits of each synapse, shape (chips, rows, cols)."""
        index = synapse_index(shape)
        names = zip(key.seeds, key.steps, strict=True)
        keys = [rounding_key(int(seed), int(step), key.matrix) for seed, step in names]
        return np.stack([rounding_bits(one, index) for one in keys])
