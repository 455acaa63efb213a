"""Analog chips: what limits a unit, its noise, the limits of the rules, trajectories."""

import math
import warnings

import numpy as np
import pytest
from analog_chips import body_of, fabricated
from matplotlib.figure import Figure

from recirc_hw import (
    Analog,
    Design,
    Ideal,
    Loop,
    Recirculation,
    UnsupportedError,
    tasks,
)
from recirc_hw.substrates.devices import IdealDevice

# -- Units -------------------------------------------------------------------------------


def test_stuck_units_are_as_many_as_asked_for_and_hold_0_or_1_alike():
    stuck = body_of(range(12), Loop(1000, 1), stuck_units=0.3).stuck
    n, held = stuck.size, stuck[~np.isnan(stuck)]  # 12012 units
    assert abs(held.size / n - 0.3) < 5 * math.sqrt(0.21 / n)
    assert set(held) == {0.0, 1.0}
    assert abs(held.mean() - 0.5) < 5 * 0.5 / math.sqrt(held.size)


def test_a_stuck_unit_never_moves_not_even_when_clamped():
    stuck = np.isnan(body_of(range(99), stuck_units=0.5).stuck)
    seed = int(np.flatnonzero(~stuck[:, :2].any(axis=1) & stuck[:, 4:].any(axis=1))[0])
    chip = fabricated(seed, stuck_units=0.5)
    stuck = chip.design.substrate.body([seed], chip.program).stuck[0]
    trajectory = chip.record([0.3, 0.6, 0.2, 0.8])
    activity = np.hstack(list(trajectory.activity.values()))
    broken = ~np.isnan(stuck)
    assert (activity[:, broken] == stuck[broken]).all()
    assert (np.ptp(activity[:, ~broken], axis=0) > 0).all()


@pytest.mark.parametrize(("function", "low"), [("logistic", 0.0), ("tanh", -1.0)])
def test_a_case_is_clamped_to_the_codes_of_its_converter(function, low):
    # 2 bits: four codes, evenly from low to 1; halves go up, what is outside saturates.
    chip = fabricated(0, Loop(4, 2, visible=function), dac_bits=2)
    case = low + (1 - low) * np.array([0.17, 0.16, 0.5, 0.9])
    clamped = chip.record(case).activity["visible"][0]
    codes = np.array([1, 0, 2, 3]) / 3
    np.testing.assert_allclose(clamped, low + (1 - low) * codes, atol=1e-12)


def test_activities_go_round_the_loop_as_codes():
    chip = fabricated(0, Loop(2, 1), adc_bits=2)
    into_hidden, into_visible = chip.weights
    case = np.array([0.4, 0.9])  # sent as 1/3 and 1
    hidden = 1 / (1 + math.exp(-(into_hidden[0] @ [1 / 3, 1, 1])))
    assert chip.encode(case)[0] == pytest.approx(hidden, abs=1e-5)
    back = 1 / (1 + np.exp(-(into_visible @ [math.floor(3 * hidden + 0.5) / 3, 1])))
    np.testing.assert_allclose(chip.reconstruct(case), np.floor(3 * back + 0.5) / 3, atol=1e-12)


def test_a_delayed_activity_arrives_so_much_later():
    # Until visible units' release has reached the hidden ones they stand still, and the
    # visible ones go to their own target as one exponential.
    chip = fabricated(0, Loop(2, 1), delay_ms=0.3, release_ms=0.6, dt_ms=0.02, integrator="rk4")
    case = np.array([0.9, 0.1])
    trajectory = chip.record(case)
    release = trajectory.phases[1][1]
    since = trajectory.time_ms - release
    early = (since > 0) & (since < 0.3 - 1e-9)
    hidden, visible = trajectory.activity["hidden"], trajectory.activity["visible"]
    np.testing.assert_allclose(hidden[early], hidden[since <= 0][-1, 0], atol=1e-4)
    weights = chip.weights[1]
    target = 1 / (1 + np.exp(-(weights @ [hidden[early][0, 0], 1])))
    wanted = target + (case - target) * np.exp(-since[early])[:, None]
    np.testing.assert_allclose(visible[early], wanted, atol=1e-4)
    moved = np.abs(hidden[since > 0.45] - hidden[early][-1, 0]).max()
    assert moved > 1e-3


# -- Noise -------------------------------------------------------------------------------


def quiet(**fields):
    """Return a chip of zero weights, whose units are driven by nothing but their noise."""
    chip = fabricated(5, Loop(2, 50), **fields)
    chip.weights = [0 * matrix for matrix in chip.weights]
    return chip


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("dt_ms", [0.2, 0.1, 0.025])
def test_a_noisy_leaky_unit_has_the_mean_and_variance_of_the_closed_form(dt_ms, backend):
    # y' = (1/2 - y) / tau + white noise, from 0: after t the mean is (1 - e^(-t/tau)) / 2
    # and the variance sd^2 (1 - e^(-2t/tau)). n = 50,000; five standard errors.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the clamp is too short to settle
        chip = quiet(unit_noise=0.1, clamp_ms=0.5, dt_ms=dt_ms)
        found = chip.encode(np.full((1000, 2), 0.5), backend=backend)
    variance = 0.01 * -math.expm1(-1.0)
    assert abs(found.mean() - 0.5 * -math.expm1(-0.5)) < 5 * math.sqrt(variance / found.size)
    assert abs(found.var() / variance - 1) < 5 * math.sqrt(2 / found.size)
    assert abs(np.corrcoef(found[:, 0], found[:, 1])[0, 1]) < 5 / math.sqrt(1000)


def test_read_noise_is_that_of_all_synapses_of_a_unit_together():
    # sd of a unit's input is read_noise sqrt(1 + v^2 + v^2); of its activity f' = 1/4 of it.
    chip = quiet(read_noise=0.2, clamp_ms=12.0, dt_ms=0.2)
    found = chip.encode(np.full((1000, 2), 0.6))
    variance = (0.2 / 4) ** 2 * (1 + 2 * 0.36)
    assert abs(found.var() / variance - 1) < 5 * math.sqrt(2 / found.size)


def test_noise_is_drawn_anew_for_every_case_update_and_chip():
    chip, other = quiet(unit_noise=0.1), fabricated(6, Loop(2, 50), unit_noise=0.1)
    other.weights = chip.weights
    cases = np.full((2, 2), 0.5)
    first = chip.encode(cases)
    np.testing.assert_array_equal(first, chip.encode(cases))
    assert not np.isclose(first[0], first[1]).any()
    assert not np.isclose(first, other.encode(cases)).any()
    chip.steps += 1
    assert not np.isclose(first, chip.encode(cases)).any()


# -- Limits ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("combine", "apart"),
    [
        ("PR", (3e-2, 2e-4)),
        ("RCC", (7e-3, 5e-5)),
        ("CCRCC", (1e-7, 1e-7)),
        ("CCR", (0.2, 0.089)),
    ],
)
def test_the_gated_loop_goes_to_the_discrete_rule_as_fast_units_get_faster(combine, apart):
    # `apart`: deviation at k = 5 and 10 time constants a gate, found independently.
    rule, cases = {"combine": combine}, np.eye(4)
    discrete = Design(Loop(4, 2), Recirculation(**rule), Ideal()).fabricate(0)
    wanted = np.concatenate([g.ravel() for g in discrete.weight_change(cases)])
    for settling, expected in zip((5.0, 10.0), apart, strict=True):
        fields = {"form": "gated", "settling": settling, "clamp_ms": 18.0, "integrator": "rk4"}
        chip = fabricated(0, rule=rule, **fields)
        found = np.concatenate([g.ravel() for g in chip.weight_change(cases)])
        deviation = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
        assert deviation < 4 * expected
        if combine == "CCR":
            assert deviation > expected / 4


@pytest.mark.parametrize("combine", ["RCC", "CCRCC", "CCR"])
def test_a_gated_loop_that_keeps_nothing_is_that_of_fast_units(combine):
    fields = {"form": "gated", "release_ms": 1.0, "clamp_ms": 2.0}
    changes = [
        fabricated(rule={"combine": name, "regression": 0.0}, **fields).weight_change(np.eye(4))
        for name in ("PR", combine)
    ]
    for plain, found in zip(*changes, strict=True):
        np.testing.assert_allclose(found, plain, rtol=1e-12)


def test_regression_is_what_a_leaky_unit_remembers():
    program = Design(Loop(4, 2), Recirculation(regression=0.6), Analog(tau_ms=2.0)).lowered()
    assert program.phases[1].duration_ms == pytest.approx(2 * math.log(1 / 0.6))
    assert [phase.name for phase in program.phases] == ["clamp", "release"]
    listing = str(program)
    assert "clamp" in listing
    assert "1.022" in listing


# -- Trajectories ------------------------------------------------------------------------


def test_a_trajectory_has_every_moment_of_every_unit_and_weight():
    chip = fabricated(network=Loop(5, 3, 2), form="derivative_circuit", dt_ms=0.02)
    before = chip.weights
    trajectory = chip.record(np.linspace(0, 1, 5))
    n = 1 + sum(phase.steps for phase in chip.program.phases)
    assert trajectory.time_ms.shape == (n,)
    assert (np.diff(trajectory.time_ms) > 0).all()
    assert [a.shape for a in trajectory.activity.values()] == [(n, 5), (n, 3), (n, 2)]
    assert trajectory.trace.keys() == trajectory.activity.keys()
    assert [w.shape for w in trajectory.weights.values()] == [(n, *m.shape) for m in before]
    (_, first, clamped), (_, released, last) = trajectory.phases
    assert (first, clamped) == (0, released)
    assert last == pytest.approx(trajectory.time_ms[-1])
    for recorded, matrix in zip(trajectory.weights.values(), before, strict=True):
        np.testing.assert_array_equal(recorded[0], matrix)  # nothing learns while clamped
        assert np.abs(recorded[-1] - matrix).max() > 0
    np.testing.assert_array_equal(chip.weights[0], before[0])


def test_a_recorded_case_ends_where_a_training_would_write():
    chip, case = fabricated(write_mismatch=0.3), np.array([1.0, 0, 0, 0])
    trajectory = chip.record(case)
    gains = chip.design.substrate.body([0], chip.program).write_gain
    changes = chip.weight_change(case)
    for k, recorded in enumerate(trajectory.weights.values()):
        wanted = chip.weights[k] + chip.design.rule.learning_rate * gains[k][0] * changes[k]
        np.testing.assert_allclose(recorded[-1], wanted, atol=1e-10)


def test_a_trajectory_is_drawn_with_a_panel_a_group_and_one_of_weights():
    figure = fabricated().record([1.0, 0, 0, 0]).plot()
    assert isinstance(figure, Figure)
    assert len(figure.axes) == 3
    assert "ms" in figure.axes[-1].get_xlabel()


def test_a_clocked_chip_has_no_trajectory():
    chip = Design(Loop(4, 2), Recirculation()).fabricate(0)
    with pytest.raises(UnsupportedError, match="clocked"):
        chip.record([1.0, 0, 0, 0])


def test_dead_synapses_keep_the_weights_they_were_made_with():
    chip = fabricated(device=IdealDevice(corrupt_devices_prob=0.3))
    dead = [c.dead[0] for c in chip.design.substrate.body([0], chip.program).synapses.cells]
    before = chip.weights
    chip.train(tasks.encoder(4), max_updates=3, until="end", probes=False)
    for now, then, fixed in zip(chip.weights, before, dead, strict=True):
        np.testing.assert_array_equal(now == then, fixed)
