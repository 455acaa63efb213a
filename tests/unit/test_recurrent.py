"""Recurrent networks: their gradient, their layered twins, and binary addition."""

import numpy as np
import pytest
from test_layered import descent

from recirc_hw import (
    BPTT,
    Backprop,
    Design,
    DesignError,
    Layered,
    Recurrent,
    TaskError,
    tasks,
    train,
)

NETWORKS = {
    "outputs at all steps": Recurrent(2, 3, 1, steps=4),
    "outputs at two steps": Recurrent(2, 3, 2, steps=4, taught_steps=(2, 4)),
    "fixed start": Recurrent(2, 3, 1, steps=3, initial_state="fixed"),
    "given start": Recurrent(1, 3, 0, steps=3, initial_state="given"),
    "no inputs": Recurrent(0, 3, 0, steps=3, taught_steps=(3,)),
    "some units": Recurrent(2, 4, 0, steps=3, taught_units=(0, 2, 3), taught_steps=(1, 3)),
    "tanh": Recurrent(2, 3, 1, steps=3, hidden="tanh", output="identity"),
}


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_bptt_is_the_descent_of_the_squared_error(network, backend):
    design = Design(network, BPTT(loss="squared"))
    cases = np.random.default_rng(0).uniform(0, 1, (4, network.case_size))
    asked, slopes = descent(design, design.fabricate(1), cases, backend)
    for change, slope in zip(asked, slopes, strict=True):
        # Central differences err by step^2 and by 1e-16 / step.
        np.testing.assert_allclose(change, slope, rtol=0, atol=1e-9)


def test_an_iterative_net_is_a_layered_net_with_tied_weights():
    network = Recurrent(0, 3, 0, steps=3, initial_state="given", taught_steps=(3,))
    one = Design(network, BPTT(loss="squared")).fabricate(0)
    many = Design(Layered(3, 3, 3, 3), Backprop(loss="squared")).fabricate(0)
    many.weights = one.weights * 3
    cases = np.random.default_rng(0).uniform(0, 1, (4, 6))
    np.testing.assert_allclose(one.reconstruct(cases), many.reconstruct(cases), atol=1e-15)
    change = sum(many.weight_change(cases))
    np.testing.assert_allclose(one.weight_change(cases)[0], change, rtol=0, atol=1e-15)


def test_a_learned_start_is_the_response_to_its_bias():
    chip = Design(Recurrent(1, 2, 0, steps=1), BPTT()).fabricate(0)
    bias = chip.weights[0][:, 0]
    start = chip.activity(np.zeros((1, 1)), "hidden 0")[0]
    np.testing.assert_allclose(start, 1 / (1 + np.exp(-bias)), rtol=1e-14)


def test_a_fixed_start_is_at_rest_and_stays_there():
    design = Design(Recurrent(1, 2, 0, steps=2, initial_state="fixed"), BPTT())
    chip = design.fabricate(0)
    assert (chip.activity(np.zeros((1, 2)), "hidden 0") == 0.5).all()
    before = chip.weights
    chip.train(tasks.Task("t", *[np.eye(6)[:3]] * 2, tasks.SquaredError(0.1), n_targets=4,
                          held_out=False), epochs=1)  # fmt: skip
    np.testing.assert_array_equal(chip.weights[0], before[0])
    assert not np.array_equal(chip.weights[1], before[1])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"taught_steps": (0, 1)}, "taught_steps = .0, 1.: want rising numbers in 1..3"),
        ({"taught_steps": (2, 1)}, "rising"),
        ({"taught_units": (5,)}, "taught_units = .5.: want rising numbers in 0..2"),
        ({"n_outputs": 1, "taught_units": (0,)}, "want n_outputs = 0"),
        ({"steps": 0}, "steps"),
    ],
)
def test_what_cannot_be_taught_is_refused(fields, message):
    with pytest.raises(DesignError, match=message):
        Recurrent(**({"n_inputs": 2, "n_hidden": 3, "n_outputs": 0, "steps": 3} | fields))


def test_slots_are_asked_for_by_name():
    chip = Design(Recurrent(1, 2, 0, steps=2), BPTT()).fabricate(0)
    with pytest.raises(DesignError, match="did you mean 'hidden 2'"):
        chip.activity(np.zeros((1, 2)), "hiden 2")


def test_the_bits_of_a_sum_are_python_s():
    task = tasks.addition(7, seed=3, pairs=50, test_pairs=20)
    for cases in (task.train, task.epoch_cases(1), task.test):
        digits, sums = cases[:, :16].reshape(-1, 8, 2), task.targets(cases)
        places = 2 ** np.arange(8)
        first, second = (places @ digits[:, :, k].T for k in (0, 1))
        assert (places @ sums.T == first + second).all()
        assert (digits[:, 7] == 0).all()
    assert not np.array_equal(task.epoch_cases(1), task.train)
    np.testing.assert_array_equal(task.epoch_cases(1), task.epoch_cases(1))


def test_pairs_of_their_own_lengths_are_empty_above_them_and_add_up():
    task = tasks.addition(6, seed=1, pairs=4000, fewest_bits=2)
    digits = task.train[:, :14].reshape(-1, 7, 2)
    places = 2 ** np.arange(7)
    sums = sum(places @ digits[:, :, k].T for k in (0, 1))
    assert (places @ task.targets(task.train).T == sums).all()
    # A column is on in half of the pairs that reach it: 5, 5, 4, 3, 2, 1, 0 in 5. Both
    # numbers of a pair are empty together: a standard error of at most .0059, and 5.4 of it.
    shares = digits.mean(axis=(0, 2))
    np.testing.assert_allclose(shares, np.array([5, 5, 4, 3, 2, 1, 0]) / 10, atol=0.032)
    assert task.name == "addition(6,1,4000,500,2)"
    assert tasks.parse(task.name).fingerprint == task.fingerprint
    assert tasks.addition(6, fewest_bits=6).name == tasks.addition(6).name
    with pytest.raises(TaskError, match="fewest_bits = 7"):
        tasks.addition(6, fewest_bits=7)


def test_nets_learn_to_add():
    # Of the independent build's seeds 83 % learn; these are fixed.
    design = Design(Recurrent(2, 3, 1, steps=5, initial_range=1.0), BPTT(batch="mean"))
    chips = [design.fabricate(seed) for seed in range(8)]
    runs = train(chips, tasks.addition(4, pairs=400), max_updates=600, until="learned", hold=0)
    assert sum(run.learned for run in runs) >= 3
