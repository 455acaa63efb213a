"""Chips: their weights, and what they answer."""

import numpy as np
import pytest

from recirc_hw import (
    BPTT,
    Backprop,
    Chip,
    Design,
    ErrorRecirculation,
    FixedPoint,
    Ideal,
    Layered,
    Loop,
    RandomFeedback,
    Recirculation,
    Recurrent,
    TaskError,
    TopOnly,
    UnsupportedError,
)

DESIGN = Design(Loop(4, 2), Recirculation())

# -- fabrication


def test_a_seed_stands_for_one_chip():
    first, second, other = (DESIGN.fabricate(seed) for seed in (7, np.int64(7), 8))
    for a, b, c in zip(first.weights, second.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.isin(a, c).any()


def test_a_chip_drawn_once_is_the_same_chip_for_ever():
    # Fixed when it was first drawn: a seed in a published study must not change meaning.
    weights = DESIGN.fabricate(0).weights
    words = [int(w * 2**53) for w in (weights[0][0, 0] + 0.5, weights[1][3, 2] + 0.5)]
    assert words == [1611671383384968, 8895589537028057]


def test_feedback_matrices_do_not_change_the_weights_that_are_drawn():
    network = Loop(6, 4, 3, 4)
    rules = [Recirculation(), Backprop(), *(RandomFeedback(kind=k) for k in ("RBP", "SRBP"))]
    chips = [Design(network, rule).fabricate(5) for rule in rules]
    for chip in chips[1:]:
        for mine, theirs in zip(chip.weights, chips[0].weights, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    feedback = chips[2].matrices[4:]
    assert [m.shape for m in feedback] == [(4, 7), (3, 5), (4, 4)]
    assert not any(m[:, -1].any() for m in feedback)
    assert not any(
        np.isin(f, w).any() for f in feedback[1:] for w in chips[2].weights if f.any()
    )


def test_precision_rounds_the_same_draw():
    single = Design(Loop(4, 2), Recirculation(), Ideal(precision="float32")).fabricate(3)
    for mine, wanted in zip(single.weights, DESIGN.fabricate(3).weights, strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_array_equal(mine, wanted.astype(np.float32))


@pytest.mark.parametrize("seed", [1.0, "1", None, True, [1]])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(TypeError, match="seed must be a whole number"):
        DESIGN.fabricate(seed)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_outside_64_bits_is_refused(seed):
    with pytest.raises(ValueError, match=f"got {seed}"):
        DESIGN.fabricate(seed)


def test_weights_are_copies_and_can_be_set():
    chip = DESIGN.fabricate(0)
    weights = chip.weights
    weights[0][:] = 9
    assert not (chip.weights[0] == 9).any()
    chip.weights = weights
    weights[0][:] = 8
    assert (chip.weights[0] == 9).all()
    assert "seed=0" in repr(chip)


@pytest.mark.parametrize(
    "weights",
    [
        [np.zeros((2, 5))],
        [np.zeros((5, 2)), np.zeros((4, 3))],
        [np.zeros((2, 5)), np.zeros((4, 3)), np.zeros(1)],
        [np.full((2, 5), np.nan), np.zeros((4, 3))],
        [np.zeros((2, 5)), np.full((4, 3), np.inf)],
    ],
)
def test_weights_that_do_not_fit_are_refused(weights):
    chip = DESIGN.fabricate(0)
    before = chip.weights
    with pytest.raises(ValueError, match=r"weights: (want arrays|NaN)"):
        chip.weights = weights
    for mine, kept in zip(chip.weights, before, strict=True):
        np.testing.assert_array_equal(mine, kept)


@pytest.mark.parametrize("dtype", [complex, object, str])
def test_weights_that_are_no_real_numbers_are_refused(dtype):
    chip = DESIGN.fabricate(0)
    before = chip.weights
    with pytest.raises(TaskError, match=r"weights\[1\]: values of dtype .* real numbers"):
        chip.weights = [np.zeros((2, 5)), np.zeros((4, 3)).astype(dtype)]
    for mine, kept in zip(chip.weights, before, strict=True):
        np.testing.assert_array_equal(mine, kept)


@pytest.mark.parametrize("biases", [0.5, np.zeros(3), np.full(4, np.nan), np.zeros(4) * 1j])
def test_output_biases_that_do_not_fit_are_refused(biases):
    chip = DESIGN.fabricate(0)
    with pytest.raises(ValueError, match="biases: "):
        chip.set_output_biases(biases)
    np.testing.assert_array_equal(chip.weights[1], DESIGN.fabricate(0).weights[1])


# -- what a chip answers


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_reconstructions_and_codes_have_the_shape_of_the_cases(backend):
    chip = Design(Loop(6, 5, 2, 4), Recirculation()).fabricate(0)
    cases = np.random.default_rng(0).uniform(0, 1, (7, 6))
    assert chip.reconstruct(cases, backend=backend).shape == (7, 6)
    assert chip.encode(cases, backend=backend).shape == (7, 2)
    assert chip.reconstruct(cases[0], backend=backend).shape == (6,)
    assert chip.encode(list(cases[0]), backend=backend).shape == (2,)
    # One case among others is off by the order of summing 6 products: 1e-15.
    np.testing.assert_allclose(
        chip.reconstruct(cases[3], backend=backend),
        chip.reconstruct(cases, backend=backend)[3],
        rtol=0, atol=2e-15,
    )  # fmt: skip


def test_a_reconstruction_is_the_first_pass():
    chip = DESIGN.fabricate(1)
    case = np.array([0.0, 1.0, 0.5, 0.25])
    first, second = chip.weights

    def logistic(x):
        return 1 / (1 + np.exp(-x))

    hidden = logistic(first[:, :-1] @ case + first[:, -1])
    output = logistic(second[:, :-1] @ hidden + second[:, -1])
    for backend in ("reference", "native"):
        np.testing.assert_allclose(chip.encode(case, backend=backend), hidden, rtol=1e-14)
        np.testing.assert_allclose(chip.reconstruct(case, backend=backend), output, rtol=1e-14)


def test_answers_are_the_caller_s_own():
    chip = DESIGN.fabricate(0)
    cases = np.eye(4)
    cases.flags.writeable = False
    answer = chip.reconstruct(cases)
    answer[:] = 0
    assert chip.reconstruct(cases).all()


def test_cases_of_any_number_type_and_layout_are_taken():
    chip = DESIGN.fabricate(0)
    wanted = chip.reconstruct(np.eye(4))
    for cases in (np.eye(4, dtype=int), np.eye(4, dtype=bool), np.asfortranarray(np.eye(4))):
        np.testing.assert_array_equal(chip.reconstruct(cases), wanted)
    np.testing.assert_array_equal(chip.reconstruct(np.eye(8)[::2, ::2]), wanted)


BAD_CASES = {
    "too narrow": np.zeros((3, 3)),
    "too wide": np.zeros((3, 5)),
    "of three dimensions": np.zeros((1, 1, 4)),
    "a number": np.float64(0.5),
    "none": np.zeros((0, 4)),
    "NaN": np.array([[0, 1, np.nan, 0]]),
    "infinite": np.array([[0, 1, np.inf, 0]]),
    "text": np.array([["a", "b", "c", "d"]]),
    "text of numbers": np.array([["1", "0", "0", "0"]]),
    "complex": np.eye(4) * 1j,
    "complex without an imaginary part": np.eye(4, dtype=complex),
    "objects": np.eye(4, dtype=object),
    "dates": np.zeros((1, 4), "datetime64[s]"),
    "too large for float64": np.full((1, 4), np.longdouble("1e4000")),
    "masked": np.ma.masked_array(np.eye(4), mask=np.eye(4)),
    "ragged": [[1, 2, 3, 4], [1]],
}


@pytest.mark.parametrize("cases", BAD_CASES.values(), ids=BAD_CASES)
def test_cases_that_do_not_fit_are_refused(cases):
    chip = DESIGN.fabricate(0)
    for ask in (chip.reconstruct, chip.encode, chip.weight_change):
        with pytest.raises(TaskError, match="cases: "):
            ask(cases)


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_asking_for_a_weight_change_changes_nothing(backend):
    chip = Design(Loop(5, 3), RandomFeedback(kind="ARBP")).fabricate(0)
    before = [matrix.copy() for matrix in chip.matrices]
    changes = chip.weight_change(
        np.random.default_rng(0).uniform(0, 1, (3, 5)), backend=backend
    )
    assert [change.shape for change in changes] == [(3, 6), (5, 4)]
    for mine, kept in zip(chip.matrices, before, strict=True):
        np.testing.assert_array_equal(mine, kept)


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_a_weight_change_is_asked_for_a_single_case_too(backend):
    chip = DESIGN.fabricate(0)
    case = np.array([0.0, 1.0, 0.5, 0.25])
    for mine, wanted in zip(
        chip.weight_change(case, backend=backend),
        chip.weight_change(case[None], backend=backend),
        strict=True,
    ):
        np.testing.assert_array_equal(mine, wanted)


def test_the_change_another_rule_asks_for_is_that_rule_s():
    cases = np.random.default_rng(0).uniform(0, 1, (3, 5))
    chip = Design(Loop(5, 3), Recirculation()).fabricate(4)
    for rule in (Backprop(), RandomFeedback(), TopOnly(), ErrorRecirculation()):
        found = chip.weight_change(cases, rule)
        wanted = Design(Loop(5, 3), rule).fabricate(4).weight_change(cases)
        for mine, theirs in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_an_unknown_backend_is_refused_with_the_nearest_name():
    with pytest.raises(UnsupportedError, match="'natve', did you mean 'native'.*reference"):
        DESIGN.fabricate(0).reconstruct(np.eye(4), backend="natve")


def test_a_chip_can_be_made_without_the_design_s_help():
    np.testing.assert_array_equal(Chip(DESIGN, 3).weights[0], DESIGN.fabricate(3).weights[0])


@pytest.mark.parametrize("substrate", [Ideal(), FixedPoint()])
def test_states_hold_the_passes_of_a_chip(substrate):
    chip = Design(Loop(4, 2), Recirculation(), substrate).fabricate(3)
    cases = np.eye(4)[:3]
    states = chip.states(cases)
    slots = chip.program.layout.slots
    assert [state.shape for state in states] == [(3, slot.size) for slot in slots]
    for slot, wanted in ((0, cases), (1, chip.encode(cases)), (2, chip.reconstruct(cases))):
        found = substrate.decode(states[slot], slots[slot])
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=0)


# -- completion


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"known": np.ones(4)},
            r"known: float64 of shape \(4,\); allowed: bool of shape \(4,\)",
        ),
        ({"known": [0, 1, 2]}, r"known: int64 of shape \(3,\)"),
        ({"known": [True] * 3}, r"known: bool of shape \(3,\); allowed: .* or \(2, 4\)"),
        ({"known": np.ones((1, 4), bool)}, r"known: bool of shape \(1, 4\)"),
        ({"known": True}, r"known: bool of shape \(\)"),
        ({"known": [[True], [True, False]]}, "known: not a table of numbers"),
        ({"trips": -1}, r"trips = -1; allowed: a whole number in 0\.\."),
        ({"trips": 1.5}, r"trips = 1\.5; allowed: a whole number"),
        ({"trips": True}, "trips = True"),
    ],
)
def test_a_wrong_argument_of_a_completion_is_named(options, message):
    with pytest.raises(TaskError, match=message):
        DESIGN.fabricate(0).complete(**{"cases": np.eye(4)[:2], "known": [True] * 4} | options)


def test_a_completion_keeps_what_is_known_and_starts_the_rest_at_a_half():
    chip, cases = DESIGN.fabricate(0), np.eye(4)[:2]
    known = np.array([[True, True, False, True], [False, True, True, True]])
    path = chip.complete(cases, known, trips=2)
    np.testing.assert_array_equal(path[0], [[1, 0, 0.5, 0], [0.5, 1, 0, 0]])
    back = chip.reconstruct(path[0])
    np.testing.assert_array_equal(path[1], np.where(known, cases, back))
    assert chip.complete(cases, known, trips=0).shape == (1, 2, 4)
    np.testing.assert_array_equal(
        chip.complete(cases[0], known[0]), chip.complete(cases, known)[:, :1]
    )


@pytest.mark.parametrize(
    ("network", "rule"), [(Layered(6, 2, 1), Backprop()), (Recurrent(2, 3, 1, steps=2), BPTT())]
)
def test_networks_that_are_given_targets_complete_nothing(network, rule):
    chip = Design(network, rule).fabricate(0)
    cases, name = np.zeros((1, network.case_size)), type(network).__name__
    known = np.ones(cases.shape, bool)
    with pytest.raises(UnsupportedError, match=f"{name} network .*Loop and Hierarchy networks"):
        chip.complete(cases, known)
