"""The differential equations of linear recirculation, against closed forms and SciPy."""

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.linalg import subspace_angles

from recirc_hw import theory

RANDOM = np.random.default_rng(3)
SIGMA = np.diag([1.0, 2.0, 3.0, 4.0])


def matrices(*sizes, scale=0.5):
    """Return random matrices A^1 .. A^L between groups of these sizes, closed to a ring."""
    pairs = zip(sizes, (*sizes[1:], sizes[0]), strict=True)
    return tuple(RANDOM.normal(size=(rows, cols)) * scale for cols, rows in pairs)


def test_recirculation_is_the_mean_change_that_plain_recirculation_asks_for():
    cases = RANDOM.normal(size=(50, 4))
    sigma = cases.T @ cases / 50
    ring = matrices(4, 3, 2)
    wanted = [np.zeros_like(a) for a in ring]
    for case in cases:
        first, second = [case], []
        for a in ring:
            first.append(a @ first[-1])
        second.append(first[-1])
        for a in ring[:-1]:
            second.append(a @ second[-1])
        differences = [x - y for x, y in zip(first[1:-1], second[1:], strict=True)]
        differences.append(case - first[-1])
        for total, post, pre in zip(wanted, differences, first, strict=False):
            total += np.outer(post, pre) / 50
    for found, mean in zip(theory.recirculation(ring, sigma), wanted, strict=True):
        np.testing.assert_allclose(found, mean, atol=1e-12)


def test_gradient_is_half_the_descent_of_the_loss():
    ring, step = matrices(4, 2), 1e-6
    for k, rate in enumerate(theory.gradient(ring, SIGMA)):
        for place in np.ndindex(rate.shape):
            losses = []
            for sign in (1, -1):
                moved = [a.copy() for a in ring]
                moved[k][place] += sign * step
                losses.append(theory.linear_loss(moved, SIGMA))
            # Central differences of a quartic err by about step^2 and 1e-16 / step.
            assert -(losses[0] - losses[1]) / (4 * step) == pytest.approx(rate[place], abs=1e-8)


def test_a_chain_is_a_ring_of_matrices_of_one_value():
    weights = RANDOM.normal(size=4)
    ring = tuple(w.reshape(1, 1) for w in weights)
    wanted = [a.item() for a in theory.recirculation(ring, np.array([[1.7]]))]
    np.testing.assert_allclose(theory.chain(weights, 1.7), wanted, rtol=1e-13)


def test_a_fan_is_a_ring_through_n_hidden_units():
    out, into = RANDOM.normal(size=(2, 5))
    rates = theory.recirculation((into[:, None], out[None]), np.array([[1.3]]))
    out_rate, into_rate = theory.fan(out, into, 1.3)
    np.testing.assert_allclose(into_rate, rates[0][:, 0], rtol=1e-13)
    np.testing.assert_allclose(out_rate, rates[1][0], rtol=1e-13)


def test_the_plane_of_p_and_b_follows_from_the_fan():
    out, into = RANDOM.normal(size=(2, 5))
    out_rate, into_rate = theory.fan(out, into)
    rates = theory.fan_plane(out @ into, into @ into)
    wanted = out_rate @ into + out @ into_rate, 2 * into @ into_rate
    np.testing.assert_allclose(rates, wanted, rtol=1e-12)


@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_chain_s_invariants_are_conserved(length):
    start = RANDOM.normal(size=length)
    (before,), (after,) = theory.integrate(lambda w: (theory.chain(w[0]),), (start,), [0, 3.0])
    assert np.abs(after - before).max() > 0.01
    found, wanted = theory.chain_invariants(after), theory.chain_invariants(before)
    np.testing.assert_allclose(found, wanted, atol=2e-7)


def test_gradient_descent_and_random_feedback_conserve_what_they_should():
    ring, feedback = matrices(4, 2), RANDOM.normal(size=(2, 4))
    end = theory.integrate(lambda w: theory.gradient(w, SIGMA), ring, [0, 1.0])[-1]
    np.testing.assert_allclose(
        theory.gradient_invariant(end), theory.gradient_invariant(ring), atol=1e-7
    )
    end = theory.integrate(
        lambda w: theory.random_feedback(w, SIGMA, feedback), ring, [0, 1.0]
    )[-1]
    found, wanted = (theory.random_feedback_invariant(w, feedback) for w in (end, ring))
    np.testing.assert_allclose(found, wanted, atol=1e-7)


@pytest.mark.parametrize("cycles", [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)])
def test_limits_by_the_starts_own_clocks_are_those_of_plain_time(cycles):
    earlier, later = cycles
    starts = RANDOM.uniform(0.4, 1.2, (6, 3)) * np.where(RANDOM.random((6, 3)) < 0.3, -1, 1)
    if cycles == (1, 2):
        starts = np.abs(starts)  # others run off to infinity in a finite time

    def system(weights):
        if earlier == 0:
            return (theory.chain(weights[0], cycles=later),)
        return (theory.between_cycles(weights[0], earlier, later),)

    found = theory.chain_limits(starts, cycles)
    for start, limit in zip(starts, found, strict=True):
        end = theory.integrate(system, (start,), [0, 200.0])[-1][0]
        assert np.prod(end) == pytest.approx(limit, abs=1e-3)


def test_a_negative_product_never_crosses_zero_where_later_cycles_are_compared():
    starts = np.array([[0.5, -0.5], [-2.0, 1.0], [0.5, 0.5]])
    limits = theory.chain_limits(starts, (1, 2))
    assert (limits[:2] < -1e3).all()
    assert limits[2] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    "cycles", [(2, 1), (1, 1), (-1, 1), (0, 1.5), (0,), (0, 1, 2), (0, True)]
)
def test_cycles_that_do_not_rise_are_refused(cycles):
    with pytest.raises(ValueError, match="want two rising whole numbers, 0 or more"):
        theory.chain_limits(np.ones((2, 2)), cycles)


def test_a_fan_s_limits_are_those_of_plain_time():
    out, into = RANDOM.normal(size=(2, 5, 3))
    for a, b, limit in zip(out, into, theory.fan_limits(out, into), strict=True):
        end = theory.integrate(lambda w: theory.fan(*w), (a, b), [0, 100.0])[-1]
        assert end[0] @ end[1] == pytest.approx(limit, abs=1e-3)


@pytest.mark.parametrize(("difference", "cycles"), [(0.3, 1), (-3.0, 1), (1.0, 2), (3.0, 2)])
def test_fixed_points_of_two_weights_are_at_rest_and_attract_as_said(difference, cycles):
    points = theory.two_weight_fixed_points(difference, cycles)
    assert len(points) == (5 if cycles == 2 and abs(difference) > 2 else 3)
    for a, attracts in points:
        rate = theory.chain(np.array([a, a + difference]), cycles=cycles)
        np.testing.assert_allclose(rate, 0, atol=1e-12)
        pulls = [
            side * theory.chain(np.array([x, x + difference]), cycles=cycles)[0] < 0
            for side in (1, -1)
            for x in [a + side * 1e-4]
        ]
        assert pulls == [attracts, attracts]


def test_the_bad_basin_of_two_cycles_is_the_paper_s_missed_eighth():
    starts = RANDOM.normal(size=(300, 2))
    lost = theory.ends_at_minus_one(*starts.T)
    limits = theory.chain_limits(starts, (0, 2))
    np.testing.assert_array_equal(lost, np.abs(limits + 1) < 0.01)

    def density(second, first):
        return np.exp(-(first**2 + second**2) / 2) / (2 * np.pi)

    # For a_1 = a > 0: a_2 < a - 2, and below -1/a where that is not implied.
    share = 2 * dblquad(density, 0, 8, -12, lambda a: -1 / a if a > 1 else a - 2)[0]
    assert share == pytest.approx(0.12471, abs=1e-5)
    firsts, seconds = RANDOM.normal(size=(2, 100_000))
    # Seven standard errors of a share of .125 of 100,000.
    assert theory.ends_at_minus_one(firsts, seconds).mean() == pytest.approx(share, abs=0.0075)


@pytest.mark.parametrize("length", [3, 4, 5])
def test_longer_rings_lose_as_many_starts_as_their_orbits_alone_say(length):
    # Of eq. 48 every rate has the factor 1 - P^n: without it the orbit is the same, run
    # forward while |P| < 1, backward while |P| > 1, and ends where it first meets |P| = 1.
    weights = np.random.default_rng(length).normal(size=(300, length))
    before = np.abs(weights.prod(axis=1)) < 1
    found = theory.chain_limits(weights, (0, 2))
    ways, ends = np.where(before, 0.02, -0.02)[:, None], np.zeros(300)
    for _ in range(3000):
        first = _orbit(weights)
        weights = weights + ways * _orbit(weights + ways / 2 * first)
        products = weights.prod(axis=1)
        there = (ends == 0) & ((np.abs(products) < 1) != before)
        ends[there] = np.sign(products[there])
    # A start by the edge of a basin may fall on its other side: one in 4000 does.
    assert (np.abs(found - ends) < 0.01).sum() >= 295


def _orbit(weights):
    """Return the direction of eq. 48 without its last factor, by a clock that tames it."""
    products = np.cumprod(weights[:, :-1], axis=1)
    squares = np.hstack([np.ones((len(weights), 1)), products[:, :-1] ** 2])
    rates = np.hstack([squares * weights[:, :-1], products[:, -1:]])
    return rates / (1 + squares.sum(axis=1) + np.abs(products[:, -1]))[:, None]


def test_every_encoder_rests_once_its_decoder_is_best_but_few_are_optimal():
    encoder = RANDOM.normal(size=(2, 4))
    weights = encoder, theory.best_decoder(encoder, SIGMA)
    np.testing.assert_allclose(encoder @ weights[1], np.eye(2), atol=1e-12)
    for rate in theory.recirculation(weights, SIGMA):
        np.testing.assert_allclose(rate, 0, atol=1e-11)
    assert theory.linear_loss(weights, SIGMA) > theory.least_loss(SIGMA, 2) + 0.1
    best = np.eye(4)[2:]
    weights = best, theory.best_decoder(best, SIGMA)
    assert theory.linear_loss(weights, SIGMA) == pytest.approx(theory.least_loss(SIGMA, 2))
    assert subspace_angles(weights[1], best.T).max() < 1e-12


def test_a_system_that_runs_off_is_reported():
    with pytest.raises(RuntimeError, match="infinity near t = 0.5"):
        theory.integrate(lambda w: (w[0] ** 3,), (np.array([1.0]),), [0, 2.0])
