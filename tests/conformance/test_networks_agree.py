"""Every network on every walk of the native backend does what the reference does."""

import numpy as np
import pytest
from jobs import Setting, assert_same_bits, run, walk_of

from recirc_hw import BPTT, Backprop, Hierarchy, Layered, Loop, Recirculation, Recurrent
from recirc_hw.backends.native import ISAS

# Small, on lanes of chips; and large, alone case by case and as matrix products.
NETWORKS = {
    "layered": (Layered(3, 2, 1), Layered(40, 30, 40)),
    "recurrent": (
        Recurrent(2, 3, 1, steps=3),
        Recurrent(20, 40, 10, steps=2, initial_range=0.1),
    ),
    "taught in part": (
        Recurrent(1, 4, 0, steps=3, taught_steps=(1, 3), taught_units=(0, 2, 3)),
        Recurrent(
            20, 40, 0, steps=2, taught_units=(3, 4), initial_range=0.1, initial_state="given"
        ),
    ),
    "hierarchy": (
        Hierarchy(leaves=[(4, 3), (4, 3)], upper=[(2, 0, 1)]),
        Hierarchy(leaves=[(24, 20), (24, 20)], upper=[(12, 0, 1)]),
    ),
    "deep tree": (
        Hierarchy(leaves=[(3, 2), (4, 2), (2, 3)], upper=[(2, 0, 1), (2, 3, 2)]),
        Hierarchy(leaves=[(24, 16), (16, 12), (9, 9)], upper=[(12, 0, 1), (9, 3, 2)]),
    ),
    "symmetric": (Loop(4, 3, symmetric=True), Loop(60, 30, symmetric=True, initial_range=0.1)),
    "joined": (Layered((3, 2), (2, 2), 3, 2), Layered((40, 20), (30, 20), 25, 10)),
}
RULES = {
    "layered": Backprop(loss="squared", learning_rate=0.1, momentum=0.9, weight_decay=0.01),
    "recurrent": BPTT(learning_rate=0.1),
    "symmetric": Recirculation(learning_rate=0.1, momentum=0.5),
    "hierarchy": Recirculation(learning_rate=0.5),
    "deep tree": Recirculation(combine="RWCC", learning_rate=0.5, cycles=2),
    "taught in part": BPTT(learning_rate=0.1, batch="mean"),
    "joined": Backprop(learning_rate=0.1, tolerance=0.2),
}
WALKS = {(0, 4): "lanes", (1, 1): "one lane", (1, 16): "batch"}


def setting(name, dtype, size, batch, **more):
    network = NETWORKS[name][size]
    return Setting(network, RULES[name], dtype, batch=batch, **more)


@pytest.mark.parametrize(("size", "batch"), WALKS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NETWORKS)
def test_updates_are_the_reference_s(name, dtype, size, batch):
    given = setting(name, dtype, size, batch, n_chips=3, updates=3)
    assert walk_of(given.job()) == WALKS[size, batch]
    wanted, before = run(given.job()), given.weights
    outcomes = [run(given.job(), isa) for isa in ISAS]
    # About a hundred roundings, one after another, of numbers that are mostly below one.
    allowed = 200 * np.finfo(dtype).eps
    for found in outcomes:
        for key, values in wanted.items():
            np.testing.assert_allclose(found[key], values, rtol=0, atol=allowed, err_msg=key)
    for k, matrix in enumerate(before):
        assert np.abs(wanted[f"weights {k}"] - matrix).max() > 10 * allowed
    for found in outcomes[1:]:
        if WALKS[size, batch] != "batch":
            assert_same_bits(found, outcomes[0])


def test_a_dead_zone_lets_nothing_through_up_to_its_edge():
    network = Layered(1, 1, output="identity")
    rule = Backprop(learning_rate=1.0, tolerance=0.25)
    for target, moves in ((0.25, False), (-0.25, False), (0.26, True), (-0.26, True)):
        for isa in (None, *ISAS):
            given = Setting(network, rule)
            given.weights = [np.zeros((1, 1, 2))]
            given.cases = np.array([[1.0, target]])
            given.order = np.array([[0]])
            found = run(given.job(), isa)["weights 0"][0, 0]
            np.testing.assert_array_equal(found, [target, target] if moves else [0, 0])
