"""Layered networks: their layout, their gradient, and their tasks."""

import numpy as np
import pytest

from recirc_hw import (
    Backprop,
    Design,
    DesignError,
    Layered,
    Recirculation,
    TaskError,
    tasks,
    train,
)
from recirc_hw.tasks.family_trees import PEOPLE, RELATIONS, answers


def descent(design, chip, cases, backend="reference"):
    """Return (what the rule asks for, central differences of the loss), a matrix each."""
    asked, weights, step = chip.weight_change(cases, backend=backend), chip.weights, 1e-5
    targets = cases[:, -design.network.n_targets :]

    def loss():
        return 0.5 * np.sum((targets - chip.reconstruct(cases, backend=backend)) ** 2)

    slopes = []
    for k, matrix in enumerate(weights):
        slope = np.zeros_like(matrix)
        for place in np.ndindex(matrix.shape):
            losses = []
            for sign in (1, -1):
                moved = [m.copy() for m in weights]
                moved[k][place] += sign * step
                chip.weights = moved
                losses.append(loss())
            slope[place] = -(losses[0] - losses[1]) / (2 * step)
        slopes.append(slope)
    chip.weights = weights
    return asked, slopes


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("sizes", [(3, 2, 1), (3, 4), ((3, 2), (2, 3), 4, 3, 2)], ids=str)
def test_backprop_is_the_descent_of_the_squared_error(sizes, backend):
    design = Design(Layered(*sizes), Backprop(loss="squared"))
    cases = np.random.default_rng(0).uniform(0, 1, (5, design.network.case_size))
    asked, slopes = descent(design, design.fabricate(1), cases, backend)
    for change, slope in zip(asked, slopes, strict=True):
        # Central differences err by step^2 and by 1e-16 / step.
        np.testing.assert_allclose(change, slope, rtol=0, atol=1e-9)


def test_groups_of_a_layer_feed_their_own_groups_and_join_before_one():
    names = [m.name for m in Layered((24, 12), (6, 6), 12, 6, 24).matrices]
    assert names == [
        "inputa>hidden1a", "inputb>hidden1b", "hidden1>hidden2", "hidden2>hidden3",
        "hidden3>output",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((3,), "at least 2"),
        ((3, (2, 2)), "last layer must be one group"),
        (((2, 2), (1, 1, 1), 2), "want as many groups, or one"),
        ((3, 0, 1), "greater than 0"),
    ],
)
def test_layers_that_do_not_follow_are_refused(sizes, message):
    with pytest.raises(DesignError, match=message):
        Layered(*sizes)


def test_recirculation_needs_a_loop_and_says_so():
    with pytest.raises(DesignError, match="Recirculation on Layered.3, 2, 1.: it teaches"):
        Design(Layered(3, 2, 1), Recirculation())


def test_a_design_of_layers_comes_back_from_its_file():
    design = Design(Layered((24, 12), (6, 6), 12, 6, 24), Backprop(tolerance=0.2))
    assert Design.from_toml(design.to_toml()) == design


def test_targets_may_be_left_out_of_what_a_chip_is_asked():
    chip = Design(Layered(6, 2, 1), Backprop()).fabricate(0)
    cases = tasks.symmetry(6).train
    np.testing.assert_array_equal(chip.reconstruct(cases), chip.reconstruct(cases[:, :6]))
    assert chip.reconstruct(cases[0, :6]).shape == (1,)
    assert chip.encode(cases).shape == (64, 2)


def test_a_task_without_targets_is_refused_by_layers_and_the_other_way_round():
    with pytest.raises(TaskError, match="no targets"):
        Design(Layered(2, 2, 2), Backprop()).fabricate(0).train(tasks.encoder(4))


def test_symmetry_s_targets_are_palindromes():
    cases = tasks.symmetry(4).train
    rows = ["".join(map(str, row.astype(int))) for row in cases[:, :4]]
    assert sorted(rows) == rows
    assert [row == row[::-1] for row in rows] == list(cases[:, 4] == 1)


def test_family_trees_know_their_aunts():
    known = answers()
    assert len(known) == 104
    assert sum(map(len, known.values())) == 112

    def ask(person, relation):
        found = known.get((PEOPLE.index(person), RELATIONS.index(relation)), set())
        return {PEOPLE[p] for p in found}

    assert ask("Colin", "aunt") == {"Jennifer", "Margaret"}
    assert ask("Charlotte", "uncle") == {"Charles", "Arthur"}
    assert ask("Charles", "niece") == {"Charlotte"}
    assert ask("Margaret", "nephew") == {"Colin"}
    assert ask("Arthur", "sister") == {"Victoria"}
    assert ask("Penelope", "daughter") == {"Victoria"}
    assert ask("Alfonso", "mother") == {"Lucia"}
    assert ask("Margaret", "brother") == set()


def test_the_two_trees_are_of_one_shape():
    known = answers()
    for (person, relation), persons in known.items():
        twin = known[(person + 12) % 24, relation]
        assert twin == {(p + 12) % 24 for p in persons}


def test_nets_learn_symmetry():
    # An independent build solves 36 of 50 by 10,000 sweeps; the seeds are fixed.
    rule = Backprop(loss="squared", learning_rate=0.1, momentum=0.9)
    design = Design(Layered(6, 2, 1, initial_range=0.3), rule)
    chips = [design.fabricate(seed) for seed in range(8)]
    runs = train(chips, tasks.symmetry(), hold=0, max_updates=2000)
    assert 2 <= sum(run.learned for run in runs) <= 7
