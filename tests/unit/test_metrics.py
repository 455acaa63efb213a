"""Errors, angles and intervals, against values worked out by hand or published."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recirc_hw.metrics import (
    cosine,
    cross_entropy,
    squared_error,
    unit_error,
    wilson_interval,
)


def test_errors_are_what_their_formulas_say():
    target, output = [[0.0, 1.0], [1.0, 1.0]], np.array([[0.5, 1.0], [0.0, 0.75]])
    assert squared_error(target, output) == (0.25 + 0 + 1 + 0.0625) / 4
    assert unit_error(target, output) == 1.0


def test_cross_entropy_is_its_formula():
    found = cross_entropy([[1.0, 0.0, 0.25]], [[0.5, 0.5, 0.25]])
    wanted = (2 * math.log(2) - 0.25 * math.log(0.25) - 0.75 * math.log(0.75)) / 3
    assert found == pytest.approx(wanted, rel=1e-15)  # three sums of numbers near 1


def test_cross_entropy_is_finite_at_the_rails():
    assert cross_entropy([[1.0, 0.0]], [[1.0, 0.0]]) == pytest.approx(1e-12, rel=1e-3)
    wrong = cross_entropy([[1.0, 0.0]], [[0.0, 1.0]])
    assert wrong == pytest.approx(-math.log(1e-12), rel=1e-4)


def test_nan_shows_in_every_error():
    output = np.array([[math.nan, 0.5]])
    for metric in (squared_error, unit_error, cross_entropy):
        assert math.isnan(metric([[0.5, 0.5]], output))


def test_cosine_is_that_of_the_angle():
    assert cosine([[1, 0]], [[0, 3]]) == 0
    assert cosine([2, 0], [1, 1]) == pytest.approx(math.sqrt(0.5), rel=1e-15)
    assert cosine([1, 2], [-2, -4]) == pytest.approx(-1, rel=1e-15)
    assert math.isnan(cosine([0, 0], [1, 1]))


# Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score, no continuity).
PUBLISHED = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("successes", "trials", "low", "high"), PUBLISHED)
def test_wilson_s_interval_is_the_published_one(successes, trials, low, high):
    found = wilson_interval(successes, trials)
    assert [round(bound, 4) for bound in found] == [low, high]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(1, 10**6), st.data())
def test_wilson_s_bounds_solve_the_score_equation(trials, data):
    successes = data.draw(st.integers(0, trials))
    z, share = 1.959963984540054, successes / trials
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= share + 1e-15
    assert share - 1e-15 <= high <= 1
    for bound in (low, high):
        if 1e-9 < bound < 1 - 1e-9:
            score = (share - bound) ** 2 - z * z * bound * (1 - bound) / trials
            assert abs(score) < 1e-14  # differences of numbers below 1
    mirrored = wilson_interval(trials - successes, trials)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-14)


def test_wilson_s_interval_takes_another_level():
    narrow, wide = wilson_interval(5, 10, z=1.0), wilson_interval(5, 10, z=3.0)
    assert wide[0] < narrow[0] < 0.5 < narrow[1] < wide[1]


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (-1, 3), (4, 3), (0, 0), (0, -1)])
def test_an_impossible_count_is_refused(successes, trials):
    with pytest.raises(ValueError, match=f"got {successes} of {trials}"):
        wilson_interval(successes, trials)
