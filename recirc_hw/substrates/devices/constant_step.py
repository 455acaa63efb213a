"""The constant step: every pulse moves the weight as far, up to hard bounds."""

from typing import Literal

import numpy as np

from recirc_hw.substrates.devices.pulsed import PulsedDevice


class ConstantStep(PulsedDevice):
    """Step as far at every weight.

        y(w) = 1,  so n pulses at once:
        w <- clip(w +- dw (n + dw_min_std sqrt(n) z), w_min, w_max)

    Clipped once for all n pulses: one by one would differ only where a step of the wrong
    sign, from a dw_min_std near 1 and above, follows one that reached the bound.

    Source: Gokmen & Vlasov 2016; aihwkit, `ConstantStepDevice`.
    """

    type: Literal["constant_step"] = "constant_step"

    def _pulsed(self, weights, counts, up, z, cells):
        dw = np.where(up, cells.dw_up, -cells.dw_down)
        return cells.clip(weights + dw * (counts + self.dw_min_std * np.sqrt(counts) * z))

    def response(self, weights, up, spread, cells):
        """Return 1 + spread."""
        return 1.0 + spread
