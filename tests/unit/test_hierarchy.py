"""Hierarchies: each module learns as a loop does, and trips complete what is missing."""

import numpy as np
import pytest
from test_layered import descent

from recirc_hw import Backprop, Design, DesignError, Hierarchy, Loop, Recirculation, train
from recirc_hw.tasks import Task, UnitError

TREE = Hierarchy(leaves=[(3, 2), (4, 2), (2, 3)], upper=[(2, 0, 1), (2, 3, 2)])
RULES = {
    "CCRCC": Recirculation(),
    "twice": Recirculation(apply_visible_rule_twice=True),
    "PR": Recirculation(combine="PR", presynaptic="first", regression=0.0),
    "cycles": Recirculation(combine="RWCC", cycles=(1, 2)),
}


def logistic(x):
    return 1 / (1 + np.exp(-x))


def passes_up(chip, cases):
    """Return every module's visible vectors, by hand."""
    weights, visible, start = chip.weights, [], 0
    hidden = []
    for module, (size, _) in enumerate(TREE.sizes):
        below = TREE._below(module)
        if below:
            visible.append(np.concatenate([hidden[b] for b in below], axis=1))
        else:
            visible.append(cases[:, start : start + size])
            start += size
        up = weights[2 * module]
        hidden.append(logistic(visible[-1] @ up[:, :-1].T + up[:, -1]))
    return visible, hidden


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_module_learns_as_a_loop_on_the_hidden_states_below(rule, backend):
    chip = Design(TREE, rule).fabricate(3)
    cases = np.random.default_rng(0).uniform(0, 1, (5, 9))
    changes = chip.weight_change(cases, backend=backend)
    for module, visible in enumerate(passes_up(chip, cases)[0]):
        alone = Design(Loop(*TREE.sizes[module]), rule).fabricate(0)
        alone.weights = chip.weights[2 * module : 2 * module + 2]
        wanted = alone.weight_change(visible, backend="reference")
        for found, change in zip(changes[2 * module :], wanted, strict=False):
            np.testing.assert_allclose(found, change, rtol=0, atol=1e-13)


def test_a_trip_goes_up_to_the_top_and_down_again():
    chip = Design(TREE, Recirculation()).fabricate(3)
    cases = np.random.default_rng(0).uniform(0, 1, (5, 9))
    _, hidden = passes_up(chip, cases)
    downs = chip.weights[1::2]

    def answer(module, state):
        return logistic(state @ downs[module][:, :-1].T + downs[module][:, -1])

    fourth_and_third = answer(4, hidden[4])
    first_and_second = answer(3, fourth_and_third[:, :2])
    wanted = np.concatenate(
        [
            answer(0, first_and_second[:, :2]), answer(1, first_and_second[:, 2:]),
            answer(2, fourth_and_third[:, 2:]),
        ],
        axis=1,
    )  # fmt: skip
    np.testing.assert_allclose(chip.reconstruct(cases), wanted, atol=1e-14)
    np.testing.assert_allclose(chip.encode(cases), hidden[4], atol=1e-14)


def test_backprop_through_a_hierarchy_is_the_descent_of_a_trip_s_error():
    chip = Design(TREE, Backprop(loss="squared")).fabricate(1)
    cases = np.random.default_rng(0).uniform(0, 1, (4, 9))
    asked = chip.weight_change(cases)
    # Of the whole case: its own target.
    _, slopes = descent_of_whole(chip, cases)
    for change, slope in zip(asked, slopes, strict=True):
        np.testing.assert_allclose(change, slope, rtol=0, atol=1e-9)


def descent_of_whole(chip, cases):
    """Return `descent` where the whole case is the target."""

    class Whole:
        class network:  # noqa: N801
            n_targets = cases.shape[1]

    return descent(Whole, chip, cases)


@pytest.mark.parametrize(
    ("leaves", "upper", "message"),
    [
        ([(4, 2), (4, 2)], [], "want each of 0..0 once"),
        ([(4, 2), (4, 2)], [(2, 0)], "modules below others are"),
        ([(4, 2), (4, 2)], [(2, 0, 2)], "modules in 0..1"),
        ([(4, 2), (4, 2)], [(2, 0, 0, 1)], "once"),
        ([(4, 0)], [], "leaves"),
    ],
)
def test_what_is_no_tree_is_refused(leaves, upper, message):
    with pytest.raises(DesignError, match=message):
        Hierarchy(leaves=leaves, upper=upper)


def test_one_module_is_a_loop():
    alone = Design(Hierarchy(leaves=[(5, 3)]), Recirculation()).fabricate(4)
    loop = Design(Loop(5, 3), Recirculation()).fabricate(4)
    cases = np.random.default_rng(0).uniform(0, 1, (4, 5))
    for first, second in zip(
        alone.weight_change(cases), loop.weight_change(cases), strict=True
    ):
        np.testing.assert_allclose(first, second, atol=1e-15)


def test_learned_vectors_are_attractors_and_are_completed():
    network = Hierarchy(leaves=[(8, 4), (8, 4)], upper=[(4, 0, 1)])
    cases = (np.random.default_rng(0).random((4, 16)) < 0.5) * 1.0
    task = Task("vectors", cases, cases, UnitError(0.1), 4, held_out=False)
    chips = [Design(network, Recirculation(learning_rate=1.0)).fabricate(s) for s in range(3)]
    train(chips, task, max_updates=5000, until="end", probes=False)
    for chip in chips:
        states = cases
        for _ in range(50):
            states = chip.reconstruct(states)
        np.testing.assert_array_equal(states > 0.5, cases > 0.5)
        path = chip.complete(cases, np.arange(16) != 3, trips=10)
        assert path.shape == (11, 4, 16)
        assert (path[0, :, 3] == 0.5).all()
        np.testing.assert_array_equal(
            np.delete(path[5], 3, axis=1), np.delete(cases, 3, axis=1)
        )
        np.testing.assert_array_equal(path[-1] > 0.5, cases > 0.5)


def test_a_hierarchy_comes_back_from_its_file():
    design = Design(TREE, Recirculation())
    assert Design.from_toml(design.to_toml()) == design
