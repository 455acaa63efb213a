"""Jobs of spiking chips, short enough for the reference; the same for every backend."""

import numpy as np

from recirc_hw import Design, Loop, Recirculation, Spiking
from recirc_hw.backends import Job, Watch, reference

SHORT = {
    "tau_ms": 20.0, "tau_hidden_ms": 12.0, "release_ms": 40.0, "readout_ms": 60.0,
}  # fmt: skip
KINDS = {
    "plain": {},
    "several neurons, shunting clamp, long release": {
        "neurons": 3, "clamp": "shunting", "release_ms": 150.0,
    },
    "own weights for each neuron": {"neurons": 2, "shared_weights": False},
    "noisy threshold": {"neuron": "noisy_threshold"},
    "plain LIF": {"neuron": "noisy_threshold", "threshold_noise": 0.0, "threshold": 1.0},
    "approximate jumps": {"jump": "approximate"},
    "raw presynaptic spikes": {"plasticity": "raw_presynaptic", "neurons": 2},
    "pair STDP": {"plasticity": "pair_stdp", "neurons": 2},
    "two-phase Hebb": {"plasticity": "two_phase_hebb"},
    "half a millisecond": {"dt_ms": 0.5},
}  # fmt: skip
ROUNDING = 1e-12  # of weights: hundreds of steps, sums in another order


def design_of(kind, sizes=(4, 2)):
    """Return a design whose weights move far within a few cases."""
    substrate = Spiking(**{**SHORT, **KINDS[kind]})
    return Design(Loop(*sizes), Recirculation(learning_rate=40.0), substrate)


def job_of(design, seeds=(3, 4), batches=2, threads=1):
    """Return a fresh job of graded cases, two to a batch."""
    chips = [design.fabricate(seed) for seed in seeds]
    weights = [np.stack(m) for m in zip(*(chip.matrices for chip in chips), strict=True)]
    program, size = design.lowered(2), design.network.case_size
    cases = np.random.default_rng(0).random((3, size)).round(2)
    cases[0] = np.arange(size) % 2
    order = np.random.default_rng(1).integers(0, 3, (len(seeds), 2 * batches))
    return Job(
        program, weights, [np.zeros_like(w) for w in weights], cases, order,
        np.arange(1, batches + 1) * 2, Watch.start(len(seeds)), threads, 2,
        design.substrate.body(seeds, program),
    )  # fmt: skip


def outcome(train, job):
    """Return everything that a training leaves behind, by name."""
    error, unit_error = train(job)
    left = {f"weights {k}": matrix for k, matrix in enumerate(job.weights)}
    return left | job.body.changing() | {"error": error, "unit error": unit_error}


def assert_same(found, wanted):
    """Counts and refractory times are whole numbers, and equal; the rest to ROUNDING."""
    for name, values in wanted.items():
        if values.dtype.kind in "iu":
            np.testing.assert_array_equal(found[name], values, err_msg=name)
        else:
            np.testing.assert_allclose(found[name], values, 0, ROUNDING, err_msg=name)


def reference_outcome(design):
    """Return the reference's outcome, and its answers by counts."""
    job = job_of(design)
    found = outcome(reference.train, job)
    assert any(
        np.abs(after - before).max() > 0.01
        for after, before in zip(job.weights, job_of(design).weights, strict=True)
    )
    return found, answers(reference, design, job)


def answers(backend, design, job):
    """Return the spike counts' reconstruction by the weights a job left behind."""
    program = design.lowered_inference
    return backend.forward(program, job.weights, job.cases, program.monitor[1], body=job.body)
