"""The numba backend's continuous time: analog chips as compiled loops, parallel over chips."""

from functools import lru_cache

import numba
import numpy as np

from recirc_hw.backends.continuous import weights_as_read, write_shares
from recirc_hw.backends.dynamics import phase_constants, settings
from recirc_hw.backends.numba_integrator import present_chips
from recirc_hw.programs import FUNCTIONS
from recirc_hw.random_streams import PURPOSES


def present(job, chips, cases, learning, first=0):
    """Take each chip's batch of cases through the phases; see `continuous`."""
    program, body = job.program, job.body
    layout, dtype = program.layout, cases.dtype
    values = np.empty((len(chips), cases.shape[1], layout.size), dtype)
    weights = weights_as_read(job, chips)
    flat = _flat(weights, dtype)
    changes, shares = np.zeros_like(flat), np.zeros((len(chips), 0), dtype)
    if learning and program.dynamics.continuous:
        gained = zip(write_shares(job, chips, cases.shape[1]), body.read_gain, strict=True)
        shares = _flat([share * gain[chips] for share, gain in gained], dtype)
    tau, stuck = body.tau_ms[chips], body.stuck[chips]
    phases = program.phases if learning else program.phases[:1]
    constants = np.stack(
        [np.stack(phase_constants(program, phase, tau, stuck), axis=1) for phase in phases]
    ).astype(dtype)  # (phases, chips, constants, units)
    numba.set_num_threads(min(job.threads, numba.config.NUMBA_NUM_THREADS))
    present_chips(
        *_tables(program), constants, body.gain[chips].astype(dtype),
        body.offset[chips].astype(dtype), stuck.astype(dtype), flat, shares, changes,
        np.ascontiguousarray(cases), values, body.seeds[chips], body.steps[chips],
        (first, learning, PURPOSES["unit noise" if learning else "test noise"], len(phases)),
    )  # fmt: skip
    return values, _split(changes, weights)


def _flat(matrices, dtype):
    """Return matrices side by side, shape (chips, cells)."""
    return np.concatenate([m.reshape(len(m), -1) for m in matrices], axis=1).astype(dtype)


def _split(flat, matrices):
    """Return the parts of (chips, cells) as matrices of the given shapes."""
    ends = np.cumsum([matrix[0].size for matrix in matrices])
    parts = np.split(flat, ends[:-1], axis=1)
    return [part.reshape(m.shape) for part, m in zip(parts, matrices, strict=True)]


@lru_cache(maxsize=64)
def _tables(program):
    """Return (groups, matrices, phases, settings) as the loops read them."""
    dynamics, slots = program.dynamics, program.layout.slots[:-1]
    groups = [
        (slot.offset, slot.size, FUNCTIONS[function])
        for slot, function in zip(slots, dynamics.functions, strict=True)
    ]
    matrices, start = [], 0
    for matrix, (source, to) in zip(program.layout.matrices, dynamics.wiring, strict=True):
        matrices.append((start, source, to))
        start += matrix.rows * (matrix.cols + 1)
    flags = np.zeros((len(program.phases), 3, len(groups)), np.bool_)
    for row, phase in zip(flags, program.phases, strict=True):
        row[0, list(phase.clamped)] = row[1, list(phase.moving)] = True
        row[2, list(phase.plastic)] = True
    steps = [
        (phase.steps, int(np.rint(dynamics.delay_ms / phase.dt_ms))) for phase in program.phases
    ]
    return (
        np.array(groups), np.array(matrices), flags, np.array(steps),
        np.array([phase.dt_ms for phase in program.phases]), settings(dynamics),
    )  # fmt: skip
