"""What a training looks like from inside, at a few moments of it."""

import numpy as np

from recirc_hw.metrics import cosine
from recirc_hw.rules import Backprop

CASES = 100  # at most, that a probe looks at


def moments(total):
    """Return the update numbers at which to look: 0, 1, 2, 5, 10, ... and the last."""
    steps = [0] + [d * 10**e for e in range(12) for d in (1, 2, 5)]
    return sorted({step for step in steps if step < total} | {total})


def probe(chip, cases, backend="native"):
    """Return norms and alignments of the weight change that the rule asks for now.

    Returns
    -------
    dict of lists, one value per weight matrix in network order:
    `change`: root mean square of the change asked for, before the rate;
    `alignment`: cosine between it and steepest descent of the squared error;
    `symmetry`: cosine between the matrix and the transpose of its mirror across
    the loop (NaN where their shapes do not match).
    Source: Hinton & McClelland 1988, pages 362 and 363.
    """
    cases = cases[:CASES]
    changes = chip.weight_change(cases, backend=backend)
    descent = chip.weight_change(cases, Backprop(loss="squared"))
    weights = chip.weights
    return {
        "change": [float(np.sqrt(np.mean(change**2))) for change in changes],
        "alignment": [cosine(a, b) for a, b in zip(changes, descent, strict=True)],
        "symmetry": [
            _symmetry(weights[k], weights[len(weights) - 1 - k]) for k in range(len(weights))
        ],
    }


def _symmetry(weights, mirror):
    """Return the cosine between a matrix and its mirror's transpose, biases left out."""
    first, second = weights[:, :-1], mirror[:, :-1].T
    return cosine(first, second) if first.shape == second.shape else float("nan")
