"""All synapses of fabricated chips: their device, their cells, and how they are written."""

from dataclasses import dataclass, fields

import numpy as np

from recirc_hw.substrates.devices.cells import Cells, WriteKey
from recirc_hw.substrates.devices.device import Device


@dataclass(frozen=True)
class Synapses:
    """The synapses of several chips side by side, as fabricated.

    `drift` is the standard deviation, in weight units, of the random walk that every
    living synapse does from write to write.
    """

    device: Device
    cells: list[Cells]  # a matrix each, arrays of shape (chips, rows, cols)
    drift: float = 0.0

    @classmethod
    def fabricate(cls, device, seeds, matrices, drift=0.0):
        """Return the synapses that `seeds` stand for; `matrices` are layout records."""
        cells = [
            Cells.stack(
                [device.draw(int(seed), k, (matrix.rows, matrix.cols + 1)) for seed in seeds]
            )
            for k, matrix in enumerate(matrices)
        ]
        return cls(device, cells, drift)

    def _part(self, matrix, chips):
        """Return the cells of one matrix of some chips."""
        cells = self.cells[matrix]
        if len(chips) == len(cells.dead):
            return cells
        return Cells(**{f.name: getattr(cells, f.name)[chips] for f in fields(Cells)})

    def write(self, matrix, chips, weights, change, seeds, steps):
        """Return the weights of one matrix of some chips after a wanted change.

        Parameters
        ----------
        weights, change : float arrays, shape (chips, rows, cols)
        seeds, steps : arrays, shape (chips,): the chips' seeds, and writes done before
        """
        cells, key = self._part(matrix, chips), WriteKey(seeds, steps, matrix)
        written = self.device.write(weights, change, cells, key)
        if self.drift:
            walk = self.drift * key.draws("weight drift", weights.shape)[1]
            written = np.where(cells.dead, written, cells.clip(written + walk))
        return written.astype(weights.dtype)

    def seen(self, matrix, chips, weights, seeds, steps):
        """Return the weights that the network sees where the synapses hold `weights`."""
        if not getattr(self.device, "write_noise_std", 0.0):
            return weights
        key = WriteKey(seeds, steps, matrix)
        return self.device.seen(weights, self._part(matrix, chips), key).astype(weights.dtype)
