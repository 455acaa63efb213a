"""Loops: their groups, their matrices, and how a chip's weights start."""

import numpy as np
import pytest

from recirc_hw import (
    Analog,
    Backprop,
    Design,
    DesignError,
    Hierarchy,
    Layered,
    Loop,
    Recirculation,
    Recurrent,
    Spiking,
    UnsupportedError,
    tasks,
)


def test_groups_go_round_the_ring_from_the_visible_one():
    groups = Loop(7, 5, 3, hidden=("tanh", "identity")).groups
    assert [(g.name, g.size, g.function) for g in groups] == [
        ("visible", 7, "logistic"),
        ("hidden1", 5, "tanh"),
        ("hidden2", 3, "identity"),
    ]
    assert [group.name for group in Loop(4, 2).groups] == ["visible", "hidden"]


def test_matrices_lead_from_each_group_to_the_next_and_back():
    matrices = Loop(7, 5, 3, visible="identity", hidden="tanh").matrices
    assert [(m.name, m.rows, m.cols, m.function) for m in matrices] == [
        ("visible>hidden1", 5, 7, "tanh"),
        ("hidden1>hidden2", 3, 5, "tanh"),
        ("hidden2>visible", 7, 3, "identity"),
    ]
    assert not any(matrix.feedback for matrix in matrices)


def test_the_code_is_in_the_first_narrowest_hidden_group():
    assert Loop(4, 2).code.name == "hidden"
    assert Loop(10, 8, 3, 8).code.name == "hidden2"
    assert Loop(10, 3, 8, 3).code.name == "hidden1"
    assert Loop(2, 5).code.name == "hidden"  # the visible group never holds the code


def test_a_uniform_start_fills_its_range_biases_too():
    network = Loop(300, 200, initial_range=0.25)
    for step, matrix in enumerate(network.matrices):
        weights = network.initial(matrix, 3, step)
        assert weights.shape == (matrix.rows, matrix.cols + 1)
        assert weights.dtype == np.float64
        n = weights.size
        assert np.abs(weights).max() < 0.25
        # Beyond +-.249 lie .4 % of 60,000 draws: none has probability e^-240.
        assert np.abs(weights).max() > 0.249
        assert np.abs(weights[:, -1]).max() > 0.2
        # A uniform in +-a has variance a^2 / 3 and fourth moment a^4 / 5; six sigma.
        assert abs(weights.mean()) < 6 * 0.25 / np.sqrt(3 * n)
        spread = 0.25**2 * np.sqrt((1 / 5 - 1 / 9) / n)
        assert abs(weights.var() - 0.25**2 / 3) < 6 * spread


def test_a_glorot_start_is_scaled_by_the_fan_and_has_no_biases():
    network = Loop(200, 100, initial_weights="glorot")
    for step, matrix in enumerate(network.matrices):
        weights = network.initial(matrix, 3, step)
        bound = np.sqrt(6 / 300)
        assert 0.99 * bound < np.abs(weights[:, :-1]).max() < bound
        assert not weights[:, -1].any()


def test_matrices_and_seeds_have_draws_of_their_own():
    network = Loop(6, 6)
    draws = [
        network.initial(matrix, seed, step)
        for seed in (0, 1)
        for step, matrix in enumerate(network.matrices)
    ]
    for i, first in enumerate(draws):
        for second in draws[:i]:
            assert not np.isin(first, second).any()


@pytest.mark.parametrize("visible", ["logistic", "tanh", "identity"])
def test_data_mean_biases_answer_with_the_mean_of_the_cases(visible):
    cases = np.random.default_rng(0).uniform(0.2, 0.8, (4000, 3))
    bias = Loop(3, 2, visible=visible).output_biases(cases)
    respond = {"logistic": lambda b: 1 / (1 + np.exp(-b)), "tanh": np.tanh}.get(visible)
    answer = bias if respond is None else respond(bias)
    # The add-half estimate is off by at most half a case: 1 of 8002 on a range of 2.
    np.testing.assert_allclose(answer, cases.mean(axis=0), rtol=0, atol=2 / 8002)


@pytest.mark.parametrize(("visible", "rail"), [("logistic", 0.0), ("tanh", -1.0)])
def test_data_mean_biases_are_finite_where_a_unit_never_changes(visible, rail):
    cases = np.array([[rail, 1.0]] * 5)
    assert np.isfinite(Loop(2, 1, visible=visible).output_biases(cases)).all()


def test_training_starts_from_the_data_mean_where_the_design_asks():
    task = tasks.from_array(np.random.default_rng(1).uniform(0, 1, (50, 4)), test_share=0)
    design = Design(Loop(4, 2, output_bias="data_mean"), Recirculation(learning_rate=0.0))
    chip = design.fabricate(0)
    drawn = chip.weights[1][:, -1]
    chip.train(task, max_updates=1)
    wanted = design.network.output_biases(task.train)
    np.testing.assert_array_equal(chip.weights[1][:, -1], wanted)
    assert not np.array_equal(drawn, wanted)


def test_data_mean_biases_are_set_once_not_at_every_training():
    task = tasks.from_array(np.random.default_rng(1).uniform(0, 1, (50, 4)), test_share=0)
    design = Design(Loop(4, 2, output_bias="data_mean"), Recirculation(learning_rate=1.0))
    chip = design.fabricate(0)
    chip.train(task, max_updates=20)
    learned = chip.weights[1][:, -1]
    chip.train(task, max_updates=1)
    # One more update moves a bias by at most rate x |y0 - y2|, far less than a restart.
    wanted = design.network.output_biases(task.train)
    assert np.abs(chip.weights[1][:, -1] - wanted).max() > 1e-3
    assert np.abs(chip.weights[1][:, -1] - learned).max() <= 0.25


def test_the_numbers_of_units_may_be_positional_or_named():
    assert Loop(4, 3, 2) == Loop(n_visible=4, n_hidden=(3, 2))
    with pytest.raises(DesignError, match="n_hidden"):
        Loop(4)
    with pytest.raises(DesignError, match="n_visible is missing"):
        Loop()


@pytest.mark.parametrize(
    ("substrate", "chip"), [(Spiking(), "a spiking chip"), (Analog(), "an analog chip")]
)
@pytest.mark.parametrize(
    ("network", "kind"),
    [
        (Layered(3, 2, 1), "a layered network"),
        (Recurrent(2, 3, 1, steps=2), "a recurrent network"),
        (Hierarchy(leaves=[(2, 2)]), "a hierarchy network"),
        (Loop(4, 2, symmetric=True), "symmetric weights"),
    ],
)
def test_chips_in_continuous_time_are_refused_all_networks_but_plain_loops(
    network, kind, substrate, chip
):
    with pytest.raises(UnsupportedError, match=f"{kind} on {chip}: only loops of asymmetric"):
        Design(network, Backprop(), substrate)
