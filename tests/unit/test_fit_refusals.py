"""Pulse responses that no device should be made from: refused by line, or warned of."""

import math

import numpy as np
import pytest

import recirc_hw as rh

STAIRCASE = np.linspace(-1, 1, 21)
GOOD = "pulse,weight,direction\n" + "".join(
    f"{k},{sign * v:.3f},{way}\n"
    for way, sign in (("up", 1), ("down", -1))
    for k, v in enumerate(STAIRCASE)
)


def fit(tmp_path, text, **options):
    path = tmp_path / "measured.csv"
    path.write_text(text)
    return rh.fit_device(path, **options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("up", "?").replace("down", "up").replace("?", "down"),
         r"line 2: the pulses down go the other way, by 2 in weight; want values that go down"),
        (GOOD.replace("\n5,-0.500,up", "\n-5,-0.500,up"),
         r"line 7: pulse = '-5'; want a whole number, 0 or more"),
        (GOOD.replace("\n5,-0.500,up", "\n4.5,-0.500,up"), r"line 7: pulse = '4.5'"),
        ("\n".join(GOOD.splitlines()[:22] + [f"{k},1.0,down" for k in range(21)]),
         r"line 23: the pulses down stay where they are"),
        (GOOD.replace("0.100,up", "1e308,up"), r"line 11: weight = '-1e308'; want at most"),
        (GOOD.replace("0.100,up", "1_0,up"), r"line 11: weight = '-1_0'; want a finite number"),
        (GOOD.replace("-", ""), r"weights are in 0\.\.1; want both signs"),
    ],
)  # fmt: skip
def test_what_is_no_pulse_response_is_refused_with_file_and_line(tmp_path, text, words):
    with pytest.raises(rh.DataError, match=rf"measured\.csv.*{words}"):
        fit(tmp_path, text)


def test_weights_that_hardly_reach_below_zero_are_refused_not_widened(tmp_path):
    values = np.linspace(-0.001, 1, 101)
    rows = [f"{k},{v:.4f},up" for k, v in enumerate(values)]
    rows += [f"{k},{v:.4f},down" for k, v in enumerate(values[::-1])]
    with pytest.raises(rh.DataError, match=r"-0\.001\.\.1; want both signs, by 2%"):
        fit(tmp_path, "pulse,weight,direction\n" + "\n".join(rows))
    device, _ = fit(tmp_path, "pulse,conductance,direction\n" + "\n".join(rows), w_max=1.0)
    assert device.w_min == pytest.approx(-1.0, rel=1e-6)
    assert device.dw_min == pytest.approx(0.02, rel=1e-4)


def noise(seed, drift=0.0):
    random = np.random.default_rng(seed)
    return "pulse,weight,direction\n" + "".join(
        f"{k},{sign * drift * (k - 50) + random.standard_normal():.4f},{way}\n"
        for way, sign in (("up", 1), ("down", -1))
        for k in range(101)
    )


@pytest.mark.parametrize("seed", range(4))
def test_pure_noise_makes_no_device(tmp_path, seed):
    with pytest.raises(
        rh.DataError, match=r"no pulse response|go the other way|no device answers"
    ):
        fit(tmp_path, noise(seed))


def test_a_response_that_noise_half_hides_is_warned_of_with_the_figure(tmp_path):
    with pytest.warns(
        UserWarning, match=r"misses the values by .* rms, .* of its steps.*doubt"
    ):
        fit(tmp_path, noise(0, drift=0.03))


@pytest.mark.parametrize("column", ["weight", "conductance"])
@pytest.mark.parametrize(
    ("w_max", "kind"),
    [(0, ValueError), (-1.0, ValueError), (math.nan, ValueError), (math.inf, ValueError),
     ("a", TypeError), (True, TypeError)],
)  # fmt: skip
def test_half_a_range_that_is_none_is_refused_by_name(tmp_path, column, w_max, kind):
    with pytest.raises(kind, match="w_max = "):
        fit(tmp_path, GOOD.replace("weight", column), w_max=w_max)
