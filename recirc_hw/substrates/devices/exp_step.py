"""The exponential step: what filaments and transistors show, steep at one end."""

from typing import Literal

import numpy as np
from pydantic import model_validator

from recirc_hw.substrates.devices.pulsed import PulsedDevice

STEEPEST = 50.0  # of |gamma| (2 |a| + |b|), that exp(gamma z) stays a sensible number


class ExpStep(PulsedDevice):
    """Step by an exponential of the weight.

        z      = 2 a w / (w_max - w_min) + b      (bounds of each synapse)
        y_up   = max(1 - A_up exp(gamma_up z), 0)
        y_down = max(1 - A_down exp(-gamma_down z), 0)      noise(w) = y(w)

    slope_up and slope_down of `Cells` are 2 a / (w_max - w_min).

    Source: aihwkit, `ExpStepDevice`, whose default constants these are, a fit to a
    CMOS-like device; Gong et al. 2018 for ReRAM.

    Parameters
    ----------
    A_up, A_down : float
        Weight of the exponential; below 0 the step grows with it.
    gamma_up, gamma_down : float
        Its steepness.
    a, b : float
        Slope and offset of z.
    """

    type: Literal["exp_step"] = "exp_step"
    A_up: float = 0.00081
    A_down: float = 0.36833
    gamma_up: float = 12.44625
    gamma_down: float = 12.78785
    a: float = 0.244
    b: float = 0.2425

    @model_validator(mode="after")
    def _finite_steps(self):
        steepness = max(abs(self.gamma_up), abs(self.gamma_down))
        if steepness * (2 * abs(self.a) + abs(self.b)) > STEEPEST:
            raise ValueError(
                f"gamma_up = {self.gamma_up}, gamma_down = {self.gamma_down}: want at most "
                f"{STEEPEST:g} / (2 |a| + |b|), beyond which a step is no sensible number"
            )
        return self

    def _slopes(self, bounds, z):
        slope = 2.0 * self.a / (bounds["w_max"] - bounds["w_min"])
        return {"slope_up": slope, "slope_down": slope}

    def response(self, weights, up, spread, cells):
        """Return y + spread y."""
        z = cells.slope_up * weights + self.b
        upward = self.A_up * np.exp(self.gamma_up * z)
        downward = self.A_down * np.exp(-self.gamma_down * z)
        return np.maximum(1.0 - np.where(up, upward, downward), 0.0) * (1.0 + spread)
