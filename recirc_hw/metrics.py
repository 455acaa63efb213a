"""Errors of reconstructions, and angles between weight changes."""

import math

import numpy as np


def squared_error(target, output):
    """Return the mean over cases and units of (target - output)^2."""
    return float(np.mean((np.asarray(target, float) - output) ** 2))


def unit_error(target, output):
    """Return the largest |target - output| over cases and units.

    Source: the criterion of Hinton & McClelland 1988, page 362.
    """
    return float(np.max(np.abs(np.asarray(target, float) - output)))


def cross_entropy(target, output, margin=1e-12):
    """Return the mean over cases and units of -t log(y) - (1 - t) log(1 - y), in nats.

    Outputs are kept `margin` away from 0 and 1; half a code where outputs are codes.
    Source: Baldi & Sadowski 2018, section 7.2.
    """
    target = np.asarray(target, float)
    output = np.clip(np.asarray(output, float), margin, 1 - margin)
    return float(np.mean(-target * np.log(output) - (1 - target) * np.log1p(-output)))


def cosine(first, second):
    """Return the cosine of the angle between two arrays, NaN where one is 0."""
    first, second = np.ravel(first).astype(float), np.ravel(second).astype(float)
    norms = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / norms) if norms else math.nan


def wilson_interval(successes, trials, z=1.959963984540054):
    """Return Wilson's score interval of a share, (low, high); 95 % by default.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22, 209-212.

    Raises
    ------
    ValueError
        If trials is not positive, or successes is outside 0..trials.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"want 0 <= successes <= trials >= 1, got {successes} of {trials}")
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    scale = 1 + z * z / trials
    low = (centre - spread) / scale if successes else 0.0
    high = (centre + spread) / scale if successes < trials else 1.0
    return low, high


def exact_interval(successes, trials, confidence=0.95):
    """Return the exact interval of a share, (low, high), which errs at most as promised.

    Wilson's errs a little more often than it says where the share is near 0 or 1.
    Source: Clopper & Pearson 1934, Biometrika 26, 404-413.
    """
    from scipy.special import betaincinv  # half of what importing this package would take

    tail = (1 - confidence) / 2
    low = betaincinv(successes, trials - successes + 1, tail) if successes else 0.0
    failures = trials - successes
    high = betaincinv(successes + 1, failures, 1 - tail) if failures else 1.0
    return float(low), float(high)
