"""What every reproduction shares: chips to train, and how numbers become lines."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from recirc_hw.metrics import wilson_interval
from recirc_hw.reproduce.result import Line
from recirc_hw.training import train


@dataclass(frozen=True)
class Bench:
    """How a result is to be reproduced.

    Parameters
    ----------
    quick : bool
        Whether to take small tasks and few chips, for seconds instead of minutes.
    seed : int
        Seed of the first chip; the others follow.
    backend : str
    progress : callable(label, done_updates, total_updates), or None
        Called all along each training.
    """

    quick: bool = False
    seed: int = 0
    backend: str = "native"
    progress: object = None

    def pick(self, quick, full):
        """Return the first in quick mode, the second otherwise."""
        return quick if self.quick else full

    def fabricate(self, design, n):
        """Return n chips of a design."""
        return [design.fabricate(self.seed + i) for i in range(n)]

    def train(self, label, design, task, n, **options):
        """Train n chips of a design; return their runs."""
        return self.train_chips(label, self.fabricate(design, n), task, **options)

    def train_chips(self, label, chips, task, **options):
        """Train these chips; return their runs."""
        return train(
            chips,
            task,
            backend=self.backend,
            probes=False,
            progress=self.progress
            and (lambda done, total, _: self.progress(label, done, total)),
            **options,
        )


def mean_line(what, values, *, paper=None, band=None):
    """Return a line for the mean of one value per chip, with Student's interval."""
    values = np.asarray(values, float)
    n = len(values)
    if n == 0:
        return Line(what, float("nan"), None, paper, band, 0)
    mean, interval = float(values.mean()), None
    if n > 1:
        half = float(student.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
        interval = (mean - half, mean + half)
    return Line(what, mean, interval, paper, band, n)


def median_line(what, values, *, paper=None, band=None):
    """Return a line for the median, with the interval between two order statistics.

    The interval runs from the k-th lowest to the k-th highest value,
    k = floor(n / 2 - .98 sqrt(n)): the normal limit of the binomial. Fewer than six
    values have no such interval of 95 %.
    """
    ordered = np.sort(np.asarray(values, float))
    n = len(ordered)
    if n == 0:
        return Line(what, float("nan"), None, paper, band, 0)
    k = max(1, int(n / 2 - 0.98 * np.sqrt(n)))
    interval = (float(ordered[k - 1]), float(ordered[n - k])) if n > 5 else None
    return Line(what, float(np.median(ordered)), interval, paper, band, n)


def share_line(what, flags, *, paper=None, band=None):
    """Return a line for the share of chips of which something is true, Wilson's interval."""
    flags = np.asarray(flags, bool)
    hits, n = int(flags.sum()), len(flags)
    return Line(what, hits / n, wilson_interval(hits, n), paper, band, n)


def mean_share_line(what, values, *, most=1.0, paper=None, band=None):
    """Return a line for the mean of one value in 0..`most` per chip, such as a share.

    The interval is Wilson's, with the chips as the trials: a mean m of n values in 0..1
    has a variance of at most m (1 - m) / n, that of n values which are 0 or 1. So it is
    wider than need be, but stays within 0..most, and has a width where all chips agree.
    """
    values = np.asarray(values, float)
    if len(values) == 0:
        return Line(what, float("nan"), None, paper, band, 0)
    interval = wilson_interval(float(values.sum() / most), len(values))
    ends = (most * interval[0], most * interval[1])
    return Line(what, float(values.mean()), ends, paper, band, len(values))


def learned_line(what, runs, share, others=100):
    """Return the line of the share that learned, in its `share_band`."""
    band = share_band(share, others, len(runs))
    return share_line(what, [run.learned for run in runs], band=band)


def share_band(share, others, n):
    """Return where the share of n chips may fall, given that of others' chips.

    3.29 standard errors of the difference of two shares, each estimated with two
    successes and two failures more than were seen (Agresti & Coull 1998).
    """
    likely = (others * share + 2) / (others + 4)
    spread = 3.29 * np.sqrt(likely * (1 - likely) * (1 / others + 1 / n))
    low, high = share - spread, share + spread
    return (float(low) if low > 0 else None, float(high) if high < 1 else None)


def range_band(low, high, others, n):
    """Return where the share of n chips may fall, given shares low to high of others' chips.

    From the lower end of the one `share_band` to the upper end of the other.
    """
    return (share_band(low, others, n)[0], share_band(high, others, n)[1])


def mean_band(values, low, high=None, others=1000):
    """Return where the mean of these values may fall, given others' mean or range of means.

    An independent build found `low` (to `high`) over `others` chips: four standard errors
    of the difference of two means, with the spread that ours have.
    """
    spread = 4 * np.std(values, ddof=1) * np.sqrt(1 / len(values) + 1 / others)
    return (float(low - spread), float((low if high is None else high) + spread))


def updates_line(what, runs, low=None, high=None, others=100):
    """Return the line of the mean updates of those that learned, and where it may fall.

    An independent build found a mean of `low` to `high` over `others` chips; `low` None
    for no band. The band is their `mean_band`.
    """
    updates, band = [run.updates for run in runs if run.learned], None
    if low is not None and len(updates) > 2:
        band = mean_band(updates, low, high, others)
    return mean_line(what, updates, band=band)


def border_band(values, low, high, others=np.inf):
    """Return where the mean of values may fall, given a border, or two, of others' mean.

    An end that is None stays open; the other is moved as that of a `mean_band`.
    """
    ends = mean_band(values, low or 0.0, high or 0.0, others)
    return (None if low is None else ends[0], None if high is None else ends[1])


def ratio_line(what, above, below, *, band=None):
    """Return a line for the mean over chips of the ratio of two values of each."""
    return mean_line(what, np.asarray(above, float) / np.asarray(below, float), band=band)


def means_ratio_line(what, above, below, *, band=None):
    """Return a line for the ratio of two means over the same chips, with its interval.

        r = mean(above) / mean(below),   se(r) = sd(above - r below) / (mean(below) sqrt(n))

    Unlike the mean of ratios, it is not ruled by chips that are near 0 below.
    Source: Cochran 1977, Sampling Techniques, eq. 6.13.
    """
    above, below = np.asarray(above, float), np.asarray(below, float)
    ratio, n = float(above.mean() / below.mean()), len(above)
    error = (above - ratio * below).std(ddof=1) / (abs(below.mean()) * np.sqrt(n))
    half = float(student.ppf(0.975, n - 1) * error)
    return Line(what, ratio, (ratio - half, ratio + half), None, band, n)


def around(centre, share=0.02):
    """Return the band that lies within a share of the centre, 2 % by default."""
    return (centre * (1 - share), centre * (1 + share))
