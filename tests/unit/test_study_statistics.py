"""What studies say of shares and times, against SciPy and exact probabilities."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from recirc_hw.studies.outcomes import Outcomes
from recirc_hw.studies.statistics import (
    decision,
    holm,
    looks,
    mean_interval,
    median_interval,
    normal_quantile,
    pairing,
    share_difference,
    share_interval,
    sign_test,
)


def outcomes(updates, seeds=None):
    """Return outcomes with these updates, -1 for chips that did not learn."""
    updates = np.array(updates, np.int64)
    seeds = np.arange(len(updates)) if seeds is None else seeds
    zeros = np.zeros(len(updates))
    flags = np.zeros(len(updates), bool)
    return Outcomes(np.array(seeds, np.uint64), updates, updates >= 0, flags, zeros, zeros)


def wrong_decisions(share, wanted, chips, confidence, parts=None):
    """Return the exact chance that looking again and again decides for the wrong side."""
    stops = looks(chips)
    alive, wrong, before = np.array([1.0]), 0.0, 0
    for stop in stops:
        step = stats.binom.pmf(np.arange(stop - before + 1), stop - before, share)
        alive, before = np.convolve(alive, step), stop
        for learned in range(stop + 1):
            verdict = decision(learned, stop, wanted, confidence, parts or len(stops))
            if verdict is not None:
                wrong += alive[learned] * ((verdict == "above") != (share >= wanted))
                alive[learned] = 0.0
    return wrong


@pytest.mark.parametrize("wanted", [0.5, 0.9, 0.95, 0.99, 0.999])
def test_stopping_early_errs_no_more_often_than_promised(wanted):
    for share in (wanted - 1e-9, wanted, *np.linspace(wanted - 0.1, min(wanted + 0.1, 1), 9)):
        assert wrong_decisions(share, wanted, 800, 0.95) <= 0.05


def test_the_whole_allowance_at_every_look_would_err_too_often():
    assert wrong_decisions(0.5 - 1e-9, 0.5, 800, 0.95, parts=1) > 0.05


def test_a_decision_is_the_exact_one_sided_test():
    for learned, chips, wanted in ((40, 50, 0.95), (50, 50, 0.9), (99, 100, 0.9), (0, 9, 0.3)):
        up = stats.binomtest(learned, chips, wanted, alternative="greater").pvalue
        down = stats.binomtest(learned, chips, wanted, alternative="less").pvalue
        expected = "above" if up <= 0.025 else "below" if down <= 0.025 else None
        assert decision(learned, chips, wanted, 0.95) == expected


def test_looks_double_and_end_at_the_most_chips():
    assert looks(200) == [25, 50, 100, 200]
    assert looks(130) == [25, 50, 100, 130]
    assert looks(10) == [10]


def test_the_quantile_is_that_of_the_normal_distribution():
    assert normal_quantile(0.95) == pytest.approx(stats.norm.ppf(0.975), abs=1e-12)
    assert normal_quantile(0.95, 5) == pytest.approx(stats.norm.ppf(1 - 0.005), abs=1e-12)


def test_the_sign_test_is_the_exact_binomial_one():
    for wins, losses in itertools.product((0, 1, 4, 20, 300), (0, 2, 7, 25)):
        if wins + losses:
            exact = stats.binomtest(wins, wins + losses).pvalue
            assert sign_test(wins, losses) == pytest.approx(exact, rel=1e-9)
    assert sign_test(0, 0) == 1.0


def test_the_median_s_interval_covers_with_at_least_its_confidence():
    for n in (6, 7, 20, 101):
        low, high = median_interval(np.arange(n))[1]
        k = int(low)
        assert (low, high) == (k, n - 1 - k)
        assert 2 * stats.binom.cdf(k, n, 0.5) <= 0.05
        assert 2 * stats.binom.cdf(k + 1, n, 0.5) > 0.05
    assert median_interval([1, 2, 3, 4, 5])[1] is None
    assert median_interval([]) == (None, None)


def test_the_mean_s_interval_is_the_normal_one():
    values = np.array([3.0, 4.0, 8.0, 9.5, 30.0])
    mean, ends = mean_interval(values)
    assert mean == values.mean()
    assert ends == pytest.approx(stats.norm.interval(0.95, mean, stats.sem(values)))
    assert mean_interval([7]) == (7.0, None)


def test_differences_of_paired_shares_cover_the_truth():
    # Exact coverage over all tables of 30 pairs that improve, get worse, or stay.
    n, up, down = 30, 0.3, 0.1
    covered = 0.0
    for wins in range(n + 1):
        for losses in range(n + 1 - wins):
            low, high = share_difference(wins, losses, n)[1]
            if low <= up - down <= high:
                rest = n - wins - losses
                ways = math.comb(n, wins) * math.comb(n - wins, losses)
                covered += ways * up**wins * down**losses * (1 - up - down) ** rest
    assert 0.93 < covered < 0.99


def test_pairs_are_chips_of_the_same_seed():
    before = outcomes([10, 20, -1, -1, 30])
    after = outcomes([5, 40, 7, -1, -1])
    found = pairing(before, after)
    assert (found.helped, found.hurt) == (1, 1)
    assert (found.faster, found.slower) == (1, 1)
    assert found.share == 0
    assert found.p_learned == 1.0
    with pytest.raises(ValueError, match="same chips"):
        pairing(before, outcomes([1, 2, 3, 4, 5], seeds=range(1, 6)))


def test_holm_corrects_the_smallest_most():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.5]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_outcomes_survive_as_bytes():
    some = outcomes([3, -1, 2**40], seeds=[0, 5, 2**64 - 1])
    back = Outcomes.from_bytes(some.to_bytes(), 3)
    for name in ("seeds", "updates", "held", "diverged", "error", "unit_error"):
        np.testing.assert_array_equal(getattr(back, name), getattr(some, name))
        assert getattr(back, name).dtype == getattr(some, name).dtype


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize(("chips", "parts"), [(25, 4), (100, 4), (160, 4)])
def test_the_interval_of_one_of_several_looks_misses_no_more_than_its_part(share, chips, parts):
    counts = np.arange(chips + 1)
    ends = np.array([share_interval(int(k), chips, 0.95, parts) for k in counts])
    missed = (share < ends[:, 0]) | (share > ends[:, 1])
    assert stats.binom.pmf(counts[missed], chips, share).sum() <= 0.05 / parts
