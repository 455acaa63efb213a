"""The pulse response: pulses up, then down, as a measurement of devices shows it."""

import numpy as np

from recirc_hw.substrates.devices.cells import Cells, WriteKey

UNBOUNDED = 16.0  # how far an ideal device is taken
STEPS = 1000  # in how many steps an ideal device is taken through its range


def pulse_response(
    device, *, devices=50, points=200, cycles=1, pulses=None, seed=0, start=None
):
    """Return what is seen of devices driven up from a weight and down again.

    Each starts at `start`, or at its own bound where that is nearer.

    Parameters
    ----------
    device : Device
    devices : int
        How many synapses of one chip, each with its own device-to-device variation.
    points : int
        Looks at the weights, each way.
    cycles : int
        How often up and down.
    pulses : int, or None
        Pulses between two looks; None for 1.5 times what a constant step needs.
    start : float, or None
        The weight to start from; None for the lowest nominal one.

    Returns
    -------
    (pulses given, weights seen) : int array, shape (2 cycles points + 1,), and float64
        array, shape (devices, 2 cycles points + 1)
    """
    bounded = device.resolution > 0
    low, high = device.limits if bounded else (-UNBOUNDED, UNBOUNDED)
    step = device.resolution if bounded else (high - low) / STEPS
    if pulses is None:
        pulses = max(1, round((1.5 if bounded else 1.0) * (high - low) / step / points))
    cells = Cells.stack([device.draw(seed, 0, (devices, 1))])
    weights = cells.clip(np.full((1, devices, 1), float(low if start is None else start)))
    seeds = np.array([seed], np.uint64)
    curve = [device.seen(weights, cells, WriteKey(seeds, np.array([0]), 0))]
    change = np.full(weights.shape, pulses * step)
    for look in range(2 * cycles * points):
        up = (look // points) % 2 == 0
        wanted = change if up else -change
        weights = device.write(weights, wanted, cells, WriteKey(seeds, np.array([look]), 0))
        curve.append(device.seen(weights, cells, WriteKey(seeds, np.array([look + 1]), 0)))
    return np.arange(len(curve)) * pulses, np.stack(curve, axis=-1)[0, :, 0]
