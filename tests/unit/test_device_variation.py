"""Synapse devices: what fabrication draws is held to the closed forms of its spreads."""

import math

import numpy as np
import pytest
from synapses import N, assert_spread, fabricated, folded

from recirc_hw.substrates.devices import (
    Cells,
    ConstantStep,
    IdealDevice,
    LinearStep,
    SoftBounds,
)


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
