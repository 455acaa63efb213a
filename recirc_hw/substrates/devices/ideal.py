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

    @classmethod
    def in_place_of(cls, device):
        """Return what is left of a device without steps and bounds: its leak, its dead."""
        own = [name for name in cls.model_fields if name in type(device).model_fields]
        return cls(**{name: getattr(device, name) for name in own if name != "type"})

    def _written(self, weights, change, cells, key):
        return self._leaked(weights + change, cells)
