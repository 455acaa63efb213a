"""Recording what the reference does in continuous time, moment by moment."""

import numpy as np

from recirc_hw.backends import spiking
from recirc_hw.backends.job import Job, Watch
from recirc_hw.trajectory import Trajectory


def record(program, weights, cases, body, **where):
    """Return the trajectory, or the spikes, of one chip and its cases; nothing is written.

    Parameters
    ----------
    weights : list of arrays, shape (1, rows, cols + 1)
    cases : array, shape (n_cases, case_size); of analog chips a single one
    **where : window_ms, folder; of spiking chips alone: see `record_spikes`
    """
    if spiking.spikes(program):
        from recirc_hw.backends import native
        from recirc_hw.backends.spike_recorder import record_spikes

        matrices = [matrix[0] for matrix in weights]
        advance = native.spiking_advance(native.ISAS[-1])
        return record_spikes(program, matrices, cases, body, advance, **where)
    from recirc_hw.backends import reference_analog

    job = Job(program, weights, [], cases, None, None, Watch.start(1), body=body)
    moments = []

    def watch(phase, state, changes):
        copies = state.activity[0].copy(), state.trace[0].copy(), [c.copy() for c in changes]
        moments.append((phase, *copies))

    reference_analog.present(job, [0], cases[None], True, watcher=watch)
    return _trajectory(program, weights, body, moments)


def _trajectory(program, weights, body, moments):
    """Return the moments side by side, by group and by matrix."""
    groups, matrices = program.layout.slots[:-1], program.layout.matrices
    activity, trace = (np.stack([moment[k] for moment in moments]) for k in (1, 2))
    ends = np.cumsum([0.0, *(phase.duration_ms for phase in program.phases)])
    spans = [
        (phase.name, float(start), float(end))
        for phase, start, end in zip(program.phases, ends, ends[1:], strict=False)
    ]
    untraced = np.repeat(np.array(program.dynamics.trace_ms) == 0, [g.size for g in groups])
    trace = np.where(untraced, activity, trace)
    parts = {g.name: slice(g.offset, g.offset + g.size) for g in groups}
    return Trajectory(
        np.cumsum([0.0, *(phase.dt_ms for phase, *_ in moments[1:])]),
        {name: activity[:, part] for name, part in parts.items()},
        {name: trace[:, part] for name, part in parts.items()},
        {
            matrix.name: weights[k][0]
            + (matrix.policy.rate if matrix.policy else 0.0)
            * body.write_gain[k][0]
            * np.stack([moment[3][k] for moment in moments])
            for k, matrix in enumerate(matrices)
        },
        tuple(spans),
    )
