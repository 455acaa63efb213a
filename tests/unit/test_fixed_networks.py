"""Networks that are no loops in fixed point: joined slots, sums of errors, what saturates."""

import numpy as np
import pytest

import recirc_hw as rh

ADDER = rh.Recurrent(2, 3, 1, steps=9)
PLAIN = rh.BPTT(batch="mean", learning_rate=0.5, momentum=0)
DESIGNS = {
    "hierarchy": (
        rh.Hierarchy(leaves=[(4, 3), (4, 3)], upper=[(3, 0, 1)]),
        rh.Recirculation(learning_rate=0.5),
    ),
    "hierarchy by backprop": (
        rh.Hierarchy(leaves=[(4, 3), (4, 3)], upper=[(3, 0, 1)]),
        rh.Backprop(learning_rate=0.5),
    ),
    "layered": (rh.Layered((3, 2), (2, 2), 3, 2), rh.Backprop(learning_rate=0.5)),
    "recurrent": (rh.Recurrent(2, 3, 1, steps=3), PLAIN),
    "taught in part": (
        rh.Recurrent(1, 4, 0, steps=3, taught_steps=(1, 3), taught_units=(0, 2, 3)), PLAIN,
    ),
}  # fmt: skip


def cases_of(network, count=6):
    random = np.random.default_rng(0)
    return (random.random((count, network.case_size)) < 0.5) * 1.0


@pytest.mark.parametrize("name", DESIGNS)
def test_with_many_bits_they_answer_and_change_as_ideal_ones_do(name):
    """Formats so fine that only their steps are left; a wrong binary point is off by twos."""
    network, rule = DESIGNS[name]
    fine = rh.FixedPoint(
        weight_bits=24, weight_fraction_bits=18, activity_bits=14, table_fraction_bits=10,
        error_integer_bits=4, error_fraction_bits=14,
    )  # fmt: skip
    ideal, codes = (rh.Design(network, rule, s).fabricate(3) for s in (rh.Ideal(), fine))
    cases = cases_of(network)
    codes.weights = ideal.weights
    # A table's step of 2^-10 moves a unit by up to 2^-13; a few of them add up.
    np.testing.assert_allclose(codes.reconstruct(cases), ideal.reconstruct(cases), atol=2e-3)
    for found, wanted in zip(
        codes.weight_change(cases), ideal.weight_change(cases), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=0.1 * np.abs(wanted).max() + 1e-3)


def test_a_case_s_targets_are_encoded_as_the_output_s_units_are():
    design = rh.Design(rh.Layered(2, 2, 1), rh.Backprop(), rh.FixedPoint(activity_bits=8))
    codes = design.substrate.encode(np.array([[1.0, 0.0, 1.0]]), design.network)
    assert codes.tolist() == [[256, 0, 255]]


def test_errors_through_many_steps_must_saturate_somewhere():
    wide = rh.Recurrent(2, 3, 1, steps=20)
    with pytest.raises(rh.DesignError, match=r"64 at most.*error_integer_bits = 8"):
        rh.Design(wide, PLAIN, rh.FixedPoint())
    design = rh.Design(ADDER, PLAIN, rh.FixedPoint(error_integer_bits=2))
    carried = [signal for signal in design.widths().signals if signal.limit == "saturation"]
    assert carried
    assert all(signal.high == 2 ** (2 + 12) - 1 for signal in carried)


def test_errors_that_saturate_are_counted_the_same_on_every_backend():
    substrate = rh.FixedPoint(error_integer_bits=0, weight_bits=12, weight_fraction_bits=6)
    design = rh.Design(rh.Layered(5, 17, 9), rh.Backprop(learning_rate=0.25), substrate)
    cases = cases_of(design.network)
    task = rh.tasks.Task("bits", cases, cases, n_targets=9, held_out=False)
    counts = []
    for backend in ("reference", "native", "numba"):
        chip = design.fabricate(1)
        chip.weights = [12 * matrix for matrix in chip.weights]
        run = chip.train(task, max_updates=5, until="end", backend=backend)
        counts.append(run.counters)
    assert counts[0] == counts[1] == counts[2]


@pytest.mark.parametrize(
    ("network", "rule"),
    [
        (rh.Recurrent(0, 3, 0, steps=2, taught_units=(0,)), rh.BPTT(loss="squared")),
        (rh.Hierarchy(leaves=((8, 4), (8, 4)), upper=((4, 0, 1),)), rh.Backprop()),
    ],
)
def test_joined_values_of_different_fractions_are_refused_with_those_that_will_do(
    network, rule
):
    rule = rule.replace(momentum=0)
    joins = "joins values of different fraction bits"
    with pytest.raises(rh.DesignError, match=f"{joins}.*do: error_fraction_bits = 8$"):
        rh.Design(network, rule, rh.FixedPoint(error_integer_bits=2))
    rh.Design(network, rule, rh.FixedPoint(error_integer_bits=2, error_fraction_bits=8))
    narrow = rh.FixedPoint(error_integer_bits=2, accumulator_bits=10)
    with pytest.raises(rh.DesignError, match=f"{joins}.*= 8 alone does not mend it$"):
        rh.Design(network, rule, narrow)
    with pytest.raises(rh.DesignError, match="accumulator"):
        rh.Design(network, rule, narrow.replace(error_fraction_bits=8))
