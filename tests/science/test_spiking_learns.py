"""Spiking chips learn as often as an independent build's did, and not without learning."""

import warnings

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.metrics import squared_error
from recirc_hw.reproduce.spiking import GRADED, NETWORK

pytestmark = pytest.mark.slow


def learned(n, sweeps, rule=None, **fields):
    """Return how many of n chips, seeds 0..n-1, learn 4-2-4 within so many sweeps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of clamps too short, which are the matter
        design = rh.Design(
            rh.Loop(4, 2), rh.Recirculation(**(rule or {})), rh.Spiking(**fields)
        )
        chips = [design.fabricate(seed) for seed in range(n)]
        runs = rh.train(chips, rh.tasks.encoder(4), max_updates=sweeps, probes=False)
    return sum(run.learned for run in runs)


def test_single_neurons_learn_and_with_frozen_hidden_weights_they_do_not():
    # n = 30. Of an independent build 99 of 100 learned within 1000 sweeps, half within 200;
    # were the share .94 here, fewer than 20 would learn less than once in a million tests.
    assert learned(30, 600) >= 20
    assert learned(15, 400, {"learning_rate": (0.0, 20.0)}) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"jump": "approximate"},
        {"plasticity": "raw_presynaptic"},
        {"plasticity": "pair_stdp"},
        {"plasticity": "two_phase_hebb"},
        {"clamp_ms": 400.0},
    ],
)
def test_what_must_not_be_left_out_keeps_every_chip_from_learning(fields):
    # n = 4, in twice the sweeps that half of the chips need; in an independent build none
    # learned, and of ten of ours none did in 1000 sweeps.
    assert learned(4, 400, **fields) == 0


def test_digits_come_back_from_populations_of_four_neurons():
    # 64-16-64; the mean image has .0741 and PCA-8 .0247, where two epochs take seed 0; ten
    # take it to .014. With frozen hidden weights it stays at .043.
    task = rh.tasks.digits()
    rule, substrate = rh.Recirculation(learning_rate=2.0), rh.Spiking(neurons=4, **GRADED)
    chip = rh.Design(NETWORK, rule, substrate).fabricate(0)
    chip.train(task, epochs=2, until="end", probes=False)
    answers = chip.reconstruct(task.test, readout="curve")
    assert squared_error(task.test, answers) < 0.03
    assert np.all((answers >= 0) & (answers <= 1))
