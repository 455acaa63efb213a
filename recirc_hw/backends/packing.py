"""Memory as the compiled core wants it: aligned, and padded to whole vectors."""

import numpy as np

from recirc_hw.backends import _native

TILE_BYTES = _native.TILE_BYTES
LANE_BYTES = 256 * 1024  # weights and sums of a full set of lanes stay in cache


def aligned(size, dtype):
    """Return zeros that start on a vector's boundary, with room for one more vector."""
    memory = np.zeros(size * dtype.itemsize + 2 * TILE_BYTES, np.uint8)
    start = -memory.ctypes.data % TILE_BYTES
    return memory[start : start + size * dtype.itemsize].view(dtype)


def padded(rows, unit):
    """Return `rows` rounded up to a multiple of `unit`."""
    return -(-rows // unit) * unit
