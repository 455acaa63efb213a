"""Where scalar systems end, from thousands of starts at once.

All starts are one system for SciPy's solve_ivp. Each runs by a clock of its own,
which makes its fastest rate about 1: an orbit, and so its limit, is the same by
any clock, and the whole stays easy to integrate.
"""

import numpy as np
from scipy.integrate import solve_ivp

from recirc_hw.theory.odes import senders, squares_before

UNTIL = 80.0  # by each start's own clock; P goes to 1 as exp(-clock), or off as exp(clock)


def chain_limits(starts, cycles=(0, 1), tolerance=1e-6):
    """Return the P that each start of a ring of single linear units tends to.

    Parameters
    ----------
    starts : float array, shape (n, L)
    cycles : (n, m)
        (0, n) for eqs. 40 and 48, in which the last weight descends the gradient;
        with n > 0 eq. 51, all weights by one rule. Rising: 0 <= n < m.

    Returns
    -------
    float array, shape (n,): the limits of P = a_1 ... a_L; huge where infinite

    Raises
    ------
    ValueError
        If the cycles are not two rising whole numbers, 0 or more.
    """
    earlier, later = _rising(cycles)
    power = later - earlier

    def flow(weights):
        product = np.prod(weights, axis=-1, keepdims=True)
        # P^(2n) > 0 is part of the clock: without it every n runs alike.
        rates, drive = senders(weights), 1 - product**power
        squares, size = squares_before(weights), np.maximum(1, np.abs(product))
        pace = squares.sum(axis=-1, keepdims=True) * size**power
        if earlier == 0:
            last = np.prod(weights[..., :-1], axis=-1)
            rates[..., -1] = last
            # The last weight does not grow with itself, so large |P| needs less haste.
            pace += last[..., None] ** 2 * (size ** (power - 1) - size**power)
        return rates * drive / pace

    return np.prod(_settled(flow, starts, tolerance), axis=-1)


def _rising(cycles):
    """Return the two cycles that are compared, once they prove to rise from 0 or more."""
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in cycles)
    if len(cycles) != 2 or not whole or not 0 <= cycles[0] < cycles[1]:
        raise ValueError(f"cycles = {cycles}: want two rising whole numbers, 0 or more")
    return cycles


def fan_limits(out, into, tolerance=1e-6):
    """Return the P that each start of A*[1, N, 1] tends to, eq. 52.

    Parameters
    ----------
    out, into : float arrays, shape (n, N)
    """
    constant = out - into  # conserved

    def product(b):
        return np.sum((b + constant) * b, axis=-1, keepdims=True)

    def flow(b):
        p = product(b)
        return b * (1 - p) / (1 + np.sum(b**2, axis=-1, keepdims=True) + np.abs(p))

    return product(_settled(flow, into, tolerance))[:, 0]


def _settled(flow, starts, tolerance):
    """Return all weights at the end of their own clocks."""
    shape = starts.shape

    def derivative(_, flat):
        return flow(flat.reshape(shape)).ravel()

    found = solve_ivp(
        derivative, (0, UNTIL), starts.ravel(), method="RK45", rtol=tolerance, atol=1e-9
    )
    return found.y[:, -1].reshape(shape)


def ends_at_minus_one(first, second):
    """Return which starts (a_1, a_2) of eq. 48 with L = 2 and even n tend to P = -1.

    |K| > 2,   a_1 K < 0,   |a_1| < (|K| + sqrt(K^2 - 4)) / 2,   K = a_2 - a_1
    """
    k = second - first
    reach = (np.abs(k) + np.sqrt(np.maximum(k**2 - 4, 0))) / 2
    return (np.abs(k) > 2) & (first * k < 0) & (np.abs(first) < reach)
