"""The ledger's counts are those of a chip that executes the program and counts as it goes."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scalar_machine import ScalarMachine, as_rows, most_alive

import recirc_hw as rh
from recirc_hw.backends import Job, Watch, reference
from recirc_hw.ledger import tally
from recirc_hw.ledger.fold import fold
from recirc_hw.programs import FixedState

NETWORKS = {
    "4-2": rh.Loop(4, 2),
    "5-3 tanh, linear output": rh.Loop(5, 3, hidden="tanh", visible="identity"),
    "5-3-2": rh.Loop(5, 3, 2, hidden=("logistic", "tanh")),
}
RULES = {
    "CCRCC": rh.Recirculation(learning_rate=3),
    "PR, mean": rh.Recirculation(
        combine="PR", presynaptic="first", batch="mean", learning_rate=1
    ),
    "two cycles": rh.Recirculation(combine="RWCC", regression=0.3, cycles=2, learning_rate=0.5),
    "twice": rh.Recirculation(apply_visible_rule_twice=True),
    "error": rh.ErrorRecirculation(),
    "backprop": rh.Backprop(loss="squared", learning_rate=0.25),
    "ARBP": rh.RandomFeedback(kind="ARBP"),
    "SRBP": rh.RandomFeedback(kind="SRBP"),
    "top only": rh.TopOnly(),
}
SUBSTRATES = {
    "ideal": rh.Ideal(),
    "carry": rh.FixedPoint(weight_bits=10),
    "plan, half up": rh.FixedPoint(rounding="half_up", activation="plan", wide=False),
}
DESIGNS = [
    pytest.param(rh.Design(network, rule, substrate), id=f"{n} {r} {s}")
    for n, network in NETWORKS.items()
    for r, rule in RULES.items()
    for s, substrate in SUBSTRATES.items()
]


def codes_of(design, count, seed=3):
    """Return cases as the chip is given them, some of their values 0."""
    random = np.random.default_rng(seed)
    cases = random.uniform(0, 1, (count, design.network.case_size))
    cases[random.random(cases.shape) < 0.4] = 0
    return cases, design.substrate.encode(cases, design.network)


def executed(design, cases, batch_size, skip_zeros=False):
    """Return the machine after the cases, once per batch written."""
    chip, program = design.fabricate(1), design.lowered(batch_size)
    sums = chip.start_sums(program)
    machine = ScalarMachine(program, chip.matrices, sums, batch_size, skip_zeros)
    for start in range(0, len(cases), batch_size):
        machine.batch(cases[start : start + batch_size].tolist())
    return machine


def trained(design, cases, batch_size):
    """Return the weights that the reference backend ends with."""
    chip, program = design.fabricate(1), design.lowered(batch_size)
    weights = [matrix[None].copy() for matrix in chip.matrices]
    sums = [matrix[None].copy() for matrix in chip.start_sums(program)]
    ends = np.arange(batch_size, len(cases) + 1, batch_size)
    reference.train(
        Job(program, weights, sums, cases, np.arange(len(cases))[None], ends, Watch.start(1),
            body=FixedState.start([1], len(weights)))
    )  # fmt: skip
    return [matrix[0] for matrix in weights]


def by_name(counts):
    """Return counts without their widths."""
    found = Counter()
    for event, number in counts.items():
        found[event.phase, event.name, event.array] += number
    return dict(found)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("design", DESIGNS)
def test_counts_are_those_of_an_execution(design, batch_size):
    _, codes = codes_of(design, 2 * batch_size)
    machine = executed(design, codes, batch_size)
    for array, wanted in zip(machine.weights, trained(design, codes, batch_size), strict=True):
        # Codes are equal; floats are sums of some 30 terms, in another order.
        off = 0 if machine.integer else 30 * 30 * 2**-52 * max(1, np.abs(wanted).max())
        np.testing.assert_allclose(as_rows(array, wanted.shape), wanted, rtol=0, atol=off)
    counted = fold(design, batch_size)
    whole = counted.case * (2 * batch_size) + counted.batch * 2
    assert by_name(whole) == dict(machine.counts)


@pytest.mark.parametrize("design", DESIGNS[::2])
def test_measured_counts_are_those_of_an_execution_that_skips_zeros(design):
    cases, codes = codes_of(design, 1)
    machine = executed(design, codes, 1, skip_zeros=True)
    chip = design.fabricate(1)
    counted = tally(chip, cases)
    assert counted.activity == "measured"
    assert by_name(counted.case + counted.batch) == dict(machine.counts)
    assert by_name(fold(design).case) != by_name(counted.case)


@pytest.mark.parametrize("field", ["momentum", "weight_decay", "norm_cap"])
def test_a_write_policy_is_counted_as_executed(field):
    value = {"momentum": 0.5, "weight_decay": 0.01, "norm_cap": 100.0}[field]
    design = rh.Design(rh.Loop(4, 2), rh.Backprop(**{field: value}))
    _, codes = codes_of(design, 2)
    machine = executed(design, codes, 1)
    counted = fold(design)
    assert by_name(counted.case * 2 + counted.batch * 2) == dict(machine.counts)


@pytest.mark.parametrize("design", DESIGNS)
def test_words_kept_are_those_still_to_be_read(design):
    program = design.lowered(3)
    first = [op for op in program.case_ops if not op.learning]
    memory = fold(design, 3).memory
    assert memory.state_words == most_alive(program.case_ops, program.layout)
    assert memory.inference_state_words == most_alive(first, program.layout, program.monitor[1])
