"""The native backend's continuous time: packs analog chips for the compiled core.

Small networks run one chip a lane, many side by side; larger ones one chip at a time,
its cases side by side. Results depend neither on the number of threads nor on which chips
run together; a case goes the same way whichever others it is presented with.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from recirc_hw.backends import _native
from recirc_hw.backends.continuous import weights_as_read, write_shares
from recirc_hw.backends.dynamics import phase_constants, settings
from recirc_hw.backends.packing import LANE_BYTES, TILE_BYTES, aligned, padded
from recirc_hw.programs import FUNCTIONS
from recirc_hw.random_streams import PURPOSES

ISAS = _native.ISAS
SENT, TARGET, PRE, POST = range(4)  # the segments in which a program's slots lie


def present(job, chips, cases, learning, first=0, isa=ISAS[-1]):
    """Take each chip's batch of cases through the phases; see `continuous`."""
    # Weights that follow their changes make each case wait for those before it.
    side_by_side = not (learning and job.program.dynamics.continuous)
    walk = _Walk(job, isa, cases.shape[1] if side_by_side else 1)
    layout = job.program.layout
    values = np.empty((len(chips), cases.shape[1], layout.size), cases.dtype)
    changes = [np.zeros((len(chips), m.rows, m.cols + 1), cases.dtype) for m in layout.matrices]

    def call(start):
        part = slice(start, min(start + walk.lanes, len(chips)))
        found = [change[part] for change in changes]
        walk.present(chips[part], cases[part], learning, first, values[part], found)

    starts = range(0, len(chips), walk.lanes)
    if job.threads == 1 or len(starts) == 1:
        for start in starts:
            call(start)
    else:
        with ThreadPoolExecutor(job.threads) as pool:
            for _ in pool.map(call, starts):
                pass
    return values, changes


class _Walk:
    """How the chips of a job, and `n_cases` that do not wait for each other, are laid out."""

    def __init__(self, job, isa, n_cases=1):
        self.job, self.isa = job, ISAS.index(isa)
        self.dtype = job.weights[0].dtype
        tile = TILE_BYTES // self.dtype.itemsize
        total = 2 * tile * self.dtype.itemsize * sum(m[0].size for m in job.weights)
        self.lanes = tile if total <= LANE_BYTES else 1
        self.unit = 1 if self.lanes > 1 else tile
        many = self.lanes == 1 and 2 * n_cases >= _native.CASES
        self.cases = _native.CASES if many else 1
        self.table, self.places, self.units = _table(job.program, self.lanes, self.unit)

    def present(self, chips, cases, learning, first, values, changes):
        """Present a batch to the chips of one call; fill `values` and `changes`."""
        job, body = self.job, self.job.body
        weights = self._packed(weights_as_read(job, chips))
        sums, shares = aligned(weights.size, self.dtype), None
        if learning and job.program.dynamics.continuous:
            gained = zip(write_shares(job, chips, cases.shape[1]), body.read_gain, strict=True)
            shares = self._packed([share * gain[chips] for share, gain in gained])
        flat = np.ascontiguousarray(cases.reshape(-1, cases.shape[-1]))
        order = np.arange(len(flat)).reshape(cases.shape[:2])
        segment = self.units * self.lanes * self.cases
        state = aligned((_native.ANALOG_SEGMENTS + 1) * segment, self.dtype)
        call = _native.AnalogCall(
            self.table, weights, sums, shares, state,
            *self._parts_of(chips), self._past(), values, flat, order,
            (body.seeds[chips], body.steps[chips]), first, learning,
            PURPOSES["unit noise" if learning else "test noise"], self.lanes, self.cases,
        )  # fmt: skip
        call.present(self.isa)
        if any(phase.plastic for phase in job.program.phases):
            self._unpack(sums, changes)

    def _parts_of(self, chips):
        """Return (gain, offset, stuck values), and each phase's constants; worked out once."""
        body = self.job.body
        key = "native", self.lanes, len(self.job.program.phases), chips.tobytes()
        if key not in body.prepared:
            units = [self._of_units(x[chips]) for x in (body.gain, body.offset, body.stuck)]
            body.prepared[key] = units, self._constants(chips)
        return body.prepared[key]

    def _constants(self, chips):
        """Return each phase's constants, shape (ANALOG_CONSTANTS, units, lanes)."""
        body = self.job.body
        return [
            np.stack(
                [
                    self._of_units(constant)
                    for constant in phase_constants(
                        self.job.program, phase, body.tau_ms[chips], body.stuck[chips]
                    )
                ]
            )
            for phase in self.job.program.phases
        ]

    def _of_units(self, array):
        """Return an array of (chips, units) as (padded unit, lane)."""
        packed = np.zeros((self.units, self.lanes), self.dtype)
        packed[self.places, : len(array)] = array.T
        return packed

    def _past(self):
        """Return room for the activities of every moment, where there is a delay."""
        program = self.job.program
        if not program.dynamics.delay_ms:
            return None
        moments = 1 + sum(phase.steps for phase in program.phases)
        return np.zeros(moments * self.units * self.lanes * self.cases, self.dtype)

    def _parts(self, packed, matrices):
        """Yield (part of the packed array, matrix), shape (col, row, lane)."""
        start = 0
        for matrix in matrices:
            rows, width = matrix.shape[1:]
            shape = width, padded(rows, self.unit), self.lanes
            size = math.prod(shape)
            yield packed[start : start + size].reshape(shape)[:, :rows], matrix
            start += size

    def _packed(self, matrices):
        size = sum(m.shape[2] * padded(m.shape[1], self.unit) for m in matrices) * self.lanes
        packed = aligned(size, self.dtype)
        for part, matrix in self._parts(packed, matrices):
            part[:, :, : len(matrix)] = matrix.T
        return packed

    def _unpack(self, packed, matrices):
        for part, matrix in self._parts(packed, matrices):
            matrix[:] = part[:, :, : len(matrix)].T


@lru_cache(maxsize=64)
def _table(program, lanes, unit):
    """Return (the phases as the core reads them, padded places of units, their number)."""
    groups = program.layout.slots[:-1]
    sizes = [padded(group.size, unit) for group in groups]
    starts = np.cumsum([0, *sizes])
    units = int(starts[-1])
    places = np.concatenate(
        [start + np.arange(group.size) for start, group in zip(starts, groups, strict=False)]
    )
    functions = program.dynamics.functions
    rows = [
        (start, group.size, group.offset, FUNCTIONS[function], 0)
        for start, group, function in zip(starts, groups, functions, strict=False)
    ]
    dynamics = program.dynamics
    n_units = groups[-1].offset + groups[-1].size
    table = _native.AnalogTable(
        _products(program, starts, lanes, unit), np.array(rows, _native.GROUP), dynamics.wiring,
        [_phase(program, phase) for phase in program.phases], n_units, units,
        settings(dynamics),
    )  # fmt: skip
    return table, places, units


def _products(program, starts, lanes, unit):
    """Return a program of one project and one correlate a matrix, as the lane walk runs it."""
    groups, units = program.layout.slots[:-1], int(starts[-1])
    slots = [
        (segment * units + start, group.size, 0)
        for segment in (SENT, TARGET, PRE, POST)
        for start, group in zip(starts, groups, strict=False)
    ]
    count = len(groups)
    project = [
        (1, 0, TARGET * count + to, SENT * count + source, -1, k, True, False, 0, 0.0, 0.0)
        for k, (source, to) in enumerate(program.dynamics.wiring)
    ]
    correlate = [
        (4, 0, -1, POST * count + to, PRE * count + source, k, True, False, 0, 0.0, 0.0)
        for k, (source, to) in enumerate(program.dynamics.wiring)
    ]
    rows, offset = [], 0
    for matrix in program.layout.matrices:
        stride = padded(matrix.rows, unit)
        rows.append((offset, matrix.rows, matrix.cols, stride, 0.0, 0.0, 0.0, 0.0, False))
        offset += (matrix.cols + 1) * stride * lanes
    return _native.Table(
        np.array(project + correlate, _native.OP), (len(project), len(correlate), 0),
        np.array(slots, _native.SLOT), np.array(rows, _native.MATRIX), 1,
        (_native.ANALOG_SEGMENTS + 1) * units, (SENT * count, TARGET * count),
    )  # fmt: skip


def _phase(program, phase):
    """Return a phase's steps, delay and flags, as the core reads them."""
    groups, wiring = len(program.layout.slots) - 1, program.dynamics.wiring
    lag = int(np.rint(program.dynamics.delay_ms / phase.dt_ms))
    changing = phase.plastic if program.dynamics.continuous else ()
    steady = [
        k not in changing and source not in phase.moving and not lag
        for k, (source, _) in enumerate(wiring)
    ]
    needed = [to in phase.moving for _, to in wiring]
    flags = (
        np.isin(range(groups), phase.clamped), np.isin(range(groups), phase.moving),
        np.isin(range(len(wiring)), phase.plastic), np.array(steady), np.array(needed),
    )  # fmt: skip
    return (phase.steps, lag, phase.dt_ms, *(flag.astype(np.uint8) for flag in flags))
