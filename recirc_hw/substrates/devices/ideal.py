"""The ideal device: it takes any change exactly."""

from typing import Literal

from recirc_hw.substrates.devices.device import LeakyDevice


class IdealDevice(LeakyDevice):
    """Add the wanted change, to the last bit; no bounds.

        w <- (w + change) (1 - leak)

    Source: aihwkit, `IdealDevice`.
    """

    type: Literal["ideal"] = "ideal"

    @property
    def resolution(self):
        """Any change will do."""
        return 0.0

    def scaled(self, half_range):
        """Return the device itself: it has no lengths."""
        return self

    def _written(self, weights, change, cells, key):
        return self._leaked(weights + change, cells)
