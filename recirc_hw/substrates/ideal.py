"""The ideal substrate: every value a float, no other limit."""

from typing import Literal

import numpy as np

from recirc_hw.fields import Fields


class Ideal(Fields):
    """Floating point, as a computer has it: the yardstick for real hardware.

    Parameters
    ----------
    precision : "float64" or "float32"
        The format of weights, activities and sums.
    """

    type: Literal["ideal"] = "ideal"
    precision: Literal["float32", "float64"] = "float64"

    @property
    def dtype(self):
        """The NumPy type of weights and activities."""
        return np.dtype(self.precision)
