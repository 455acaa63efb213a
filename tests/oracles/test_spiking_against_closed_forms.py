"""Spiking chips against what can be worked out by hand or by another way."""

import numpy as np
import pytest

from recirc_hw import Design, Loop, Recirculation, Spiking
from recirc_hw.backends import reference_spiking
from recirc_hw.programs.firing import activity, clamp_drive, curve, inverse_curve, spike_chance
from recirc_hw.programs.spiking import SpikingBody, Stretch
from recirc_hw.random_streams import chances, philox


def dynamics_of(**fields):
    design = Design(Loop(4, 2), Recirculation(), Spiking(**fields))
    return design.lowered().dynamics


def test_draws_are_the_words_of_one_philox_counter_after_another():
    drawn = chances(2**40 + 5, "spikes", 9, 0, range(3, 5), 6)
    for moment in (3, 4):
        counters = np.array([[2 * moment, 2 * moment + 1], [0, 0], [9, 9], [50, 50]], np.uint32)
        words = philox(counters, (5, 2**8)).T.reshape(-1)[:6]
        np.testing.assert_array_equal(drawn[moment - 3], (words + 0.5) / 2**32)


@pytest.mark.parametrize("dt_ms", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("tau_ms", [5.0, 30.0, 200.0])
def test_the_slow_minus_the_fast_trace_of_a_constant_train_averages_to_zero(dt_ms, tau_ms):
    # A spike every 20 ms, of a neuron of t_ref 10 ms: activity 1/2, whatever the trace.
    dynamics = dynamics_of(dt_ms=dt_ms)
    period = round(20 / dt_ms)
    means = []
    for tau in (tau_ms, dynamics.fast_ms):
        stays, jump, trace, read = dynamics.stays(tau), dynamics.trace_jump(tau), 0.0, []
        for step in range(int(400 * period)):
            trace *= stays
            read.append(trace)  # as plasticity reads it: after the decay, before the jump
            trace += jump * (step % period == 0)
        means.append(np.mean(read[-50 * period :]))
    np.testing.assert_allclose(means, 0.5, rtol=1e-9)


def test_the_approximate_jump_leaves_a_bias():
    dynamics = dynamics_of(jump="approximate")
    means = [
        dynamics.trace_jump(tau) / np.expm1(dynamics.dt_ms / tau) * dynamics.dt_ms / 20
        for tau in (200.0, dynamics.fast_ms)
    ]
    assert means[0] - means[1] > 0.04


@pytest.mark.parametrize("fields", [{}, {"neuron": "noisy_threshold"}, {"dt_ms": 0.5}])
def test_neurons_fire_at_the_rate_that_the_curve_says(fields):
    # 50 neurons for 4 s each: a rate's standard error is below .3 % of 1 / t_ref, and
    # the bound seven of them.
    drives = np.linspace(-4, 4, 8)
    design = Design(
        Loop(8, 1), Recirculation(), Spiking(neurons=50, clamp="shunting", **fields)
    )
    dynamics = design.lowered().dynamics
    chip = SpikingBody.at_rest([0], dynamics, 1).chip(0, [np.zeros((1, 9)), np.zeros((8, 2))])
    steps = int(4_000 / dynamics.dt_ms)
    fired, _ = reference_spiking.advance(
        dynamics, chip, Stretch(steps, 0, (7, "spikes", 0, 0), drives, (0.0, 0.0))
    )
    found = fired[:8] * dynamics.refractory_steps / (50 * steps)
    np.testing.assert_allclose(found, activity(dynamics, drives), atol=2e-2)
    np.testing.assert_allclose(curve(dynamics, drives), activity(dynamics, drives), atol=1e-5)


def test_the_curve_of_a_neuron_without_membrane_is_logistic_up_to_the_step():
    # With u = drive at once, E = R + (1 - p) / p and p = 1 - exp(-h e^x), h = dt / t_ref.
    dynamics = dynamics_of(membrane_ms=1e-3)
    x = np.array([-3.0, 0.0, 2.0])
    p = 1 - np.exp(-0.1 * np.exp(x))
    np.testing.assert_allclose(activity(dynamics, x), 10 / (10 + (1 - p) / p), rtol=1e-12)
    fine = dynamics_of(membrane_ms=1e-4, dt_ms=0.01)
    np.testing.assert_allclose(activity(fine, x), 1 / (1 + np.exp(-x)), atol=2e-3)


def test_a_shunting_clamp_gives_the_activity_of_the_case():
    dynamics = dynamics_of(clamp="shunting")
    wanted = np.array([0.01, 0.2, 0.5, 0.9, 0.99])
    np.testing.assert_allclose(activity(dynamics, inverse_curve(dynamics, wanted)), wanted,
                               atol=1e-4)  # fmt: skip


def test_a_current_clamp_turns_units_full_on_and_off():
    dynamics = dynamics_of()
    np.testing.assert_array_equal(clamp_drive(dynamics, np.array([0.0, 1.0])), [-12.0, 12.0])
    np.testing.assert_allclose(activity(dynamics, [-12.0, 12.0]), [0, 1], atol=1e-4)


def test_the_chance_of_a_spike_is_capped_and_a_plain_neuron_has_none():
    assert spike_chance(dynamics_of(), 1000.0) == 1.0
    plain = dynamics_of(neuron="noisy_threshold", threshold_noise=0.0, threshold=1.0)
    np.testing.assert_array_equal(spike_chance(plain, np.array([0.99, 1.0])), [0, 1])


def test_one_step_is_the_equations_in_their_order():
    # One visible and one hidden neuron, all state set; the visible one is about to fire.
    dynamics = Design(Loop(1, 1), Recirculation(), Spiking()).lowered().dynamics
    chip = SpikingBody.at_rest([0], dynamics, 1).chip(
        0, [np.array([[0.5, 0.25]]), np.array([[-0.5, 0.125]])]
    )
    chip.potential[:] = 30.0, -60.0
    chip.current[:] = 2.0, 3.0
    chip.slow[:], chip.fast[:] = (0.4, 0.6), (0.1, 0.2)
    chip.bias_slow[:], chip.bias_waiting[:] = (0.9, 0.8), (5, 5)
    reference_spiking.advance(
        dynamics, chip, Stretch(1, 0, (0, "spikes", 0, 0), None, (0.01, 0.02))
    )
    m, v, h, f = (np.exp(-1 / tau) for tau in (5, 200, 30, 5))
    w = 0.5 + 0.01 * (0.4 * v) * (0.6 * h - 0.2 * f)
    bias = 0.25 + 0.01 * (0.9 * v) * (0.6 * h - 0.2 * f)
    np.testing.assert_allclose(chip.weights[0], [[w, bias]], rtol=1e-14)
    back = -0.5 + 0.02 * (0.6 * h) * (0.4 * v - 0.1 * f)
    assert chip.weights[1][0, 0] == pytest.approx(back, rel=1e-14)
    jump = 10 * np.expm1(1 / 200)
    np.testing.assert_allclose(chip.current, [2 * h, 3 * v + w * jump], rtol=1e-14)
    np.testing.assert_allclose(chip.slow, [0.4 * v + jump, 0.6 * h], rtol=1e-14)
    np.testing.assert_allclose(chip.fast, [0.1 * f + 10 * np.expm1(0.2), 0.2 * f], rtol=1e-14)
    np.testing.assert_allclose(chip.potential, [0, -60 * m + 3 * (1 - m)], rtol=1e-14)
    np.testing.assert_array_equal(chip.waiting, [10, 0])
    np.testing.assert_array_equal(chip.bias_waiting, [4, 4])


def test_a_neuron_driven_hard_fires_every_refractory_time_and_the_bias_does():
    dynamics = dynamics_of()
    chip = SpikingBody.at_rest([0], dynamics, 1).chip(0, [np.zeros((2, 5)), np.zeros((4, 3))])
    fired, biases = reference_spiking.advance(
        dynamics, chip,
        Stretch(1000, 0, (0, "spikes", 0, 0), np.array([30.0, -30, -30, -30]), (0.0, 0.0)),
    )  # fmt: skip
    assert fired[0] in (99, 100)
    assert fired[1:4].sum() == 0
    np.testing.assert_array_equal(biases, [100, 100])
