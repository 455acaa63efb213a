"""The linear step: pulses lose effect linearly as the weight nears the bound they push to."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from recirc_hw.substrates.devices.device import Spread
from recirc_hw.substrates.devices.pulsed import PulsedDevice

Loss = Annotated[float, Field(ge=0, le=1)]


class Linear(PulsedDevice):
    """A step that depends linearly on the weight.

        y(w) = max(1 - slope w, 0),  slope_up >= 0 >= slope_down of the synapse

    Parameters
    ----------
    mult_noise : bool
        Whether the spread from pulse to pulse scales with the step, noise(w) = y(w), or
        stays that at w = 0, noise(w) = 1.
    """

    mult_noise: bool = True

    def response(self, weights, up, spread, cells):
        """Return y + spread y, or y + spread."""
        y = np.maximum(1.0 - np.where(up, cells.slope_up, cells.slope_down) * weights, 0.0)
        return y + spread * (y if self.mult_noise else 1.0)


class LinearStep(Linear):
    """Lose the share gamma of the step between w = 0 and the mean bound.

        slope_up   = |gamma_up   + gamma_up_dtod z|   / w_max
        slope_down = |gamma_down + gamma_down_dtod z| / w_min      (mean bounds)

    After n pulses up without noise, w_n = w* + (w_0 - w*) (1 - dw slope)^n up to the
    bound, w* = 1 / slope.

    Source: aihwkit, `LinearStepDevice` with `mean_bound_reference`.

    Parameters
    ----------
    gamma_up, gamma_down : float in 0..1
        0 is a constant step.
    gamma_up_dtod, gamma_down_dtod : float
        Their spread from device to device (absolute).
    """

    type: Literal["linear_step"] = "linear_step"
    gamma_up: Loss = 0.5
    gamma_down: Loss = 0.5
    gamma_up_dtod: Spread = 0.0
    gamma_down_dtod: Spread = 0.0

    def _slopes(self, bounds, z):
        up = np.abs(self.gamma_up + self.gamma_up_dtod * z("gamma_up"))
        down = np.abs(self.gamma_down + self.gamma_down_dtod * z("gamma_down"))
        return {"slope_up": up / self.w_max, "slope_down": down / self.w_min}
