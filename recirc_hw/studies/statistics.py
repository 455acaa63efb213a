"""What may be said of shares and times, and how sure one may be.

Looking several times and stopping when the answer is clear would, with an ordinary
interval, be wrong more often than it says. Here the number of looks is fixed before the
first chip, and each look may err with an equal part of the whole allowance (Bonferroni's
inequality), so that all of them together keep the promised confidence.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from recirc_hw.metrics import exact_interval, wilson_interval

FIRST_LOOK = 25  # chips


def looks(chips):
    """Return the numbers of chips at which to look: 25, 50, 100, ..., and `chips`."""
    found, at = [], FIRST_LOOK
    while at < chips:
        found.append(at)
        at *= 2
    return [*found, chips]


def normal_quantile(confidence, parts=1):
    """Return the two-sided normal quantile of one of `parts` equal shares of the error."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / (2 * parts))


def share_interval(successes, trials, confidence=0.95, looks=1):
    """Return Wilson's interval of a share; of a study of several looks the exact one.

    Each look may then err with its part of the whole allowance, and must not err more.
    """
    if looks == 1:
        return wilson_interval(successes, trials, normal_quantile(confidence))
    return exact_interval(successes, trials, 1 - (1 - confidence) / looks)


def at_most(k, n, share):
    """Return the binomial chance of at most k successes, for a number or an array k."""
    from scipy.special import bdtr  # half of what importing this package would take

    return bdtr(k, n, share)


def decision(learned, chips, wanted, confidence, parts=1):
    """Return whether a share is "above" (or at) `wanted`, "below", or None: not clear.

    By exact binomial tails, each with half of one of `parts` equal shares of the error:
    Wilson's interval would err a little too often near 0 and 1.
    """
    allowed = (1 - confidence) / (2 * parts)
    if at_most(chips - learned, chips, 1 - wanted) <= allowed:
        return "above"
    return "below" if at_most(learned, chips, wanted) <= allowed else None


def mean_interval(values, confidence=0.95):
    """Return (mean, (low, high)) by the central limit theorem; None where there is none.

        mean +- z s / sqrt(n), s with n - 1

    Trust it for many values only: updates have a long tail.
    """
    if len(values) == 0:
        return None, None
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean, None
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    spread = normal_quantile(confidence) * error
    return mean, (mean - spread, mean + spread)


def median_interval(values, confidence=0.95):
    """Return (median, (low, high)) from order statistics, whatever the distribution.

    The interval is None where the values are too few for any at this confidence.
    Source: Conover 1999, Practical Nonparametric Statistics, section 3.2.
    """
    if len(values) == 0:
        return None, None
    ordered, n = np.sort(values), len(values)
    below = at_most(np.arange(n // 2), n, 0.5)  # P(at most k values lie below the median)
    k = int(np.count_nonzero(below <= (1 - confidence) / 2)) - 1
    interval = None if k < 0 else (float(ordered[k]), float(ordered[n - 1 - k]))
    return float(np.median(ordered)), interval


def sign_test(wins, losses):
    """Return the two-sided p value that wins and losses are equally likely, exactly.

    Of pairs in which one or the other learned this is McNemar's exact test.
    Source: McNemar 1947, Psychometrika 12, 153-157.
    """
    if wins + losses == 0:
        return 1.0
    return float(min(1.0, 2 * at_most(min(wins, losses), wins + losses, 0.5)))


def share_difference(wins, losses, pairs, confidence=0.95):
    """Return (difference, (low, high)) of two shares of the same chips.

        difference = (wins - losses) / pairs

    The interval adds half a pair to each of the four kinds of pairs.
    Source: Agresti & Min 2005, Statistics in Medicine 24, 729-740.
    """
    n, up, down = pairs + 2, wins + 0.5, losses + 0.5
    centre = (up - down) / n
    spread = normal_quantile(confidence) * math.sqrt((up + down) - (up - down) ** 2 / n) / n
    low, high = max(-1.0, centre - spread), min(1.0, centre + spread)
    return (wins - losses) / pairs, (low, high)


@dataclass(frozen=True)
class Pairing:
    """What a change did to the same chips: how many it helped and hurt, and how surely.

    `share` counts chips that learned; `ratio` is the median over the chips that learned
    both times of updates after over updates before, with its interval.
    """

    helped: int  # learned only after the change
    hurt: int  # learned only before it
    share: float
    share_interval: tuple[float, float]
    p_learned: float
    faster: int
    slower: int
    ratio: float | None
    ratio_interval: tuple[float, float] | None
    p_updates: float


def pairing(before, after, confidence=0.95):
    """Return the `Pairing` of two outcomes of the same chips.

    Raises
    ------
    ValueError
        If they are not of the same chips.
    """
    if not np.array_equal(before.seeds, after.seeds):
        raise ValueError("paired statistics need the same chips before and after")
    helped = int(np.count_nonzero(after.learned & ~before.learned))
    hurt = int(np.count_nonzero(before.learned & ~after.learned))
    share, share_interval = share_difference(helped, hurt, len(before.seeds), confidence)
    both = before.learned & after.learned
    # A chip may learn before its first update.
    ratios = (after.updates[both] + 1.0) / (before.updates[both] + 1.0)
    faster, slower = int(np.count_nonzero(ratios < 1)), int(np.count_nonzero(ratios > 1))
    ratio, ratio_interval = median_interval(ratios, confidence)
    return Pairing(
        helped, hurt, share, share_interval, sign_test(helped, hurt),
        faster, slower, ratio, ratio_interval, sign_test(faster, slower),
    )  # fmt: skip


def holm(values):
    """Return p values corrected for being several, in the order given.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, largest = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = largest
    return corrected
