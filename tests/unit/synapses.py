"""Synapse devices as several tests fabricate, write and judge them."""

import math

import numpy as np

from recirc_hw.substrates.devices import (
    Cells,
    ConstantStep,
    ExpStep,
    LinearStep,
    SoftBounds,
    WriteKey,
)

SHAPE = (200, 200)
N = SHAPE[0] * SHAPE[1]  # synapses; six standard errors: 2e-9 a claim
W = np.linspace(-15.0, 15.0, N).reshape(SHAPE)  # one weight a synapse
PULSED = (ConstantStep, LinearStep, SoftBounds, ExpStep)


def key(step=0, chips=1, matrix=0):
    return WriteKey(np.arange(chips, dtype=np.uint64), np.full(chips, step), matrix)


def fabricated(device, shape=SHAPE, chips=1, matrix=0):
    return Cells.stack([device.draw(seed, matrix, shape) for seed in range(chips)])


def written(device, weights, change, cells=None, **name):
    weights = np.broadcast_to(weights, (1, *SHAPE)).astype(float)
    cells = fabricated(device) if cells is None else cells
    change = np.broadcast_to(change, weights.shape).astype(float)
    return device.write(weights, change, cells, key(**name))


def assert_spread(values, mean, sd):
    """Hold the mean and the sd of normal draws to six standard errors."""
    n = np.size(values)
    assert abs(np.mean(values) - mean) < 6 * sd / math.sqrt(n) + 1e-12
    assert abs(np.std(values) - sd) < 6 * sd / math.sqrt(2 * n) + 1e-12


def folded(mu, sd):
    """Return the mean and the sd of |mu + sd z| (Leone, Nelson & Nottingham 1961)."""
    if sd == 0:
        return abs(mu), 0.0
    mean = sd * math.sqrt(2 / math.pi) * math.exp(-(mu**2) / (2 * sd**2)) + mu * math.erf(
        mu / (sd * math.sqrt(2))
    )
    return mean, math.sqrt(mu**2 + sd**2 - mean**2)
