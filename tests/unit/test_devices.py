"""Synapse devices: leaks and dead parts, named random numbers, codes, what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synapses import PULSED, SHAPE, N, W, assert_spread, fabricated, key, written

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

# -- what time and writing do ------------------------------------------------------------


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


# -- which random number goes where ------------------------------------------------------


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


# -- codes -------------------------------------------------------------------------------


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
