"""What substrates share whose weights are held by synapse devices."""

import numpy as np

from recirc_hw.errors import DesignError
from recirc_hw.substrates.devices import AnyDevice, Cells
from recirc_hw.substrates.floating import Floating


class Held(Floating):
    """Weights as the synapses' `device` holds them; a field of the substrate."""

    device: AnyDevice

    def nearest(self, weights):
        """Return the weights nearest to these in the devices' nominal range."""
        return np.clip(weights, *self.device.limits)

    def check_range(self, weights, matrix, seed, step):
        """Refuse weights that the devices cannot hold; see `store`."""
        low, high = self.device.limits
        cells = self._cells(seed, step, weights.shape)
        outside = self.device.beyond(weights, cells)
        if outside.size:
            raise DesignError(
                f"weights of '{matrix.name}': {outside[0]:g} is outside {low:g}..{high:g}, "
                f"what device '{self.device.type}' holds: want a larger w_max"
            )

    def store(self, weights, matrix, seed, step):
        """Return (weights as the devices hold them, what is left over in the sums).

        One outside the bounds of its own synapse, as fabricated, takes the nearest bound.
        """
        held = self.device.store(weights, self._cells(seed, step, weights.shape))
        return super().store(held, matrix, seed, step)

    def _cells(self, seed, step, shape):
        """Return a matrix's synapses as fabricated, as far as they bound weights."""
        if np.isinf(self.device.limits).all():  # nothing that is drawn matters
            return Cells.plain(shape)
        return self.device.draw(seed, step, shape)
