"""Synapse devices: one pulse, and many, held to each published model's closed form."""

import math

import numpy as np
import pytest
from synapses import PULSED, N, W, assert_spread, fabricated, key, written

from recirc_hw.substrates.devices import (
    ConstantStep,
    ExpStep,
    LinearStep,
    SoftBounds,
)

# -- one pulse ---------------------------------------------------------------------------

RERAM = {"A_up": -1.18445, "A_down": -0.081404, "gamma_up": 5.0, "gamma_down": 5.0,
         "a": -0.5, "b": -0.5}  # fmt: skip

RESPONSES = {  # the published step at weight w, in units of dw: (up, down)
    "constant": (ConstantStep(), lambda w: (np.ones_like(w), np.ones_like(w))),
    "linear": (
        LinearStep(gamma_up=0.4, gamma_down=0.7),
        lambda w: (1 - 0.4 * w / 16, 1 + 0.7 * w / 16),
    ),
    "soft": (SoftBounds(w_min=-32.0), lambda w: (1 - w / 16, 1 + w / 32)),
    "exponential": (
        ExpStep(**RERAM),
        lambda w: (
            1 + 1.18445 * np.exp(5 * (-w / 32 - 0.5)),
            1 + 0.081404 * np.exp(-5 * (-w / 32 - 0.5)),
        ),
    ),
    "exponential that ends": (
        ExpStep(),
        lambda w: (
            np.maximum(1 - 0.00081 * np.exp(12.44625 * (0.244 * w / 16 + 0.2425)), 0),
            np.maximum(1 - 0.36833 * np.exp(-12.78785 * (0.244 * w / 16 + 0.2425)), 0),
        ),
    ),
}


@pytest.mark.parametrize("model", RESPONSES)
@pytest.mark.parametrize("up", [True, False])
def test_one_pulse_moves_as_the_published_model_says(model, up):
    device, response = RESPONSES[model]
    sign = 1 if up else -1
    moved = written(device, W, sign * device.dw_min)[0] - W
    np.testing.assert_allclose(
        moved, sign * device.dw_min * response(W)[0 if up else 1], rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("model", RESPONSES)
def test_one_pulse_scatters_in_proportion_to_its_step(model):
    device, response = RESPONSES[model]
    device = device.replace(dw_min_std=0.3)
    expected = device.dw_min * response(W)[0]
    moved = written(device, W, device.dw_min)[0] - W
    kept = expected > 1e-3 * device.dw_min
    assert kept.mean() > 0.5
    assert_spread(moved[kept] / expected[kept], 1.0, 0.3)


@pytest.mark.parametrize("kind", [LinearStep, SoftBounds])
def test_additive_noise_scatters_alike_at_every_weight(kind):
    device = kind(dw_min_std=0.3, mult_noise=False)
    quiet = device.replace(dw_min_std=0.0)
    noise = written(device, W, device.dw_min) - written(quiet, W, device.dw_min)
    inside = np.abs(W) < 14
    assert_spread(noise[0][inside] / device.dw_min, 0.0, 0.3)


# -- many pulses -------------------------------------------------------------------------


@pytest.mark.parametrize("pulses", [0.0, 0.3, 1.0, 2.75])
def test_pulse_counts_are_the_wanted_change_on_average(pulses):
    device = ConstantStep()
    moved = written(device, 0.0, -pulses * device.dw_min) / -device.dw_min
    np.testing.assert_allclose(moved, np.rint(moved), atol=1e-9)
    rest = pulses - math.floor(pulses)
    assert moved.min() >= math.floor(pulses) - 1e-9
    assert moved.max() <= math.ceil(pulses) + 1e-9
    error = math.sqrt(rest * (1 - rest) / N)
    assert abs(moved.mean() - pulses) <= 6 * error + 1e-9


@pytest.mark.parametrize("pulses", [1, 7, 50])
def test_pulses_of_a_constant_step_scatter_like_their_sum(pulses):
    device = ConstantStep(dw_min_std=0.3)
    moved = written(device, 0.0, pulses * device.dw_min) / device.dw_min
    assert_spread(moved, pulses, 0.3 * math.sqrt(pulses))


@pytest.mark.parametrize("pulses", [1, 10, 300])
def test_many_pulses_follow_the_closed_forms(pulses):
    change = pulses * 0.032
    soft = written(SoftBounds(), -8.0, change)
    np.testing.assert_allclose(soft, 16 - 24 * (1 - 0.002) ** pulses, rtol=1e-12)
    linear = written(LinearStep(gamma_up=0.0, gamma_down=0.5), 8.0, -change)
    goal, lost = -32.0, 0.032 * 0.5 / 16  # w* = w_min / gamma
    wanted = max(goal + (8 - goal) * (1 - lost) ** pulses, -16.0)
    np.testing.assert_allclose(linear, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", ["linear", "soft", "exponential"])
def test_pulses_at_once_are_the_pulses_one_by_one(name):
    device = RESPONSES[name][0]
    one_by_one = W[None]
    for step in range(12):
        one_by_one = written(device, one_by_one, device.dw_min, step=step)
    at_once = written(device, W, 12 * device.dw_min)
    np.testing.assert_allclose(at_once, one_by_one, rtol=0, atol=1e-12)


def test_pulses_of_soft_bounds_scatter_like_a_product_of_independent_ones():
    # y = 1 - w / w_max is multiplied by 1 - s (1 + sigma z) at each pulse.
    device, pulses, sigma = SoftBounds(dw_min=0.16, dw_min_std=0.3), 20, 0.3
    s = device.dw_min / device.w_max
    left = 1 - written(device, 0.0, pulses * device.dw_min) / device.w_max
    mean = (1 - s) ** pulses
    sd = math.sqrt(((1 - s) ** 2 + (s * sigma) ** 2) ** pulses - mean**2)
    second_order = pulses * (s * sigma) ** 2  # what one normal for all pulses may miss
    assert abs(left.mean() - mean) < 6 * sd / math.sqrt(N) + second_order
    assert abs(left.std() / sd - 1) < 6 / math.sqrt(2 * N) + second_order


@pytest.mark.parametrize("kind", PULSED)
def test_weights_saturate_at_each_synapse_s_own_bounds(kind):
    device = kind(w_max_dtod=0.2, w_min_dtod=0.2, dw_min_std=0.3, dw_min=0.3)
    shape = (1, 40, 40)
    cells, weights = fabricated(device, shape[1:]), np.zeros(shape)
    for sign, bound in ((1, cells.w_max), (-1, cells.w_min)):
        for step in range(20):
            weights = device.write(weights, np.full(shape, sign * 1e9), cells, key(step))
            assert (weights <= cells.w_max).all()
            assert (weights >= cells.w_min).all()
        reached = 1e-2 if kind is SoftBounds else 1e-12
        if kind is not ExpStep:  # which stops where its step ends
            assert np.abs(weights / bound - 1).max() < reached


def test_a_write_gives_no_more_pulses_than_the_range_has_steps():
    device = SoftBounds()
    assert device.pulses(np.array([np.inf, -1e300]), 0.5).tolist() == [1000.0, 1000.0]
