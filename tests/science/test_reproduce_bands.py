"""Bands and intervals of the reproductions: that they hold as often as they promise."""

import numpy as np
import pytest
from scipy.stats import binom

from recirc_hw.metrics import wilson_interval
from recirc_hw.reproduce.bench import (
    mean_band,
    mean_share_line,
    means_ratio_line,
    range_band,
    share_band,
)


def test_shares_that_are_0_or_1_have_wilson_s_interval():
    line = mean_share_line("completed", [1.0] * 17 + [0.0] * 3)
    assert (line.ours, line.n) == (0.85, 20)
    assert line.interval == wilson_interval(17, 20)


def test_the_interval_of_a_mean_of_shares_stays_within_0_and_1_and_has_a_width():
    for values in ([1.0] * 16, [0.0] * 16, [1.0, 0.875] * 8):
        low, high = mean_share_line("completed", values).interval
        assert 0 <= low < np.mean(values) + 1e-12
        assert np.mean(values) - 1e-12 < high <= 1
        assert high - low > 0.1


def test_values_of_0_to_4_have_an_interval_of_0_to_4():
    line = mean_share_line("held-out cases right, of 4", [4, 2, 1, 1], most=4)
    assert line.ours == 2
    assert line.interval == tuple(4 * end for end in wilson_interval(2, 4))


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (8.0, 1.0), (2.0, 0.3), (0.1, 0.1)])
def test_intervals_of_mean_shares_cover_the_truth_at_least_as_often_as_they_say(a, b):
    # 4000 samples of 30 values, beta distributed: coverage has a standard error of .35 %,
    # and the bound lies five of them below 95 %; the seed is fixed.
    rng = np.random.default_rng(0)
    intervals = np.array(
        [mean_share_line("x", values).interval for values in rng.beta(a, b, (4000, 30))]
    )
    truth = a / (a + b)
    assert np.mean((intervals[:, 0] <= truth) & (truth <= intervals[:, 1])) > 0.93


def test_the_band_around_a_range_of_shares_reaches_from_the_one_band_to_the_other():
    assert range_band(0.85, 0.87, 100, 60) == (
        share_band(0.85, 100, 60)[0],
        share_band(0.87, 100, 60)[1],
    )
    assert range_band(0.0, 0.05, 100, 60)[0] is None


@pytest.mark.parametrize("share", [0.03, 0.27, 0.5, 0.93])
def test_two_samples_of_the_same_share_leave_the_band_a_few_times_in_a_thousand(share):
    # All pairs of counts of Binomial(100, share) and Binomial(60, share), weighed by their
    # chances: 3.29 standard errors would be left once in 1000, were shares normal.
    left = 0.0
    for seen in range(101):
        low, high = share_band(seen / 100, 100, 60)
        ours = np.arange(61) / 60
        out = (ours < (-1 if low is None else low)) | (ours > (2 if high is None else high))
        left += binom.pmf(seen, 100, share) * binom.pmf(np.arange(61), 60, share)[out].sum()
    assert left < 0.006


def test_the_band_of_a_mean_is_four_standard_errors_of_the_difference_wide():
    values = np.array([1.0, 3.0] * 50)  # sd 1 but for n - 1
    spread = 4 * np.sqrt(100 / 99) * np.sqrt(1 / 100 + 1 / 1000)
    assert mean_band(values, 2.0) == pytest.approx((2 - spread, 2 + spread))
    assert mean_band(values, 2.0, 5.0) == pytest.approx((2 - spread, 5 + spread))


def test_the_interval_of_a_ratio_of_means_covers_it_as_often_as_it_says():
    # 2000 samples of 100 pairs, above = .5 below + noise; standard error of 95 % is .5 %,
    # the bounds are six of them away, and the seed is fixed.
    rng = np.random.default_rng(0)
    below = rng.gamma(4.0, 1.0, (2000, 100))
    above = 0.5 * below + rng.normal(0, 0.3, below.shape)
    lines = [means_ratio_line("x", *pair) for pair in zip(above, below, strict=True)]
    covered = np.mean([line.interval[0] < 0.5 < line.interval[1] for line in lines])
    assert 0.92 < covered < 0.98
    assert lines[0].ours == pytest.approx(above[0].sum() / below[0].sum())
