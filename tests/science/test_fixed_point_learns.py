"""Chips of few bits learn as often as an independent build's did."""

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.reproduce.bench import Bench
from recirc_hw.reproduce.fixed_point import encoder


def test_the_default_chip_learns_on_99_of_100():
    # n = 1000 chips, seeds 0..999: 998 learn, Wilson's 95 % interval .993 to .9995.
    design = rh.Design(
        rh.Loop(4, 2), rh.Recirculation(regression=0.75, learning_rate=16), rh.FixedPoint()
    )
    runs = rh.train([design.fabricate(seed) for seed in range(1000)], rh.tasks.encoder(4))
    assert np.mean([run.learned for run in runs]) >= 0.99
    # Learning is a first crossing: only 542 hold at each of the 20 checks that follow.
    assert 0.45 < np.mean([run.held for run in runs]) < 0.63


@pytest.mark.slow
def test_shares_that_learn_are_those_of_an_independent_build():
    # n = 1000 chips a line against 100; a band holds 99.9 % of builds, seeds are fixed.
    _, lines, _ = encoder(Bench())
    assert {line.what for line in lines if line.verdict == "outside"} == set()
    assert sum(line.verdict == "inside" for line in lines) == 42
