"""Many small chips: 1000 x 4-2-4, 200 updates each, on one core.

Goal: at least 5 million chip-updates per second in the native kernel.
"""

import statistics
import time

import numpy as np

import recirc_hw as rh
from recirc_hw.backends import Job, Watch, native, reference

CHIPS, UPDATES = 1000, 200


def job(chips, updates, precision):
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Ideal(precision=precision))
    made = [design.fabricate(seed) for seed in range(chips)]
    weights = [np.stack([chip.matrices[k] for chip in made]) for k in range(2)]
    return Job(
        design.program, weights, [np.zeros_like(w) for w in weights],
        np.eye(4, dtype=precision),
        np.tile(np.arange(4), updates)[None], np.arange(4, 4 * updates + 1, 4),
        Watch.start(chips),
    )  # fmt: skip


def main():
    for precision, tolerance in (("float32", 1e-5), ("float64", 1e-13)):
        mine, plain = job(40, 2, precision), job(40, 2, precision)
        native.train(mine)
        reference.train(plain)
        for a, b in zip(mine.weights, plain.weights, strict=True):
            np.testing.assert_allclose(a, b, atol=tolerance)
        spent = []
        for _ in range(7):
            work = job(CHIPS, UPDATES, precision)
            began = time.perf_counter()
            native.train(work)
            spent.append(time.perf_counter() - began)
        rate = CHIPS * UPDATES / statistics.median(spent) / 1e6
        print(f"chips ({precision}): {rate:.1f} million chip-updates a second (goal 5)")
