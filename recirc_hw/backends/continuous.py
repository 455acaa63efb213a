"""What every backend does with phases: present a batch, judge it, write the weights.

A backend brings `present(job, chips, cases, learning)`, which integrates one batch
and returns (values, changes): every slot at the end of the first phase, shape
(n_chips, n_cases, layout size), and each matrix's gathered change, (n_chips, rows,
cols + 1), or None where nothing learns.
"""

import numpy as np

from recirc_hw.backends.job import Job, Watch

BLOCK = 512  # cases that `forward` presents at once


def train(job, present, learn):
    """Train the chips of a job; return (error, unit_error) as the reference does.

    `learn(job, chips, changes, n_cases)` takes over what a batch brought.
    """
    error, unit_error = job.history()
    start = 0
    for batch, end in enumerate(job.batch_ends):
        chips = np.flatnonzero(job.watch.active)
        if not chips.size:
            break
        order = job.order[chips if len(job.order) > 1 else [0] * len(chips), start:end]
        values, changes = present(job, chips, job.cases[order], learning=True)
        difference = np.float64(_slot(job.program, values, 0) - _slot(job.program, values, 1))
        error[chips, batch] = np.mean(difference**2, axis=(1, 2))
        unit_error[chips, batch] = np.max(np.abs(difference), axis=(1, 2))
        goes_on = [job.watch.judge(chip, unit_error[chip, batch]) for chip in chips]
        learn(job, chips[goes_on], [change[goes_on] for change in changes], end - start)
        start = end
    return error, unit_error


def forward(program, weights, cases, slot, body, present):
    """Run the first phase alone; return a slot, shape (n_chips, n_cases, its size)."""
    chips, found = np.arange(len(weights[0])), []
    place = program.layout.slots[slot]
    for start in range(0, len(cases), BLOCK):
        block = cases[start : start + BLOCK]
        block = np.broadcast_to(block, (len(chips), *block.shape))
        job = Job(program, weights, [], cases, None, None, Watch.start(len(chips)), body=body)
        values, _ = present(job, chips, block, learning=False, first=start)
        found.append(values[..., place.offset : place.offset + place.size])
    return np.concatenate(found, axis=1)


def _slot(program, values, which):
    """Return the target (0) or the output (1) of the monitor."""
    slot = program.layout.slots[program.monitor[which]]
    return values[..., slot.offset : slot.offset + slot.size]


def write(job, chips, changes, n_cases):
    """Add a batch's changes to the sums, and write those of matrices that are written."""
    if not chips.size:
        return  # all of them stopped at this batch
    body, shares = job.body, write_shares(job, chips, n_cases)
    for k, (matrix, change) in enumerate(
        zip(job.program.layout.matrices, changes, strict=True)
    ):
        if matrix.policy is None:
            job.sums[k][chips] += change
        else:
            job.weights[k][chips] = body.synapses.write(
                k, chips, job.weights[k][chips], shares[k] * change,
                body.seeds[chips], body.steps[chips],
            )  # fmt: skip
    body.steps[chips] += 1


def weights_as_read(job, chips):
    """Return each matrix of some chips as its units read it, (n_chips, rows, cols + 1)."""
    body, found = job.body, []
    for k, held in enumerate(job.weights):
        seeds, steps = body.seeds[chips], body.steps[chips]
        seen = body.synapses.seen(k, chips, held[chips], seeds, steps)
        gain = _read_gains(body, held.dtype)[k]
        found.append(seen if gain is None else seen * gain[chips])
    return found


def _read_gains(body, dtype):
    """Return each matrix's read gains in the weights' precision, or None where all are 1."""
    key = "read gains", dtype
    if key not in body.prepared:
        body.prepared[key] = [
            None if (gain == 1).all() else gain.astype(dtype) for gain in body.read_gain
        ]
    return body.prepared[key]


def write_shares(job, chips, n_cases):
    """Return what each matrix's gathered change is multiplied by: its rate and write gain.

    Matrices that are not written have 0.
    """
    found = []
    for matrix, gain in zip(job.program.layout.matrices, job.body.write_gain, strict=True):
        policy = matrix.policy
        rate = policy.rate / (n_cases if policy.mean else 1) if policy else 0.0
        found.append(rate * gain[chips])
    return found
