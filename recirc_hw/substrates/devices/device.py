"""What every synapse device can do: be drawn, be stored to, be written, be seen."""

from abc import ABC, abstractmethod
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from recirc_hw.errors import DesignError
from recirc_hw.fields import Fields
from recirc_hw.random_streams import normal, uniform
from recirc_hw.substrates.devices.cells import Cells

Spread = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


EFFECTS = {  # what can be turned off within a device: the fields that 0 turns off
    "spread of steps": ("dw_min_dtod", "up_down_dtod"),
    "spread of slopes": ("gamma_up_dtod", "gamma_down_dtod"),
    "spread of bounds": ("w_max_dtod", "w_min_dtod"),
    "spread of leaks": ("lifetime_dtod",),
    "steps up unlike down": ("up_down",),
    "pulse noise": ("dw_min_std",),
    "write noise": ("write_noise_std",),
    "weight leak": ("lifetime",),
    "dead synapses": ("corrupt_devices_prob",),
}


class Device(Fields, ABC):
    """A synapse that holds one weight.

    Weights, steps and bounds are in weight units. Names are those of IBM's Analog
    Hardware Acceleration Kit (aihwkit; Rasch et al. 2021).

    Parameters
    ----------
    corrupt_devices_prob : float in 0..1
        Chance that a synapse is dead: it keeps the weight it was fabricated with.
        (aihwkit fixes it at a random value between its bounds instead.)
    """

    type: str
    corrupt_devices_prob: Share = 0.0

    @property
    @abstractmethod
    def resolution(self):
        """The change that a device makes at least; 0 where any will do."""

    @property
    def limits(self):
        """The nominal (lowest, highest) weight."""
        return -np.inf, np.inf

    @abstractmethod
    def scaled(self, half_range):
        """Return the same device with its lengths scaled: half the range is `half_range`."""

    def effects(self):
        """Return {effect: {field: 0.0}} of what it does beside its steps and bounds."""
        own = type(self).model_fields
        found = {name: [f for f in fields if f in own] for name, fields in EFFECTS.items()}
        return {
            name: dict.fromkeys(fields, 0.0) for name, fields in found.items()
            if any(getattr(self, field) for field in fields)
        }  # fmt: skip

    def draw(self, seed, matrix, shape):
        """Return the `Cells` that fabrication with `seed` gives a matrix.

        Each effect has its own stream (seed, purpose, step `matrix`), row by row, so the
        strength of one never changes what another draws.

        Parameters
        ----------
        seed : int in 0..2**64-1
        matrix : int
            The matrix's place in the network.
        shape : (rows, cols)
        """
        luck = uniform(seed, "device corrupt", shape, step=matrix)
        dead = luck < self.corrupt_devices_prob
        return Cells.plain(shape, dead=dead, **self._drawn(seed, matrix, shape))

    def _drawn(self, seed, matrix, shape):
        """Return the arrays of `Cells` that this kind of device draws."""
        return {}

    def store(self, weights, cells):
        """Return weights as the synapses hold them when the chip is made.

        Raises
        ------
        DesignError
            If a weight lies outside the nominal range and its own synapse's. One outside
            its own synapse's alone, by device-to-device variation, is clipped.
        """
        low, high = self.limits
        outside = self.beyond(weights, cells)
        if outside.size:
            raise DesignError(
                f"{type(self).__name__} holds weights in {low:g}..{high:g}, but an initial "
                f"weight is {outside[0]:g}: want a larger w_max, or smaller initial weights"
            )
        return cells.clip(weights)

    def beyond(self, weights, cells):
        """Return those weights that neither the nominal device nor the synapse's own holds."""
        low, high = self.limits
        too_low = weights < np.minimum(low, cells.w_min)
        return weights[too_low | (weights > np.maximum(high, cells.w_max))]

    def write(self, weights, change, cells, key):
        """Return the weights after a wanted change.

        A dead synapse keeps its weight; a change that is NaN makes the weight NaN.

        Parameters
        ----------
        weights, change : float64 arrays, shape (chips, rows, cols)
        cells : Cells of that shape
        key : WriteKey
        """
        known = np.where(np.isnan(change), 0.0, change)
        written = self._written(weights, known, cells, key)
        written = np.where(np.isnan(change), np.nan, written)
        return np.where(cells.dead, weights, written)

    @abstractmethod
    def _written(self, weights, change, cells, key):
        """Return the weights after a change without NaN, were no synapse dead."""

    def seen(self, weights, cells, key):
        """Return the weights that the network sees where the synapses hold `weights`.

        `key.steps` counts the writes done. What is seen is what is held, but for devices
        with write noise.
        """
        return weights


class LeakyDevice(Device):
    """A synapse that forgets.

    Parameters
    ----------
    lifetime : float, 0 or at least 1
        Each write loses the share 1 / lifetime of the weight; 0 for no loss.
    lifetime_dtod : float
        Relative spread (sd) of that share from device to device.
    """

    lifetime: Annotated[float, Field(ge=0)] = 0.0
    lifetime_dtod: Spread = 0.0

    @model_validator(mode="after")
    def _lives_a_write(self):
        if 0 < self.lifetime < 1:
            raise ValueError(f"lifetime = {self.lifetime} is under one write: want 0 or >= 1")
        return self

    def _drawn(self, seed, matrix, shape):
        """Return the leak: min(|1 + lifetime_dtod z| / lifetime, 1)."""
        if not self.lifetime:
            return {}
        spread = varied(self.lifetime_dtod, normal(seed, "device lifetime", shape, step=matrix))
        return {"leak": np.minimum(spread / self.lifetime, 1.0)}

    def _leaked(self, weights, cells):
        """Return what is left of weights after one write."""
        return weights * (1.0 - cells.leak)


def varied(spread, z):
    """Return |1 + spread z|: how a length varies from device to device, mean near 1."""
    return np.abs(1.0 + spread * z)
