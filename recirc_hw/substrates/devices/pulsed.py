"""What all pulsed devices share: bounds, steps, their spread, and how a write goes."""

from abc import abstractmethod
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from recirc_hw.random_streams import normal
from recirc_hw.substrates.devices.device import LeakyDevice, Spread, varied


class PulsedDevice(LeakyDevice):
    """A synapse whose weight changes by pulses up and down, one step each.

    A write does, for each synapse, with u and z of the stream "device pulses" and the
    index that `WriteKey.draws` states:

    1.  n = min(floor(|change| / dw_min + u), round((w_max - w_min) / dw_min)) pulses, up
        where change > 0, so that n dw_min is the wanted change on average;
    2.  n times:  w <- clip(w + step, w_min, w_max)  with the synapse's own bounds and

            step = +-dw (y(w) + dw_min_std z / sqrt(n) noise(w))

        dw is the synapse's dw_up or dw_down, y(w) the model's dependence on the weight,
        noise(w) either 1 or y(w). One normal serves all n pulses: for a constant step that
        is exactly the sum of n independent draws, else to first order in dw_min_std^2 n;
    3.  w <- w (1 - leak);
    4.  a dead synapse keeps its weight.

    From device to device, with a z of its own stream for each effect:

        dw_up   = dw_min |1 + min(up_down, 0) + dw_min_dtod z_g + up_down_dtod z_r|
        dw_down = dw_min |1 - max(up_down, 0) + dw_min_dtod z_g - up_down_dtod z_r|
        w_max   = w_max |1 + w_max_dtod z|       w_min = w_min |1 + w_min_dtod z|

    Source: aihwkit's `PulsedDevice` (Rasch et al. 2021); up_down as its implementation,
    where the larger of the two steps is dw_min. Spreads of up and down that are drawn
    apart, each of sd s, are dw_min_dtod = up_down_dtod = s / sqrt(2).

    Parameters
    ----------
    w_max, w_min : float
        Mean bounds; w_min < 0 < w_max.
    w_max_dtod, w_min_dtod : float
        Their relative spread (sd).
    dw_min : float
        Mean step of one pulse at w = 0, weight units.
    dw_min_dtod : float
        Spread of the step from device to device, relative to dw_min.
    dw_min_std : float
        Spread from pulse to pulse (cycle to cycle), relative to the step.
    up_down, up_down_dtod : float
        Asymmetry of the steps, in -1..1, and its spread; relative to dw_min.
    write_noise_std : float
        The network sees w + dw_min write_noise_std z, drawn afresh for each synapse at
        each write; the pulses act on w itself. In units of dw_min.
    """

    w_max: Annotated[float, Field(gt=0)] = 16.0
    w_min: Annotated[float, Field(lt=0)] = -16.0
    w_max_dtod: Spread = 0.0
    w_min_dtod: Spread = 0.0
    dw_min: Annotated[float, Field(gt=0)] = 0.032
    dw_min_dtod: Spread = 0.0
    dw_min_std: Spread = 0.0
    up_down: Annotated[float, Field(gt=-1, lt=1)] = 0.0
    up_down_dtod: Spread = 0.0
    write_noise_std: Spread = 0.0

    @model_validator(mode="after")
    def _step_fits_the_range(self):
        if self.dw_min > self.w_max - self.w_min:
            raise ValueError(
                f"dw_min = {self.dw_min} exceeds the range w_max - w_min = "
                f"{self.w_max - self.w_min:g}"
            )
        return self

    @property
    def resolution(self):
        """The mean step of one pulse."""
        return self.dw_min

    @property
    def limits(self):
        """The nominal bounds."""
        return self.w_min, self.w_max

    def scaled(self, half_range):
        """Return the device with w_max, w_min and dw_min scaled alike."""
        factor = 2.0 * half_range / (self.w_max - self.w_min)
        lengths = ("w_max", "w_min", "dw_min")
        return self.replace(**{name: factor * getattr(self, name) for name in lengths})

    def _drawn(self, seed, matrix, shape):
        def z(effect):
            return normal(seed, f"device {effect}", shape, step=matrix)

        gain, tilt = self.dw_min_dtod * z("step"), self.up_down_dtod * z("up_down")
        bounds = {
            "w_max": self.w_max * varied(self.w_max_dtod, z("w_max")),
            "w_min": self.w_min * varied(self.w_min_dtod, z("w_min")),
        }
        return {
            "dw_up": self.dw_min * np.abs(1.0 + min(self.up_down, 0.0) + gain + tilt),
            "dw_down": self.dw_min * np.abs(1.0 - max(self.up_down, 0.0) + gain - tilt),
            **bounds,
            **self._slopes(bounds, z),
            **super()._drawn(seed, matrix, shape),
        }

    def _slopes(self, bounds, z):
        """Return slope_up and slope_down of `Cells`; `z(effect)` draws normals."""
        return {}

    def pulses(self, change, u):
        """Return how many pulses a change is given, as whole float64; see step 1 above."""
        most = np.rint((self.w_max - self.w_min) / self.dw_min)
        return np.minimum(np.floor(np.abs(change) / self.dw_min + u), most)

    def _written(self, weights, change, cells, key):
        u, z = key.draws("device pulses", weights.shape)
        moved = self._pulsed(weights, self.pulses(change, u), change > 0, z, cells)
        return self._leaked(moved, cells)

    def _pulsed(self, weights, counts, up, z, cells):
        """Return weights after `counts` pulses each, one by one; see step 2 above."""
        dw = np.where(up, cells.dw_up, -cells.dw_down)
        spread = self.dw_min_std * z / np.sqrt(np.maximum(counts, 1.0))
        for pulse in range(int(counts.max(initial=0.0))):
            moved = cells.clip(weights + dw * self.response(weights, up, spread, cells))
            weights = np.where(counts > pulse, moved, weights)
        return weights

    @abstractmethod
    def response(self, weights, up, spread, cells):
        """Return y(w) + spread noise(w), the length of a step in units of its dw."""

    def seen(self, weights, cells, key):
        """Return w + dw_min write_noise_std z, z of the stream "device write noise"."""
        if not self.write_noise_std:
            return weights
        z = key.draws("device write noise", weights.shape)[1]
        noisy = weights + self.dw_min * self.write_noise_std * z
        return np.where(cells.dead, weights, noisy)
