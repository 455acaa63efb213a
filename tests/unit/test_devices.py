"""Synapse devices: pulses and spreads held to each published model's closed form."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recirc_hw as rh
from recirc_hw.random_streams import PURPOSES, philox, rounding_bits, rounding_key
from recirc_hw.substrates.devices import (
    DEVICES,
    PRESETS,
    Cells,
    Codes,
    ConstantStep,
    ExpStep,
    IdealDevice,
    LinearStep,
    SoftBounds,
    WriteKey,
    preset,
    pulse_response,
)

SHAPE = (200, 200)
N = SHAPE[0] * SHAPE[1]  # synapses; six standard errors: 2e-9 a claim
PULSED = (ConstantStep, LinearStep, SoftBounds, ExpStep)


def key(step=0, chips=1, matrix=0):
    return WriteKey(np.arange(chips, dtype=np.uint64), np.full(chips, step), matrix)


def fabricated(device, shape=SHAPE, chips=1, matrix=0):
    return Cells.stack([device.draw(seed, matrix, shape) for seed in range(chips)])


def written(device, weights, change, cells=None, **name):
    weights = np.broadcast_to(weights, (1, *SHAPE)).astype(float)
    cells = fabricated(device) if cells is None else cells
    change = np.broadcast_to(change, weights.shape).astype(float)
    return device.write(weights, change, cells, key(**name))


def assert_spread(values, mean, sd):
    """Hold the mean and the sd of normal draws to six standard errors."""
    n = np.size(values)
    assert abs(np.mean(values) - mean) < 6 * sd / math.sqrt(n) + 1e-12
    assert abs(np.std(values) - sd) < 6 * sd / math.sqrt(2 * n) + 1e-12


def folded(mu, sd):
    """Return the mean and the sd of |mu + sd z| (Leone, Nelson & Nottingham 1961)."""
    if sd == 0:
        return abs(mu), 0.0
    mean = sd * math.sqrt(2 / math.pi) * math.exp(-(mu**2) / (2 * sd**2)) + mu * math.erf(
        mu / (sd * math.sqrt(2))
    )
    return mean, math.sqrt(mu**2 + sd**2 - mean**2)


# -- from device to device -----------------------------------------------------------


def test_steps_vary_from_device_to_device_as_the_model_says():
    gain, tilt, ratio = 0.2, 0.1, 0.3
    cells = fabricated(
        ConstantStep(dw_min=0.1, dw_min_dtod=gain, up_down_dtod=tilt, up_down=ratio)
    )
    for steps, middle in ((cells.dw_up, 1.0), (cells.dw_down, 1.0 - ratio)):
        mean, sd = folded(middle, math.hypot(gain, tilt))
        assert_spread(steps / 0.1, mean, sd)
    up, down = (part / 0.1 - np.mean(part / 0.1) for part in (cells.dw_up, cells.dw_down))
    products = up * down  # up = gain + tilt, down = gain - tilt
    assert abs(np.mean(products) - (gain**2 - tilt**2)) < 6 * np.std(products) / math.sqrt(N)


def test_up_down_leaves_the_larger_step_as_dw_min():
    for up_down, up, down in ((0.5, 1.0, 0.5), (-0.5, 0.5, 1.0), (0.0, 1.0, 1.0)):
        cells = ConstantStep(dw_min=0.1, up_down=up_down).draw(0, 0, (1, 1))
        assert (cells.dw_up[0, 0], cells.dw_down[0, 0]) == (0.1 * up, 0.1 * down)


def test_spreads_drawn_apart_for_up_and_down_are_two_equal_spreads():
    half = 0.3 / math.sqrt(2)
    cells = fabricated(ConstantStep(dw_min=1.0, dw_min_dtod=half, up_down_dtod=half))
    assert_spread(cells.dw_up, *folded(1.0, 0.3))
    assert abs(np.corrcoef(cells.dw_up.ravel(), cells.dw_down.ravel())[0, 1]) < 6 / math.sqrt(N)


def test_bounds_vary_from_device_to_device_as_the_model_says():
    cells = fabricated(ConstantStep(w_max=4.0, w_min=-2.0, w_max_dtod=0.3, w_min_dtod=0.1))
    assert_spread(cells.w_max, *(4.0 * part for part in folded(1.0, 0.3)))
    assert_spread(-cells.w_min, *(2.0 * part for part in folded(1.0, 0.1)))


def test_slopes_vary_from_device_to_device_as_the_model_says():
    device = LinearStep(gamma_up=0.4, gamma_down=0.6, gamma_up_dtod=0.1, gamma_down_dtod=0.2)
    cells = fabricated(device)
    assert_spread(cells.slope_up * 16, *folded(0.4, 0.1))
    assert_spread(-cells.slope_down * 16, *folded(0.6, 0.2))
    soft = fabricated(SoftBounds(w_max_dtod=0.2))
    np.testing.assert_array_equal(soft.slope_up, 1 / soft.w_max)


def test_the_leak_varies_from_device_to_device_as_the_model_says():
    cells = fabricated(IdealDevice(lifetime=50.0, lifetime_dtod=0.3))
    assert_spread(cells.leak * 50, *folded(1.0, 0.3))


EFFECTS = {
    "dw_min_dtod": {"dw_up", "dw_down"},
    "up_down_dtod": {"dw_up", "dw_down"},
    "w_max_dtod": {"w_max"},
    "w_min_dtod": {"w_min"},
    "gamma_up_dtod": {"slope_up"},
    "gamma_down_dtod": {"slope_down"},
    "lifetime_dtod": {"leak"},
    "corrupt_devices_prob": {"dead"},
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_the_strength_of_one_effect_never_redraws_another(effect):
    spreads = dict.fromkeys(EFFECTS, 0.1)
    device = LinearStep(lifetime=50.0, **spreads)
    before, after = (d.draw(3, 1, (20, 30)) for d in (device, device.replace(**{effect: 0.2})))
    for name in Cells.__dataclass_fields__:
        same = np.array_equal(getattr(before, name), getattr(after, name))
        assert same == (name not in EFFECTS[effect]), name


def test_a_stronger_effect_stretches_the_same_draw():
    weak, strong = (ConstantStep(w_max_dtod=s).draw(0, 0, (9, 9)).w_max for s in (0.05, 0.1))
    np.testing.assert_allclose(strong - 16, 2 * (weak - 16), rtol=1e-9)


def test_matrices_and_chips_differ_and_are_the_same_ever_after():
    device = ConstantStep(w_max_dtod=0.1)
    first = device.draw(7, 0, (4, 5)).w_max
    np.testing.assert_array_equal(first, device.draw(7, 0, (4, 5)).w_max)
    for other in (device.draw(8, 0, (4, 5)), device.draw(7, 1, (4, 5))):
        assert not np.isin(first, other.w_max).any()


# -- one pulse -----------------------------------------------------------------------

W = np.linspace(-15.0, 15.0, N).reshape(SHAPE)
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


# -- many pulses ---------------------------------------------------------------------


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


# -- what time and writing do ----------------------------------------------------------


def test_the_weight_leaks_at_each_write():
    device, weights = IdealDevice(lifetime=100.0), 3.0
    for step in range(50):
        weights = written(device, weights, 0.0, step=step)
    np.testing.assert_allclose(weights, 3.0 * 0.99**50, rtol=1e-12)


def test_write_noise_is_seen_and_not_held():
    device = ConstantStep(write_noise_std=20.0)
    cells, held = fabricated(device), np.full((1, *SHAPE), 1.5)
    seen = [device.seen(held, cells, key(step)) for step in (0, 1)]
    for one in seen:
        assert_spread(one, 1.5, 20 * device.dw_min)
    noise = (seen[0] - 1.5) * (seen[1] - 1.5) / (20 * device.dw_min) ** 2
    assert abs(noise.mean()) < 6 / math.sqrt(N)
    quiet = device.replace(write_noise_std=0.0)
    np.testing.assert_array_equal(
        written(device, held, 0.1, cells), written(quiet, held, 0.1, cells)
    )
    assert quiet.seen(held, cells, key()) is held


@pytest.mark.parametrize("kind", DEVICES.values())
def test_dead_synapses_never_change(kind):
    fields = {"corrupt_devices_prob": 0.05}
    if kind in PULSED:
        fields |= {"write_noise_std": 3.0, "dw_min_std": 0.3, "lifetime": 20.0}
    device = kind(**fields)
    cells = fabricated(device)
    weights = device.store(np.broadcast_to(W * 0.9, (1, *SHAPE)), cells)
    after = written(device, weights, 5.0, cells)
    seen = device.seen(after, cells, key(1))
    for one in (after, seen):
        np.testing.assert_array_equal(one[cells.dead], weights[cells.dead])
    assert (after != weights)[~cells.dead].all()
    assert abs(cells.dead.mean() - 0.05) < 6 * math.sqrt(0.05 * 0.95 / N)


def test_more_dead_synapses_are_the_same_ones_and_others():
    few, many = (IdealDevice(corrupt_devices_prob=p).draw(0, 0, SHAPE).dead for p in (0.1, 0.2))
    assert (many | ~few).all()
    assert many.sum() > few.sum()


def test_a_change_that_is_not_a_number_shows():
    for kind in DEVICES.values():
        device = kind()
        change = np.zeros((1, *SHAPE))
        change[0, 0, 0] = np.nan
        after = written(device, 0.0, change)
        assert np.isnan(after[0, 0, 0])
        assert np.isfinite(after[0, 0, 1:]).all()


# -- which random number goes where ----------------------------------------------------


def test_a_write_is_what_its_docstring_says_step_by_step():
    device = SoftBounds(dw_min_std=0.4, dw_min=0.1)
    rows, cols, matrix, step, seed = 3, 4, 2, 9, (5 << 32) + 11
    cells = Cells.stack([device.draw(seed, matrix, (rows, cols))])
    change = np.linspace(-1, 1, rows * cols).reshape(1, rows, cols)
    name = WriteKey(np.array([seed], np.uint64), np.array([step]), matrix)
    found = device.write(np.zeros((1, rows, cols)), change, cells, name)
    for row in range(rows):
        for col in range(cols):
            counter = [col * rows + row, matrix, step, PURPOSES["device pulses"]]
            block = philox(np.array(counter, np.uint32)[:, None], (11, 5))[:, 0]
            w0, w1, w2, w3 = map(int, block)
            r = ((w2 >> 5) * 2**26 + (w3 >> 6)) / 2**53
            z = math.sqrt(-2 * math.log1p(-r)) * math.cos(2 * math.pi * w1 / 2**32)
            wanted = change[0, row, col]
            n, w = math.floor(abs(wanted) / 0.1 + w0 / 2**32), 0.0
            for _ in range(n):
                sign, bound = (1, 16.0) if wanted > 0 else (-1, -16.0)
                y = 1 - w / bound
                w += sign * 0.1 * (y + 0.4 * z / math.sqrt(n) * y)
            assert found[0, row, col] == pytest.approx(w, rel=1e-13, abs=1e-15)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    kind=st.sampled_from(list(DEVICES)),
    chips=st.integers(1, 4),
    rows=st.integers(0, 4),
    cols=st.integers(0, 4),
    step=st.integers(0, 2**32 - 1),
)
def test_chips_written_together_are_chips_written_alone(kind, chips, rows, cols, step):
    device = DEVICES[kind](corrupt_devices_prob=0.2)
    if kind in ("constant_step", "soft_bounds"):
        device = device.replace(dw_min_std=0.3, write_noise_std=2.0, w_max_dtod=0.1)
    cells = [device.draw(seed, 1, (rows, cols)) for seed in range(chips)]
    weights = np.zeros((chips, rows, cols))
    change = np.linspace(-1, 1, weights.size).reshape(weights.shape)
    together = Cells.stack(cells)
    name = key(step, chips, 1)
    after = device.write(weights, change, together, name)
    seen = device.seen(after, together, name)
    for chip in range(chips):
        own = WriteKey(np.array([chip], np.uint64), np.array([step]), 1)
        alone = Cells.stack([cells[chip]])
        one = device.write(weights[chip : chip + 1], change[chip : chip + 1], alone, own)
        np.testing.assert_array_equal(after[chip], one[0])
        np.testing.assert_array_equal(seen[chip], device.seen(one, alone, own)[0])


def test_writes_of_other_steps_and_matrices_draw_other_numbers():
    device = ConstantStep(dw_min_std=0.3)
    first, *others = (
        written(device, 0.0, device.dw_min, **name)
        for name in ({}, {"step": 1}, {"matrix": 1}, {"chips": 1, "step": 2**32 - 1})
    )
    for other in others:
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 6 / math.sqrt(N)


# -- codes -----------------------------------------------------------------------------


def test_codes_round_as_the_fixed_point_substrate_does():
    device = Codes(bits=6, w_max=16.0, rounding="stochastic")
    change = np.linspace(-3, 3, N).reshape(1, *SHAPE)
    after = written(device, 0.0, change, step=4, matrix=2) / device.resolution
    rows, cols = SHAPE
    index = np.arange(cols)[None] * rows + np.arange(rows)[:, None]
    bits = rounding_bits(rounding_key(0, 4, 2), index)
    wanted = np.floor(change * 2 + bits / 2**32)
    np.testing.assert_array_equal(after, wanted)


def test_codes_round_to_the_nearest_and_ties_to_even():
    device = Codes(bits=6, rounding="nearest")
    change = np.array([0.2, 0.25, 0.3, 0.75, -0.25, -0.75, 100.0, -100.0])[None, None]
    cells = fabricated(device, (1, 8))
    after = device.write(np.zeros((1, 1, 8)), change, cells, key())
    assert after[0, 0].tolist() == [0.0, 0.0, 0.5, 1.0, 0.0, -1.0, 15.5, -16.0]


def test_stochastic_codes_are_right_on_average():
    device = Codes(bits=5)
    after = written(device, 0.0, 0.3)
    share = 0.3 / device.resolution
    error = math.sqrt(share * (1 - share) / N)
    assert abs(after.mean() / device.resolution - share) < 6 * error
    assert set(np.unique(after)) == {0.0, device.resolution}


def test_codes_store_the_nearest_code():
    device = Codes(bits=4)
    cells = fabricated(device)
    weights = np.broadcast_to(W * 14 / 15, (1, *SHAPE))
    stored = device.store(weights, cells)
    assert np.abs(stored - weights).max() <= 1.0
    np.testing.assert_array_equal(stored / 2, np.rint(stored / 2))


# -- what is refused, and presets --------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (ConstantStep, {"dw_min": 0.0}, ["ConstantStep.dw_min = 0.0", "greater than 0"]),
        (ConstantStep, {"dw_min": 40.0}, ["dw_min = 40.0 exceeds the range", "32"]),
        (ConstantStep, {"w_min": 1.0}, ["ConstantStep.w_min = 1.0", "less than 0"]),
        (ConstantStep, {"up_down": 1.0}, ["ConstantStep.up_down = 1.0", "less than 1"]),
        (ConstantStep, {"dw_mn": 1.0}, ["no field 'dw_mn'", "did you mean 'dw_min'"]),
        (SoftBounds, {"dw_min_std": -0.1}, ["SoftBounds.dw_min_std = -0.1"]),
        (LinearStep, {"gamma_up": 1.5}, ["LinearStep.gamma_up = 1.5", "less than or equal"]),
        (ExpStep, {"gamma_up": 500.0}, ["gamma_up = 500.0", "want at most 50"]),
        (IdealDevice, {"lifetime": 0.5}, ["lifetime = 0.5", "want 0 or >= 1"]),
        (IdealDevice, {"corrupt_devices_prob": 2.0}, ["corrupt_devices_prob = 2.0"]),
        (Codes, {"bits": 1}, ["Codes.bits = 1"]),
        (Codes, {"rounding": "floor"}, ["Codes.rounding = 'floor'", "nearest"]),
    ],
)
def test_impossible_devices_are_refused_by_name(kind, fields, words):
    with pytest.raises(rh.DesignError) as refused:
        kind(**fields)
    assert all(word in str(refused.value) for word in words), refused.value


@pytest.mark.parametrize("device", [SoftBounds(w_max=0.4), Codes(w_max=0.4)])
def test_weights_outside_the_nominal_range_are_refused(device):
    cells = fabricated(device, (1, 2))
    with pytest.raises(rh.DesignError, match=r"an initial weight is 0\.5.*larger w_max"):
        device.store(np.array([[[0.5, 0.1]]]), cells)


def test_weights_outside_one_synapse_s_range_are_clipped():
    device = ConstantStep(w_max_dtod=0.3)
    cells = fabricated(device)
    stored = device.store(np.full((1, *SHAPE), 16.0), cells)
    np.testing.assert_array_equal(stored, np.minimum(cells.w_max, 16.0))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_keeps_its_proportions_at_any_range(name):
    published = PRESETS[name].device
    device = preset(name, w_max=4.0)
    assert device.w_max - device.w_min == pytest.approx(8.0)
    for length in ("w_min", "dw_min"):
        ratio = getattr(published, length) / published.w_max
        assert getattr(device, length) / device.w_max == pytest.approx(ratio)
    lengths = ("w_max", "w_min", "dw_min")
    kept = {k: v for k, v in published.model_dump().items() if k not in lengths}
    assert kept == {k: v for k, v in device.model_dump().items() if k not in lengths}
    assert PRESETS[name].source
    assert PRESETS[name].numbers


def test_an_unknown_preset_is_refused_with_the_nearest():
    with pytest.raises(rh.DesignError, match="did you mean 'ecram_mo'"):
        preset("ecram_m")


def test_every_device_goes_up_and_comes_down_again():
    for device in [*(kind() for kind in DEVICES.values()), *map(preset, PRESETS)]:
        pulses, weights = pulse_response(device, devices=8, points=20)
        assert weights.shape == (8, 41)
        assert pulses[-1] == 40 * pulses[1]
        middle = np.median(weights, axis=0)
        assert middle[20] - middle[0] > 20
        assert middle[20] - middle[-1] > 20


def test_codes_stop_learning_with_the_last_chip():
    """A batch at which every chip stops is not written."""
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog(device=rh.devices.Codes()))
    chips = [design.fabricate(seed) for seed in range(2)]
    runs = rh.train(chips, rh.tasks.encoder(4), max_updates=300, hold=0, threads=1)
    assert all(run.learned for run in runs)
