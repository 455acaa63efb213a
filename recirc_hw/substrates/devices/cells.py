"""The synapses of one matrix as fabricated, and the name of a write's random numbers."""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from recirc_hw.random_streams import block_draws


@dataclass(frozen=True)
class Cells:
    """What device-to-device variation made of each synapse; drawn once, never changed.

    Arrays of shape (rows, cols), or (chips, rows, cols) once stacked; float64 but `dead`.
    A device that has no use for a field leaves it at 0 (bounds: infinite).
    """

    dw_up: np.ndarray  # step of one pulse up at w = 0, weight units, >= 0
    dw_down: np.ndarray  # step of one pulse down at w = 0, weight units, >= 0
    w_max: np.ndarray  # hard bounds, weight units
    w_min: np.ndarray
    slope_up: np.ndarray  # how the step depends on w, per weight unit; see each model
    slope_down: np.ndarray
    leak: np.ndarray  # share of the weight lost at each write, 0..1
    dead: np.ndarray  # bool; a dead synapse keeps the weight it has

    @classmethod
    def plain(cls, shape, **given):
        """Return cells of that shape, all alike but for the arrays given."""
        values = dict.fromkeys((field.name for field in fields(cls)), 0.0)
        values |= {"w_max": np.inf, "w_min": -np.inf, "dead": False, **given}
        return cls(**{name: np.broadcast_to(value, shape) for name, value in values.items()})

    @classmethod
    def stack(cls, chips):
        """Return the cells of several chips as one, shape (chips, rows, cols)."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.stack([getattr(c, name) for c in chips]) for name in names})

    def clip(self, weights):
        """Return weights within each synapse's own bounds."""
        return np.clip(weights, self.w_min, self.w_max)


class WriteKey(NamedTuple):
    """Which write of which matrix: it names every random number of that write.

    `seeds` are the chips' seeds and `steps` how many writes each has done before, both of
    shape (chips,); `matrix` is the matrix's place in the network.
    """

    seeds: np.ndarray
    steps: np.ndarray
    matrix: int

    def draws(self, purpose, shape):
        """Return (uniform, normal) for each synapse, arrays of shape (chips, rows, cols).

        The synapse (row, col) has the index matrix 2^32 + col rows + row of the stream
        (chip's seed, purpose, step); see `random_streams.block_draws`.
        """
        seeds = np.asarray(self.seeds, np.uint64)[:, None, None]
        steps = np.asarray(self.steps, np.uint64)[:, None, None]
        return block_draws(seeds, purpose, steps, (self.matrix << 32) + synapse_index(shape))


def synapse_index(shape):
    """Return col rows + row for each synapse of (..., rows, cols), as rounding bits count."""
    rows, cols = shape[-2:]
    return np.arange(cols)[None] * rows + np.arange(rows)[:, None]
