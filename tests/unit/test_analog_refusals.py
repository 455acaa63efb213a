"""Analog chips: what is refused, and what would do."""

import math

import numpy as np
import pytest
from analog_chips import fabricated

from recirc_hw import (
    Analog,
    Backprop,
    Design,
    DesignError,
    ErrorRecirculation,
    Loop,
    Recirculation,
    TopOnly,
    UnsupportedError,
)
from recirc_hw.substrates.devices import ConstantStep


@pytest.mark.parametrize(
    "field", ["tau_ms", "tau_hidden_ms", "clamp_ms", "release_ms", "dt_ms"]
)
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_times_that_are_not_positive_are_refused_by_name(field, value):
    with pytest.raises(DesignError, match=field):
        Analog(**{field: value})


def test_a_step_too_large_is_refused_with_the_largest_that_would_do():
    with pytest.raises(DesignError, match="at most 0.06 will do"):
        Design(Loop(4, 2), Recirculation(), Analog(tau_hidden_ms=0.3, dt_ms=0.1))
    Design(Loop(4, 2), Recirculation(), Analog(tau_hidden_ms=0.3, dt_ms=0.06))


def test_the_largest_step_that_the_message_names_does_for_any_time():
    for tau in (0.175, 1 / 3, 0.7):
        Design(Loop(4, 2), Recirculation(), Analog(tau_ms=tau, dt_ms=float(f"{0.2 * tau:g}")))


def test_devices_whose_range_cannot_hold_the_initial_weights_are_refused():
    device = ConstantStep(w_max=0.1, w_min=-0.1, dw_min=0.001)
    design = Design(Loop(4, 2), Recirculation(), Analog(device=device))
    with pytest.raises(DesignError, match=r"-0.1\.\.0.1.*want a larger w_max"):
        design.fabricate(0)


def test_weights_beyond_a_device_are_refused_and_change_nothing():
    chip = fabricated(device=ConstantStep(w_max=2.0, w_min=-2.0))
    before = chip.weights
    with pytest.raises(DesignError, match="outside -2..2"):
        chip.weights = [matrix + 5 for matrix in before]
    np.testing.assert_array_equal(chip.weights[0], before[0])


@pytest.mark.parametrize("rule", [Backprop(), ErrorRecirculation(), TopOnly()])
def test_rules_that_are_not_local_are_refused_with_what_runs_them(rule):
    with pytest.raises(UnsupportedError, match="only Recirculation is local enough"):
        Design(Loop(4, 2), rule, Analog())


@pytest.mark.parametrize(
    ("field", "value"),
    [("cycles", 2), ("momentum", 0.5), ("weight_decay", 0.1), ("presynaptic", "first"),
     ("apply_visible_rule_twice", True), ("combine", "PR"), ("hidden_regression", 0.3)],
)  # fmt: skip
def test_fields_of_a_rule_that_no_analog_chip_has_are_refused_by_name(field, value):
    with pytest.raises(UnsupportedError, match=f"rule.{field}"):
        Design(Loop(4, 2), Recirculation(**{field: value}), Analog())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unit_noise": 0.1, "integrator": "rk4"}, "noise needs integrator 'heun'"),
        ({"plasticity": "continuous", "device": ConstantStep()}, "want 'gathered'"),
        ({"tau_hidden_ms": (1.0, 2.0)}, "2 times for 1 hidden groups"),
        ({"tau_mismatch": -0.1}, "tau_mismatch"),
        ({"stuck_units": 1.5}, "stuck_units"),
        ({"adc_bits": 0}, "adc_bits"),
    ],
)
def test_other_designs_that_cannot_be_are_refused_with_the_reason(fields, words):
    with pytest.raises(DesignError, match=words):
        Design(Loop(4, 2), Recirculation(), Analog(**fields))


def test_a_release_that_would_take_forever_is_refused():
    with pytest.raises(DesignError, match="release_ms is missing"):
        Design(Loop(4, 2), Recirculation(regression=0.0), Analog())


@pytest.mark.parametrize("field", ["dac_bits", "adc_bits"])
def test_units_without_bounds_have_no_converters(field):
    with pytest.raises(DesignError, match=f"{field} = 4: .*'visible' are identity"):
        Design(Loop(4, 2, visible="identity"), Recirculation(), Analog(**{field: 4}))


def test_only_converters_of_a_hidden_group_need_its_bounds():
    network = Loop(4, 2, hidden="identity")
    Design(network, Recirculation(), Analog(dac_bits=4))
    with pytest.raises(DesignError, match="'hidden' are identity"):
        Design(network, Recirculation(), Analog(adc_bits=4))


def test_any_number_of_cases_is_answered():
    chip, cases = fabricated(), np.eye(4)[np.arange(1025) % 4]
    found = chip.reconstruct(cases)
    np.testing.assert_array_equal(found[-3:], chip.reconstruct(cases[:4])[[2, 3, 0]])
    assert found.shape == (1025, 4)
