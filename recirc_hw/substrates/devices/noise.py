"""How a measured staircase scatters about its mean: noise that stays, and noise that passes.

Pulse-to-pulse spread adds up along a staircase (a random walk of variance c2 a pulse);
read or write noise comes and goes (variance r2 a point). Both are told apart by the
correlation of neighbouring increments.
"""

from typing import NamedTuple

import numpy as np

LONGEST = 3  # a staircase is looked at in at least so many stretches


class Scatter(NamedTuple):
    """The variances of the walk between two points and of the noise at each, and the lag.

    The lag is over how many points a fit should predict: so many that the walk over them
    has the variance of the noise at both ends, but no more than the way itself takes.
    """

    walk: float
    noise: float
    lag: int


def scatter(staircases):
    """Return the `Scatter`, from second differences, which a smooth mean hardly enters.

    w_(k+1) - 2 w_k + w_(k-1) has variance 2 walk + 6 noise and covariance
    -walk - 4 noise with its neighbour.
    """
    bends = [np.diff(stair.values, 2) for stair in staircases]
    count = sum(bend.size for bend in bends)
    variance = sum(np.sum(bend**2) for bend in bends) / count
    neighbours = sum(bend.size - 1 for bend in bends)
    covariance = sum(np.sum(bend[1:] * bend[:-1]) for bend in bends) / max(neighbours, 1)
    noise = max(-(variance + 2.0 * covariance) / 2.0, 0.0)
    walk = max((variance - 6.0 * noise) / 2.0, 0.0)
    most = min(min((len(s.values) - 1) // LONGEST, points_on_the_way(s)) for s in staircases)
    lag = np.clip(np.ceil(2.0 * noise / walk) if walk else most, 1, most)
    return Scatter(walk, noise, int(lag))


def points_on_the_way(stair):
    """Return how many points it takes to the first 60 % of a staircase's way, at least 1."""
    way = np.abs(stair.values - stair.values[0])
    return max(int(np.argmax(way >= 0.6 * way.max())), 1)


def off_and_on_bound(stair, extreme, found):
    """Return which predictions over the lag start off a bound at `extreme`, which on it.

    One that starts within a step and four sd of the walk from the bound is neither: a
    hard bound would cut it off on one side. One that starts on the bound tells where it
    is. Where noise passes (a lag above 1) it hides both, and none is left out.
    """
    start = stair.values[: -found.lag]
    if found.lag > 1:
        return np.full(start.shape, True), np.full(start.shape, False)
    step = np.mean(np.abs(np.diff(stair.values)))
    distance = np.abs(start - extreme)
    near = distance < step + 4.0 * np.sqrt(found.walk)
    return ~near, distance <= 3.0 * np.sqrt(found.noise) + 1e-12


def cycle_spread(staircases, vectors, curve):
    """Return (dw_min_std, sd of passing noise), from increments about the fitted model.

    An increment's residual has variance dw_min_std^2 step^2 n + 2 r2, and covariance -r2
    with the next; r2 counts where that covariance lies beyond three standard errors.

    Parameters
    ----------
    staircases : list of Staircase
    vectors : dict of parameter vectors, by device
    curve : Curve of the chosen model
    """
    squares, products, steps = [], [], []
    for stair in staircases:
        residual, step = _increments(stair, vectors[stair.device], curve)
        squares.append(residual**2)
        products.append(residual[1:] * residual[:-1])
        steps.append(step)
    squares, products, steps = map(np.concatenate, (squares, products, steps))
    products = products[np.isfinite(products)]
    inside = np.isfinite(squares)
    error = np.std(products) / np.sqrt(max(products.size, 1)) if products.size else np.inf
    r2 = -np.mean(products) if products.size and np.mean(products) < -3.0 * error else 0.0
    if not inside.any() or not np.mean(steps[inside]) > 0:
        return 0.0, float(np.sqrt(r2))
    spread = max(np.mean(squares[inside]) - 2.0 * r2, 0.0) / np.mean(steps[inside])
    return float(np.sqrt(spread)), float(np.sqrt(r2))


def _increments(stair, vector, curve):
    """Return (residuals of the increments, n step^2); NaN where a bound was reached."""
    n, before = np.diff(stair.pulses), stair.values[:-1]
    mean = curve.after(vector, stair.up, stair.pulses, stair.values[0])
    after = curve.after(vector, stair.up, n, before)
    residual = stair.values[1:] - after
    bound = vector[2] if stair.up else vector[3]
    margin = 1e-9 + n * curve.step(vector, stair.up, mean[1:])
    atop = (np.abs(mean[1:] - bound) < margin) | (after == bound)
    walks = n * curve.step(vector, stair.up, mean[:-1]) ** 2
    return np.where(atop, np.nan, residual), walks
