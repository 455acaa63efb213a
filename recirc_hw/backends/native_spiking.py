"""The native backend's spiking chips: one chip a call, weights changed when they are read."""

from functools import lru_cache

import numpy as np

from recirc_hw.backends import _native
from recirc_hw.programs.firing import spike_chance
from recirc_hw.programs.spiking import NEURONS, PLASTICITIES
from recirc_hw.random_streams import PURPOSES

DRAWN_BLOCKS = 256  # of random numbers, drawn at once


def advance(dynamics, chip, stretch, isa):
    """Run a stretch, as the reference does."""
    table = _table(dynamics)
    drawn = max(1, DRAWN_BLOCKS // -(-dynamics.n_neurons // 4))
    seed, purpose, step, place = stretch.key
    drive = stretch.drive
    return _native.spiking_advance(
        isa, table, chip.memory, chip, np.array(stretch.rates),
        None if drive is None else np.ascontiguousarray(drive), stretch.forced,
        (seed, PURPOSES[purpose], step, place), stretch.moment, stretch.steps, drawn,
        stretch.record,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _table(dynamics):
    """Return the constants as the core reads them."""
    return _native.SpikingTable(*table_parts(dynamics))


def table_parts(dynamics):
    """Return the constants as records: populations, projections, chances, and the rest."""
    populations = [
        (
            first,
            size,
            dynamics.stays(tau),
            dynamics.trace_jump(tau),
            dynamics.trace_jump(tau, 1),
        )
        for first, size, tau in zip(
            dynamics.first_units, dynamics.sizes, dynamics.tau_ms, strict=False
        )
    ]
    return (
        np.array(populations, _native.POPULATION),
        np.array([_way(dynamics, *way) for way in dynamics.projections], _native.PROJECTION),
        spike_chance(dynamics, np.linspace(-_native.HIGHEST, _native.HIGHEST, _native.CHANCES)),
        dynamics.neurons,
        (
            dynamics.refractory_steps, NEURONS.index(dynamics.neuron),
            PLASTICITIES.index(dynamics.plasticity), dynamics.clamp == "shunting",
        ),
        (
            dynamics.stays(dynamics.membrane_ms), dynamics.stays(dynamics.fast_ms),
            dynamics.trace_jump(dynamics.fast_ms), dynamics.dt_ms / dynamics.refractory_ms,
            dynamics.threshold, dynamics.threshold_noise,
        ),
    )  # fmt: skip


def _way(dynamics, matrix, source, target):
    """Return a projection as a record."""
    jumps = dynamics.current_jump(source), dynamics.bias_jump(source)
    return (dynamics.offset(matrix), source, target, dynamics.rebase(source), *jumps)
