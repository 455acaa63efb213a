"""The best NumPy forms we know of plain recirculation in a tanh-logistic loop, and timing."""

import statistics
import time

import numpy as np
from threadpoolctl import threadpool_limits

import recirc_hw as rh
from recirc_hw.backends import Job, Watch, native

RATE = 0.01


def images(count=6000, seed=0):
    """MNIST's first training cases where they are at hand, else images like them."""
    try:
        return rh.tasks.mnist().train[:count]
    except rh.DataError:
        rng = np.random.default_rng(seed)
        return rng.random((count, 784)) * (rng.random((count, 784)) < 0.2)


def design(precision):
    """The 784-20-784 loop, plain recirculation."""
    network = rh.Loop(784, 20, hidden="tanh", initial_weights="glorot")
    rule = rh.Recirculation(combine="PR", presynaptic="first", learning_rate=RATE, batch="mean")
    return rh.Design(network, rule, rh.Ideal(precision=precision))


def job(cases, batch_size, precision):
    """One pass over the cases, as a backend is given it."""
    chip = design(precision).fabricate(0)
    weights = [matrix[None].copy() for matrix in chip.matrices]
    ends = np.arange(batch_size, len(cases) + 1, batch_size)
    return Job(
        chip.design.program, weights, [np.zeros_like(w) for w in weights],
        np.ascontiguousarray(cases, precision), np.arange(len(cases))[None], ends,
        Watch.start(1),
    )  # fmt: skip


def numpy_batches(cases, A, a, B, b, batch_size):
    """Batches as matrix products; A, a, B, b are changed in place."""
    for start in range(0, len(cases), batch_size):
        v = cases[start : start + batch_size]
        h = np.tanh(v @ A.T + a)
        y = 1 / (1 + np.exp(-(h @ B.T + b)))
        dv, dh = v - y, h - np.tanh(y @ A.T + a)
        rate = v.dtype.type(RATE / len(v))
        B += (rate * dv).T @ h
        b += rate * dv.sum(0)
        A += (rate * dh).T @ v
        a += rate * dh.sum(0)


def numpy_online(cases, A, a, B, b):
    """One case at a time, in vectors; A, a, B, b are changed in place."""
    rate = cases.dtype.type(RATE)
    for v in cases:
        h = np.tanh(A @ v + a)
        y = 1 / (1 + np.exp(-(B @ h + b)))
        dv, dh = rate * (v - y), rate * (h - np.tanh(A @ y + a))
        B += dv[:, None] * h
        b += dv
        A += dh[:, None] * v
        a += dh


def parts(weights):
    """Split [visible>hidden, hidden>visible] of one chip into A, a, B, b."""
    return [
        np.ascontiguousarray(part)
        for matrix in weights
        for part in (matrix[0, :, :-1], matrix[0, :, -1])
    ]


def compare(question, goal, batch_size, peer, precision="float32", rounds=7):
    """Time the native backend against `peer` alternately; print the ratio of medians."""
    cases = images()
    ours, theirs = [], []
    for _ in range(rounds):
        work = job(cases, batch_size, precision)
        start_weights = parts(work.weights)
        with threadpool_limits(1):
            began = time.perf_counter()
            peer(work.cases, *start_weights)
            theirs.append(time.perf_counter() - began)
        began = time.perf_counter()
        native.train(work)
        ours.append(time.perf_counter() - began)
        for mine, other in zip(parts(work.weights), start_weights, strict=True):
            np.testing.assert_allclose(mine, other, atol=2e-3)
    count = len(cases) / batch_size
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(
        f"{question} ({precision}): native {statistics.median(ours) / count * 1e6:.1f} us, "
        f"NumPy {statistics.median(theirs) / count * 1e6:.1f} us an update: "
        f"{ratio:.2f} times NumPy (goal {goal})"
    )
