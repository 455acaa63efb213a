"""The differential equations of linear recirculation, and what they conserve.

A system is a function from its weights to their time derivatives, both tuples of
arrays. Weights of scalar systems may have further axes in front, one start each.
All equation numbers are Baldi & Sadowski's, 2018.
"""

from itertools import accumulate

import numpy as np
from scipy.integrate import solve_ivp

LARGEST = 1e6  # weight that is followed


def recirculation(matrices, sigma):
    """Return dA^h/dt of linear recirculation round L weight matrices.

        P^h = A^h ... A^1,   P = P^L
        dA^h/dt = P^h (Id - P) Sigma (P^(h-1))^t,   h = 1..L-1
        dA^L/dt = (Id - P) Sigma (P^(L-1))^t

    Source: eqs. 20 and 35; eq. 37 where L = 2, with B = A^1 and A = A^2.

    Parameters
    ----------
    matrices : tuple of float arrays, A^1 .. A^L in the order of the pass
    sigma : float array, shape (n_visible, n_visible), E(I I^t)

    Returns
    -------
    tuple of float arrays, shaped as the matrices
    """
    identity = np.eye(len(sigma))
    products = list(accumulate(matrices, lambda before, a: a @ before, initial=identity))
    driven = (identity - products[-1]) @ sigma
    sent = [*products[1:-1], identity]
    return tuple(p @ driven @ q.T for p, q in zip(sent, products, strict=False))


def gradient(matrices, sigma):
    """Return (dB/dt, dA/dt) of gradient descent: dB/dt = A^t (Id - AB) Sigma; eq. 38."""
    return random_feedback(matrices, sigma, matrices[1].T)


def random_feedback(matrices, sigma, feedback):
    """Return (dB/dt, dA/dt) of random backpropagation, eq. 39.

    dB/dt = C (Id - AB) Sigma,   dA/dt = (Id - AB) Sigma B^t
    """
    b, a = matrices
    driven = (np.eye(len(sigma)) - a @ b) @ sigma
    return feedback @ driven, driven @ b.T


def gradient_invariant(matrices):
    """Return A^t A - B B^t, which eq. 38 conserves."""
    b, a = matrices
    return a.T @ a - b @ b.T


def random_feedback_invariant(matrices, feedback):
    """Return C A + (C A)^t - B B^t, which eq. 39 conserves."""
    b, a = matrices
    return feedback @ a + (feedback @ a).T - b @ b.T


def chain(weights, beta=1.0, cycles=1):
    """Return da/dt of a ring of L single linear units, output recirculated n times.

        da_h/dt = beta a_1^2 ... a_(h-1)^2 a_h (1 - P^n),   h = 1..L-1
        da_L/dt = beta a_1 ... a_(L-1) (1 - P^n),           P = a_1 ... a_L

    Source: eqs. 40 (n = 1), 45 (also L = 2) and 48.

    Parameters
    ----------
    weights : float array, shape (..., L)
    beta : float, E(I^2)
    cycles : int, n
    """
    drive = beta * (1 - np.prod(weights, axis=-1, keepdims=True) ** cycles)
    rates = senders(weights) * drive
    rates[..., -1] = np.prod(weights[..., :-1], axis=-1) * drive[..., 0]
    return rates


def between_cycles(weights, earlier, later, beta=1.0):
    """Return da/dt where every weight compares cycle n with cycle m, presynaptic of n.

        da_h/dt = beta a_1^2 ... a_(h-1)^2 a_h P^(2n) (1 - P^(m-n)),   h = 1..L

    Source: eq. 51.
    """
    product = np.prod(weights, axis=-1, keepdims=True)
    drive = product ** (2 * earlier) * (1 - product ** (later - earlier))
    return beta * senders(weights) * drive


def senders(weights):
    """Return a_1^2 ... a_(h-1)^2 a_h for every h, shape (..., L)."""
    return squares_before(weights) * weights


def squares_before(weights):
    """Return a_1^2 ... a_(h-1)^2 for every h, shape (..., L); 1 for the first."""
    squares = np.cumprod(weights**2, axis=-1)
    return np.concatenate([np.ones_like(squares[..., :1]), squares[..., :-1]], axis=-1)


def chain_invariants(weights):
    """Return log|a_(h+1)| - a_h^2 / 2 for h = 1..L-2, conserved; eqs. 42 and 49.

    For L = 2 the last two weights alone: a_2 - a_1, of eq. 45.
    """
    if weights.shape[-1] == 2:
        return weights[..., 1:] - weights[..., :1]
    return np.log(np.abs(weights[..., 1:-1])) - weights[..., :-2] ** 2 / 2


def fan(out, into, beta=1.0):
    """Return (da/dt, db/dt) of A*[1, N, 1]: both are beta b_i (1 - P), P = sum a_i b_i.

    Source: eq. 52; a - b is conserved.

    Parameters
    ----------
    out, into : float array, shape (..., N): a, hidden to output; b, input to hidden
    """
    rate = beta * into * (1 - np.sum(out * into, axis=-1, keepdims=True))
    return rate, rate


def fan_plane(product, squares, beta=1.0):
    """Return (dP/dt, dB/dt) for P = sum a_i b_i and B = |b|^2.

        dP/dt = beta (1 - P) (P + B),   dB/dt = 2 beta (1 - P) B

    Source: eqs. 53 and 55.
    """
    return beta * (1 - product) * (product + squares), 2 * beta * (1 - product) * squares


def integrate(system, start, times, tolerance=1e-9):
    """Follow a system from its weights at time 0, through SciPy's solve_ivp (LSODA).

    Parameters
    ----------
    system : callable(weights), a tuple of arrays to a tuple of derivatives
    start : tuple of float arrays
    times : float array, rising from 0: when the weights are asked for
    tolerance : float, relative

    Returns
    -------
    list of tuples of arrays, the weights at each time

    Raises
    ------
    RuntimeError
        If a weight runs off to infinity, or the solver gives up.
    """
    shapes = [np.shape(part) for part in start]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def parts(flat):
        pieces = np.split(flat, ends[:-1])
        return tuple(p.reshape(shape) for p, shape in zip(pieces, shapes, strict=True))

    def derivative(time, flat):
        if np.abs(flat).max() > LARGEST:
            raise RuntimeError(f"the weights run off to infinity near t = {time:g}")
        return np.concatenate([np.ravel(d) for d in system(parts(flat))])

    found = solve_ivp(
        derivative, (0, times[-1]), np.concatenate([np.ravel(part) for part in start]),
        method="LSODA", t_eval=times, rtol=tolerance, atol=tolerance * 1e-3,
    )  # fmt: skip
    if not found.success:
        raise RuntimeError(f"the solver stopped near t = {found.t[-1]:g}: {found.message}")
    return [parts(flat) for flat in found.y.T]
