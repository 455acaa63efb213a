"""Learning channels of the standard autoencoder: which known rule each row is."""

import numpy as np
import pytest

from recirc_hw import (
    Backprop,
    Channels,
    Design,
    DesignError,
    ErrorRecirculation,
    Loop,
    RandomFeedback,
    Recirculation,
    TopOnly,
)

CASES = np.random.default_rng(0).uniform(0, 1, (5, 6))
PLAIN = Recirculation(combine="PR", regression=0.0, presynaptic="first")
OUTPUT = {"sends": "output"}
TWINS = {
    "row 3": (Channels(c1=False, c3="identity", **OUTPUT), PLAIN),
    "row 4": (Channels(), TopOnly()),
    "row 5, transposed": (Channels(c2="transposed"), Backprop()),
    "row 5, random": (Channels(c2="random"), RandomFeedback(kind="RBP")),
    "row 5, adaptive": (Channels(c2="adaptive"), RandomFeedback(kind="ARBP")),
    "row 6": (Channels(c3="identity"), Channels(c2="tracking")),
    "row 7, tracking": (Channels(c2="tracking", **OUTPUT), PLAIN),
    "row 8": (Channels(c3="identity", **OUTPUT), PLAIN),
}


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("response", ["logistic", "tanh", "identity"])
@pytest.mark.parametrize(("channels", "twin"), TWINS.values(), ids=TWINS)
def test_a_row_of_the_table_is_the_rule_it_is_said_to_be(channels, twin, response, backend):
    network = Loop(6, 3, visible=response, hidden=response)
    changes = [
        Design(network, rule).fabricate(2).weight_change(CASES, backend=backend)
        for rule in (channels, twin)
    ]
    for found, wanted in zip(*changes, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14)


def test_without_c1_and_a_circle_the_decoder_does_not_learn():
    chip = Design(Loop(6, 3), Channels(c1=False, c2="random", **OUTPUT)).fabricate(0)
    up, down = chip.weight_change(CASES)
    assert np.abs(up).max() > 0
    assert (down == 0).all()
    chip = Design(Loop(6, 3), Channels(c1=False)).fabricate(0)
    assert all((change == 0).all() for change in chip.weight_change(CASES))


def test_a_random_c3_sends_what_it_is_given_through_the_encoder():
    network = Loop(6, 3, visible="identity", hidden="identity")
    chip = Design(network, Channels(c3="random")).fabricate(0)
    up, down = chip.weights
    channel = chip.matrices[2]
    hidden = CASES @ up[:, :-1].T + up[:, -1]
    error = CASES - (hidden @ down[:, :-1].T + down[:, -1])
    brought = error @ channel[:, :-1].T @ up[:, :-1].T
    np.testing.assert_allclose(
        chip.weight_change(CASES)[0][:, :-1], brought.T @ CASES, atol=1e-13
    )


@pytest.mark.parametrize("response", ["logistic", "tanh"])
def test_an_error_by_c3_is_gated_where_the_hidden_units_work(response):
    chip = Design(Loop(6, 3, hidden=response), Channels(c3="random")).fabricate(0)
    (up, down), channel = chip.weights, chip.matrices[2]
    respond = {"logistic": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh}
    sums = CASES @ up[:, :-1].T + up[:, -1]
    hidden = respond[response](sums)
    error = CASES - respond["logistic"](hidden @ down[:, :-1].T + down[:, -1])
    # By a central difference: no formula for f' that the rule could share.
    slope = (respond[response](sums + 1e-5) - respond[response](sums - 1e-5)) / 2e-5
    brought = slope * (error @ channel[:, :-1].T @ up[:, :-1].T)
    np.testing.assert_allclose(
        chip.weight_change(CASES)[0][:, :-1], brought.T @ CASES, atol=1e-8
    )


def test_in_a_linear_net_row_6_is_error_recirculation():
    network = Loop(6, 3, visible="identity", hidden="identity")
    changes = [
        Design(network, rule).fabricate(2).weight_change(CASES)
        for rule in (Channels(c3="identity", learning_rate=0.5), ErrorRecirculation())
    ]
    for found, wanted in zip(*changes, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"c2": "random", "c3": "identity"}, "at most one"),
        ({"c1": False, "c2": "random"}, "without c1"),
        ({"c2": "transposed", "sends": "output"}, "carries errors"),
    ],
)
def test_channels_that_do_not_fit_together_are_refused(fields, message):
    with pytest.raises(DesignError, match=message):
        Channels(**fields)


def test_channels_want_one_hidden_group():
    with pytest.raises(DesignError, match="one hidden group"):
        Design(Loop(6, 3, 3), Channels())
