"""Formats from a calibration run: what is chosen, and the reasons that are given."""

import re

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw import Backprop, Design, FixedPoint, Ideal, Loop, Recirculation

IMAGES = Loop(64, 16, initial_weights="glorot", output_bias="data_mean")
CCRCC = Recirculation(regression=0.5, presynaptic="first", learning_rate=(0.125, 0.25))
SENTENCE = re.compile(
    r"(.*): (weights|biases) reach ([\d.]+) in 1 floating-point chip on digits.*; "
    r"(\d+) integer bits? leaves? (-?\d+) of (\d+) bits for the fraction, with which the "
    r"squared error is ([\d.e-]+) \(floating point: ([\d.e-]+)\)"
    r"(?:; (\d+) would lose range \(([\d.e-]+)\))?(?:[;,] (\d+) resolution \(([\d.e-]+)\))?"
    r"(?:; ([\d.e-]+) of them saturate)?"
)


def encoders(bits, **fields):
    rule = Recirculation(learning_rate=16.0)
    return Design(Loop(4, 2), rule, FixedPoint(weight_bits=bits, **fields))


def digits(bits, rule=CCRCC):
    return Design(IMAGES, rule, FixedPoint(weight_bits=bits, weight_fraction_bits=0))


def oracle(design, k, kind, integer):
    """Return a twin's squared error with one part as a chip of few bits reads it back.

    The chip's word has a bit more, so that 2^integer itself can be stored.
    """
    task, bits = rh.tasks.digits(), design.substrate.weight_format(k)[0]
    field = "weight_fraction_bits" if kind == "weights" else "bias_fraction_bits"
    fixed = {"weight_bits": bits + 1, "weight_fraction_bits": 0, "bias_fraction_bits": 0}
    few = Design(IMAGES, CCRCC, FixedPoint(**fixed | {field: bits - 1 - integer}))
    twin, chip = Design(IMAGES, CCRCC, Ideal()).fabricate(0), few.fabricate(0)
    rh.train([twin], task, epochs=1, probes=False)
    weights = twin.weights
    chip.load([np.clip(matrix, -(2**integer), 2**integer) for matrix in weights])
    part = slice(None, -1) if kind == "weights" else slice(-1, None)
    weights[k][:, part] = chip.weights[k][:, part]
    twin.weights = weights
    cases = task.train[::3]
    return float(np.mean((twin.reconstruct(cases) - cases) ** 2))


def test_the_reasons_are_what_a_chip_of_few_bits_makes_of_the_twin():
    design, updates = digits(5), len(rh.tasks.digits().train)
    found = rh.calibrate_formats(design, rh.tasks.digits(), chips=1, max_updates=updates)
    parts = [(k, kind) for k in range(2) for kind in ("weights", "biases")]
    rivals = 0
    for sentence, (k, kind) in zip(found.reasons, parts, strict=True):
        groups = SENTENCE.fullmatch(sentence).groups()
        integer, error = int(groups[3]), float(groups[6])
        assert int(groups[4]) == 4 - integer
        assert error == pytest.approx(oracle(design, k, kind, integer), rel=1e-3)
        for other, cost in ((groups[8], groups[9]), (groups[10], groups[11])):
            if other is not None:
                rivals += 1
                assert float(cost) == pytest.approx(
                    oracle(design, k, kind, int(other)), rel=1e-3
                )
                assert float(cost) >= error / (1.02 if kind == "weights" else 1.001)
    assert rivals >= 4


def test_calibration_gives_each_matrix_its_own_format_and_biases_theirs():
    found = rh.calibrate_formats(digits(6), rh.tasks.digits(), chips=1).design.substrate
    hidden, visible = (found.weight_format(k) for k in range(2))
    assert hidden[1] > visible[1]  # weights out of the hidden units reach further
    assert hidden[2] > visible[2]  # so do the biases that hold the mean image
    with pytest.raises(rh.UnsupportedError, match="calibrate a FixedPoint"):
        rh.calibrate_formats(Design(IMAGES, Recirculation()), rh.tasks.digits())


def test_wide_words_hold_the_largest_weight_and_spend_the_rest_on_the_fraction():
    found = rh.calibrate_formats(encoders(16), rh.tasks.encoder(4), chips=2, max_updates=200)
    for sentence in found.reasons:
        reach, integer = re.search(r"reach ([\d.]+) in .*?; (\d+) integer", sentence).groups()
        assert float(reach) <= 2 ** int(integer)
        assert "saturate" not in sentence
    assert "would lose range" in str(found)


def test_headroom_asks_for_range_beyond_the_twins_weights():
    options = {"chips": 2, "max_updates": 200}
    plain, wide = (
        rh.calibrate_formats(encoders(16), rh.tasks.encoder(4), headroom=h, **options)
        for h in (1.0, 4.0)
    )  # fmt: skip
    fractions = [found.design.substrate.weight_fraction_bits for found in (plain, wide)]
    assert fractions[1] == tuple(bits - 2 for bits in fractions[0])


def test_calibration_says_what_saturates_where_no_format_fits():
    design = encoders(3, weight_fraction_bits=0)
    found = rh.calibrate_formats(design, rh.tasks.encoder(4), chips=2, max_updates=200)
    sentence = next(s for s in found.reasons if s.startswith("hidden>visible: weights"))
    assert "; 2 integer bits leave 0 of 3 bits for the fraction" in sentence
    assert float(re.search(r"; ([\d.]+) of them saturate", sentence)[1]) > 0.5
    assert found.design.substrate.weight_format(1)[:2] == (3, 0)


def test_twins_learn_in_the_batches_that_the_chips_will():
    reach = []
    for size in (1, 100):
        options = {"chips": 1, "max_updates": 400, "batch_size": size}
        found = rh.calibrate_formats(digits(8), rh.tasks.digits(), **options)
        reach.append(float(re.search(r"visible>hidden: weights reach ([\d.]+)", str(found))[1]))
    assert reach[1] > 2 * reach[0]  # a hundred times the cases


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"headroom": "2"}, "headroom = '2': want a number in 1..16"),
        ({"headroom": float("inf")}, "headroom = inf"),
        ({"headroom": float("nan")}, "headroom = nan"),
        ({"headroom": 0.5}, "headroom = 0.5"),
        ({"headroom": 17}, "headroom = 17"),
        ({"seed": "a"}, "seed must be a whole number, 0 or more, got 'a'"),
        ({"chips": 1.5}, "chips must be a whole number, 1 or more, got 1.5"),
        ({"chips": 0}, "chips must be a whole number, 1 or more, got 0"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_calibration_refuses_arguments_by_name(options, words):
    with pytest.raises(ValueError, match=words):
        rh.calibrate_formats(encoders(8), rh.tasks.encoder(4), **options)


def test_calibration_refuses_twins_that_diverge():
    network = Loop(4, 2, visible="identity", hidden="identity")
    design = Design(network, Recirculation(learning_rate=8.0), FixedPoint())
    with pytest.raises(ValueError, match="twins of seed 0, 1, 2 diverge .*_rate below 8"):
        rh.calibrate_formats(design, rh.tasks.encoder(4), max_updates=2000)


def _error(design, chips=2):
    made = [design.fabricate(seed) for seed in range(chips)]
    runs = rh.train(made, rh.tasks.digits(), epochs=10, batch_size=1)
    return np.mean([run.error for run in runs])


@pytest.mark.parametrize(
    ("rule", "bits", "most"),
    [(CCRCC, 4, 1.5), (CCRCC, 6, 1.1), (Backprop(learning_rate=0.0625), 6, 1.15)],
)
def test_calibrated_formats_learn_where_one_shared_format_fails(rule, bits, most):
    # Digits, seeds 0..1, over floating point. CCRCC at 4 bits: shared 6.2 (the mean image:
    # 6.1), calibrated 1.26; at 6: 1.16 and 1.05. Backprop at 6: 1.24 and 1.04.
    shared = digits(bits, rule).replace("substrate.weight_fraction_bits", bits - 4)
    found = rh.calibrate_formats(shared, rh.tasks.digits()).design
    plain = _error(Design(IMAGES, rule))
    assert _error(found) / plain < most < _error(shared) / plain + 0.1


@pytest.mark.parametrize(("bits", "share", "shared_share"), [(4, 0.7, 0.1), (5, 0.95, 0.93)])
def test_calibrated_encoders_learn_with_fewer_bits(bits, share, shared_share):
    # 100 chips, seeds 100..199. 4 bits: .91 learn, and none in one format of 3 integer
    # bits; 5 bits: .99, and .86.
    task, shared = rh.tasks.encoder(4), encoders(bits, weight_fraction_bits=bits - 4)
    found = rh.calibrate_formats(shared, task).design

    def learned(design):
        chips = [design.fabricate(seed) for seed in range(100, 200)]
        return np.mean([run.learned for run in rh.train(chips, task, max_updates=500)])

    assert learned(found) > share
    assert learned(shared) < shared_share
