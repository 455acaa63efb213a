"""Every rule's program, run by the reference backend, against the papers' formulas."""

from itertools import product

import numpy as np
import pytest
from formulas import (
    backpropagation,
    cross_entropy_loss,
    descent,
    error_recirculation,
    random_feedback,
    recirculation,
    squared_loss,
    top_only,
    total,
)

from recirc_hw import (
    Backprop,
    Design,
    ErrorRecirculation,
    Loop,
    RandomFeedback,
    Recirculation,
    TopOnly,
)
from recirc_hw.backends import Job, reference
from recirc_hw.metrics import cosine
from recirc_hw.programs import Body

# Sums of at most 7 terms of size about 1, over 4 cases and at most 4 passes of 4
# matrices: 7 * 4 * 16 * 2.2e-16 = 1e-13.
CLOSE = {"rtol": 1e-12, "atol": 1e-12}

LOOPS = {"one hidden group": (5, 3), "three hidden groups": (6, 4, 3, 5)}
UNITS = {
    "logistic": ("logistic", "logistic"),
    "tanh": ("tanh", "tanh"),
    "identity": ("identity", "identity"),
    "tanh to logistic": ("logistic", "tanh"),
}
networks = pytest.mark.parametrize("sizes", LOOPS.values(), ids=LOOPS)
units = pytest.mark.parametrize(("visible", "hidden"), UNITS.values(), ids=UNITS)
losses = pytest.mark.parametrize("loss", ["matched", "squared"])


def fabricated(sizes, visible, hidden, rule):
    """Return a chip, its weights, the functions they lead to, and four cases."""
    network = Loop(*sizes, visible=visible, hidden=hidden, initial_range=0.6)
    chip = Design(network, rule).fabricate(seed=11)
    functions = [hidden] * (len(sizes) - 1) + [visible]
    cases = np.random.default_rng(3).uniform(0.05, 0.95, (4, sizes[0]))
    return chip, chip.weights, functions, cases


def assert_equal(changes, wanted):
    assert len(changes) == len(wanted)
    for change, formula in zip(changes, wanted, strict=True):
        assert np.abs(formula).max() < 100  # else the tolerance means nothing
        np.testing.assert_allclose(change, formula, **CLOSE)


@units
@networks
@pytest.mark.parametrize("cycles", [1, 2, 3, (1, 2)], ids=str)
@pytest.mark.parametrize("combine", ["PR", "CCR", "RCC", "CCRCC", "RWCC"])
def test_recirculation_is_what_the_tables_say(combine, cycles, sizes, visible, hidden):
    for presynaptic, twice in product(["first", "second"], [False, True]):
        rule = Recirculation(
            combine=combine,
            regression=0.7,
            cycles=cycles,
            presynaptic=presynaptic,
            apply_visible_rule_twice=twice,
        )
        chip, weights, functions, cases = fabricated(sizes, visible, hidden, rule)
        choices = {"combine": combine, "lam": 0.7, "cycles": cycles}
        choices |= {"presynaptic": presynaptic, "twice": twice}
        wanted = total(recirculation, cases, weights, functions, **choices)
        assert_equal(chip.weight_change(cases, backend="reference"), wanted)
        assert all(np.abs(change).max() > 1e-9 for change in wanted)  # far above the tolerance


@networks
@pytest.mark.parametrize("hidden_regression", [0.0, 0.25])
@pytest.mark.parametrize("combine", ["CCR", "RCC", "CCRCC", "RWCC"])
def test_hidden_units_may_have_a_regression_of_their_own(combine, hidden_regression, sizes):
    rule = Recirculation(
        combine=combine, regression=0.6, hidden_regression=hidden_regression, cycles=2
    )
    chip, weights, functions, cases = fabricated(sizes, "logistic", "tanh", rule)
    choices = {"combine": combine, "lam": 0.6, "mu": hidden_regression, "cycles": 2}
    wanted = total(recirculation, cases, weights, functions, **choices, presynaptic="second")
    assert_equal(chip.weight_change(cases, backend="reference"), wanted)


@pytest.mark.parametrize("combine", ["CCR", "RCC", "CCRCC", "RWCC"])
def test_without_regression_every_combination_is_plain_recirculation(combine):
    chip, _, _, cases = fabricated((5, 3), "logistic", "logistic", Recirculation())
    rules = [Recirculation(combine=c, regression=0.0) for c in (combine, "PR")]
    changes = [chip.weight_change(cases, rule, backend="reference") for rule in rules]
    assert_equal(*changes)


@units
@networks
def test_error_recirculation_is_equation_18(sizes, visible, hidden):
    chip, weights, functions, cases = fabricated(sizes, visible, hidden, ErrorRecirculation())
    wanted = total(error_recirculation, cases, weights, functions)
    assert_equal(chip.weight_change(cases, backend="reference"), wanted)


@losses
@units
@networks
def test_backprop_is_the_chain_rule(sizes, visible, hidden, loss):
    chip, weights, functions, cases = fabricated(sizes, visible, hidden, Backprop(loss=loss))
    wanted = total(backpropagation, cases, weights, functions, loss=loss)
    assert_equal(chip.weight_change(cases, backend="reference"), wanted)


@losses
@units
@networks
@pytest.mark.parametrize("kind", ["RBP", "SRBP", "ARBP"])
def test_random_feedback_is_what_the_papers_say(kind, sizes, visible, hidden, loss):
    rule = RandomFeedback(kind=kind, loss=loss)
    chip, weights, functions, cases = fabricated(sizes, visible, hidden, rule)
    layers = len(weights)
    returns = chip.matrices[layers:]  # of the last hidden group first
    feedback = {layers - 1 - i: matrix[:, :-1] for i, matrix in enumerate(returns)}
    wanted = total(random_feedback, cases, weights, functions, feedback, kind=kind, loss=loss)
    assert_equal(chip.weight_change(cases, backend="reference"), wanted[:layers])
    job = Job.gathering(chip.design.program, chip.matrices, cases, Body.start([0]))
    reference.train(job)
    all_changes = [g[0] for g in job.sums]
    for change, formula in zip(all_changes[layers:], wanted[layers:], strict=True):
        learns = kind == "ARBP"
        np.testing.assert_allclose(change[:, :-1], formula if learns else 0, **CLOSE)


@losses
@units
@networks
def test_top_only_changes_nothing_but_the_top(sizes, visible, hidden, loss):
    chip, weights, functions, cases = fabricated(sizes, visible, hidden, TopOnly(loss=loss))
    wanted = total(top_only, cases, weights, functions, loss=loss)
    assert_equal(chip.weight_change(cases, backend="reference"), wanted)


@pytest.mark.parametrize("sizes", [(5, 3), (4, 3, 2, 3), (3, 3, 2, 2, 3, 4)], ids=str)
@pytest.mark.parametrize(
    ("visible", "loss", "energy"),
    [
        ("logistic", "matched", cross_entropy_loss),
        ("logistic", "squared", squared_loss),
        ("tanh", "squared", squared_loss),
        ("identity", "matched", squared_loss),
        ("identity", "squared", squared_loss),
    ],
)
@pytest.mark.parametrize("hidden", ["logistic", "tanh", "identity"])
def test_backprop_descends_its_loss(sizes, visible, hidden, loss, energy):
    chip, weights, functions, cases = fabricated(sizes, visible, hidden, Backprop(loss=loss))
    found = chip.weight_change(cases, backend="reference")
    wanted = descent(energy, cases, weights, functions)
    # Central differences err by step^2 / 6 = 2e-11 and by 2.2e-16 E / step = 3e-10.
    scale = max(np.abs(change).max() for change in wanted)
    for change, slope in zip(found, wanted, strict=True):
        np.testing.assert_allclose(change, slope, rtol=1e-6, atol=1e-8 * scale)


def symmetric(chip):
    """Give a chip with one hidden group symmetric weights, W_vh = W_hv^T."""
    first, second = chip.weights
    second[:, :-1] = first[:, :-1].T
    chip.weights = [first, second]
    return chip


@pytest.mark.parametrize("seed", range(5))
def test_with_high_regression_recirculation_is_gradient_descent(seed):
    # H&M eq. 9: linear visible units, symmetric weights, lambda -> 1.
    network = Loop(6, 3, visible="identity")
    chip = symmetric(Design(network, Recirculation(regression=0.999)).fabricate(seed))
    cases = np.random.default_rng(seed).uniform(0, 1, (5, 6))
    for backend in ("reference", "native"):
        mine = chip.weight_change(cases, backend=backend)
        steepest = chip.weight_change(cases, Backprop(), backend=backend)
        assert cosine(mine[0], steepest[0]) > 0.99999
        assert cosine(mine[1], steepest[1]) > 1 - 1e-12  # eq. 3 is exact
        # "Eq. 4 tends to (1 - lambda)^2 times the unregressed gradient."
        scale = np.linalg.norm(mine[0]) / np.linalg.norm(steepest[0])
        assert scale == pytest.approx(1e-6, rel=5e-3)


def test_the_limit_needs_regression_symmetry_and_linear_visible_units():
    cases = np.random.default_rng(0).uniform(0, 1, (5, 6))

    def agreement(regression, visible="identity", symmetry=True):
        chip = Design(Loop(6, 3, visible=visible), Recirculation()).fabricate(2)
        chip = symmetric(chip) if symmetry else chip
        rule = Recirculation(regression=regression)
        change = chip.weight_change(cases, rule, backend="reference")[0]
        return cosine(change, chip.weight_change(cases, Backprop(loss="squared"))[0])

    assert agreement(0.75) < agreement(0.99) < agreement(0.999)
    assert agreement(0.999, visible="logistic") < 0.9999
    assert agreement(0.999, symmetry=False) < 0.9
