"""Symmetric loops: one physical weight for both ways."""

import numpy as np
import pytest

from recirc_hw import (
    Backprop,
    Design,
    DesignError,
    FixedPoint,
    Loop,
    Recirculation,
    TopOnly,
    UnsupportedError,
    tasks,
    train,
)

NETWORK = Loop(5, 3, symmetric=True)
CASES = np.random.default_rng(0).uniform(0, 1, (4, 5))


def tied(chip):
    up, down = chip.weights
    return np.abs(up[:, :-1] - down[:, :-1].T).max()


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_backprop_is_the_descent_by_the_one_weight(backend):
    chip = Design(NETWORK, Backprop(loss="squared")).fabricate(0)
    asked, (up, down), step = chip.weight_change(CASES, backend=backend), chip.weights, 1e-5

    def loss(first, second):
        chip.weights = [first, second]
        return 0.5 * np.sum((CASES - chip.reconstruct(CASES)) ** 2)

    for place in np.ndindex(3, 6):
        losses = []
        for sign in (1, -1):
            first, second = up.copy(), down.copy()
            first[place] += sign * step
            if place[1] < 5:
                second[place[1], place[0]] += sign * step
            losses.append(loss(first, second))
        slope = -(losses[0] - losses[1]) / (2 * step)
        assert asked[0][place] == pytest.approx(slope, abs=1e-9)
    np.testing.assert_allclose(asked[1][:, :-1], asked[0][:, :-1].T, atol=1e-15)


def test_a_symmetric_chip_learns_what_both_directions_ask_and_its_own_biases():
    chip = Design(NETWORK, Recirculation()).fabricate(0)
    apart = Design(Loop(5, 3), Recirculation()).fabricate(0)
    apart.weights = chip.weights
    (up, down), (alone_up, alone_down) = chip.weight_change(CASES), apart.weight_change(CASES)
    both = alone_up[:, :-1] + alone_down[:, :-1].T
    np.testing.assert_allclose(up[:, :-1], both, atol=1e-15)
    np.testing.assert_allclose(down[:, :-1], both.T, atol=1e-15)
    np.testing.assert_allclose(up[:, -1], alone_up[:, -1], atol=1e-14)
    np.testing.assert_allclose(down[:, -1], alone_down[:, -1], atol=1e-14)


@pytest.mark.parametrize("rule", [Recirculation(learning_rate=5.0), TopOnly(learning_rate=5.0)])
def test_both_directions_stay_one_weight_in_training(rule):
    chip = Design(Loop(4, 2, symmetric=True), rule).fabricate(1)
    before = chip.weights
    assert tied(chip) == 0
    chip.train(tasks.encoder(4), max_updates=100, until="end")
    assert np.abs(chip.weights[0] - before[0]).max() > 0.1
    # A hundred sums of eight products each, in two orders.
    assert tied(chip) < 1e-12


def test_what_would_part_the_directions_is_refused():
    for rule in (Recirculation(learning_rate=(1.0, 2.0)), Recirculation(norm_cap=1.0)):
        with pytest.raises(DesignError, match="one weight"):
            Design(NETWORK, rule)
    with pytest.raises(DesignError, match="one hidden group"):
        Loop(5, 3, 3, symmetric=True)
    with pytest.raises(UnsupportedError, match="symmetric weights on a fixed-point chip"):
        Design(NETWORK, Recirculation(), FixedPoint())
    chip = Design(NETWORK, Recirculation()).fabricate(0)
    up, down = chip.weights
    with pytest.raises(ValueError, match="each other's transpose"):
        chip.weights = [up + 1, down]


def test_the_rate_counts_half_since_one_weight_takes_both_directions_changes():
    chip = Design(NETWORK, Recirculation(learning_rate=0.5)).fabricate(0)
    before, (asked, _) = chip.weights[0], chip.weight_change(CASES)
    task = tasks.Task("cases", CASES, CASES, batch_size=4, held_out=False)
    chip.train(task, max_updates=1, until="end")
    np.testing.assert_allclose(chip.weights[0] - before, 0.25 * asked, atol=1e-14)


def test_symmetric_encoders_learn_by_the_defaults():
    # 95 % of chips; of 60 fixed ones at least 50 should.
    design = Design(Loop(4, 2, symmetric=True), Recirculation())
    runs = train([design.fabricate(seed) for seed in range(60)], tasks.encoder(4), probes=False)
    assert sum(run.learned for run in runs) >= 50
