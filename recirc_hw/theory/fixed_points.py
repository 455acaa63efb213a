"""Where the systems of `odes` rest, and how good a place that is."""

import numpy as np


def two_weight_fixed_points(difference, cycles=1):
    """Return the fixed points of a ring of two weights, and which of them attract.

        da_1/dt = beta a_1 (1 - (a_1 (a_1 + K))^n),   K = a_2 - a_1

    a_1 = 0; P = 1 at a_1 = (-K +- sqrt(K^2 + 4)) / 2; and, for even n and |K| >= 2,
    P = -1 at a_1 = (-K +- sqrt(K^2 - 4)) / 2. Source: Baldi & Sadowski 2018, eqs. 46
    and 47, where the last pair is missing for even n.

    Returns
    -------
    list of (a_1, whether it attracts from both sides), a_1 rising
    """
    points = [0.0, *_roots(difference, 4)]
    if cycles % 2 == 0 and abs(difference) >= 2:
        points += _roots(difference, -4)
    return [(float(a), _slope(a, difference, cycles) < 0) for a in sorted(points)]


def _roots(difference, constant):
    """Return (-K +- sqrt(K^2 + constant)) / 2."""
    root = np.sqrt(difference**2 + constant)
    return [(-difference - root) / 2, (-difference + root) / 2]


def _slope(a, difference, cycles):
    """Return the derivative of a (1 - (a (a + K))^n) by a."""
    product = a * (a + difference)
    inner = cycles * product ** (cycles - 1) * (2 * a + difference)
    return 1 - product**cycles - a * inner


def linear_loss(matrices, sigma):
    """Return E |I - A B I|^2 = trace((Id - AB) Sigma (Id - AB)^t)."""
    b, a = matrices
    rest = np.eye(len(sigma)) - a @ b
    return float(np.trace(rest @ sigma @ rest.T))


def least_loss(sigma, n_hidden):
    """Return the least loss of a linear code: the sum of Sigma's smallest eigenvalues."""
    return float(np.linalg.eigvalsh(sigma)[: len(sigma) - n_hidden].sum())


def best_decoder(encoder, sigma):
    """Return the A that is best for B: Sigma B^t (B Sigma B^t)^-1; then B A = Id.

    With it dB/dt = B (Id - A B) Sigma = 0, whatever the B of full rank: every encoder
    is a fixed point of eq. 37, not only the critical points of the loss.
    """
    return np.linalg.solve(encoder @ sigma @ encoder.T, encoder @ sigma).T
