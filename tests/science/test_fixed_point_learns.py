"""Chips of few bits learn as often as an independent build's did."""

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.errors import DataError
from recirc_hw.reproduce import fixed_point_images
from recirc_hw.reproduce.bench import Bench, border_band, mean_line
from recirc_hw.reproduce.fixed_point import encoder
from recirc_hw.reproduce.fixed_point_digits import BROKEN, ERRORS, WIDTHS, WITHIN, digits


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


def test_a_border_is_widened_by_four_standard_errors_of_the_difference():
    values = np.array([1.0, 1.1, 1.2, 1.3])  # of 4, sd sqrt(1/60), against 3 others
    wider = 4 * np.sqrt(1 / 60) * np.sqrt(1 / 4 + 1 / 3)
    low, high = border_band(values, 2.0, 3.0, others=3)
    assert (low, high) == (pytest.approx(2 - wider), pytest.approx(3 + wider))
    assert border_band(values, None, 3.0) == (None, pytest.approx(3 + 2 * np.sqrt(1 / 60)))


@pytest.mark.parametrize(("ends", "middle"), [(WITHIN, 1.12), (BROKEN, 0.98)])
def test_a_mean_clearly_beyond_a_border_is_outside(ends, middle):
    values = middle + 0.02 * np.array([-1, 1, -1, 1, -1, 1, -1, 1])
    assert (
        mean_line("x", values, band=border_band(values, *ends, others=3)).verdict == "outside"
    )


@pytest.mark.slow
def test_digits_of_an_independent_build_are_ours_and_its_trend_is_all_rules():
    # 32 chips a line, seeds 0..31.
    _, lines, figure = digits(Bench())
    judged = [line for line in lines if line.band is not None]
    assert {line.what for line in judged if line.verdict == "outside"} == set()
    cells = len(ERRORS) * len(WIDTHS)
    assert len(judged) == 1 + cells + 2 * 4 + 4
    assert [ax.get_title() for ax in figure.axes] == [
        "recirculation", "backprop", "random feedback",
    ]  # fmt: skip


@pytest.mark.slow
def test_without_mnist_digits_are_held_to_its_trend(monkeypatch):
    def missing():
        raise DataError("no MNIST here")

    monkeypatch.setattr(fixed_point_images.tasks, "mnist", missing)
    settings, lines, _ = fixed_point_images.images(Bench())
    judged = [line for line in lines if line.band is not None]
    assert {line.verdict for line in judged} == {"inside"}
    assert len(judged) == 4 * len(fixed_point_images.TREND) + 1
    assert settings["network"].startswith("64-20-64")
    assert {line.n for line in lines} == {8}
