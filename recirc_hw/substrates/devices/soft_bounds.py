"""Soft bounds: the step dwindles to nothing at the bound."""

from typing import Literal

from recirc_hw.substrates.devices.linear_step import Linear


class SoftBounds(Linear):
    """Step in proportion to what is left to the synapse's own bound.

        slope_up = 1 / w_max,  slope_down = 1 / w_min      (of each synapse)

    After n pulses up without noise, w_n = w_max - (w_max - w_0) (1 - dw / w_max)^n.

    Source: aihwkit, `SoftBoundsDevice`; Fusi & Abbott 2007.
    """

    type: Literal["soft_bounds"] = "soft_bounds"

    def _slopes(self, bounds, z):
        return {"slope_up": 1.0 / bounds["w_max"], "slope_down": 1.0 / bounds["w_min"]}
