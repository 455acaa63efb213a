"""How trained autoencoders become lines: errors, orders, and chips that blew up."""

from types import SimpleNamespace

import pytest

from recirc_hw.reproduce.autoencoders import (
    Panel,
    equal_line,
    error_lines,
    order_line,
    panel,
    shrink,
)


def trained(*last):
    """Return runs, one per chip, whose test errors fall from 1 to these."""
    return [SimpleNamespace(history={"test_error": [1.0, error]}) for error in last]


def linear(**fields):
    return Panel("linear", (20,), True, 0.01, 2.0, **fields)


def test_an_error_is_held_to_two_percent_of_what_is_expected():
    (line,) = error_lines(linear(expected={"REC": 0.1}), {"REC": trained(0.101, 0.1015)})
    assert line.band == pytest.approx((0.098, 0.102))
    assert line.verdict == "inside"


@pytest.mark.parametrize("blown", [float("nan"), float("inf"), 1e20])
def test_chips_that_blew_up_are_counted_and_not_averaged(blown):
    (line,) = error_lines(linear(), {"REC": trained(0.1, blown)})
    assert (line.ours, line.band) == (0.5, None)
    assert "blew up" in line.what


def test_a_rule_that_should_not_blow_up_is_judged_and_its_error_shown():
    each = linear(blows_up={"REC": (0.0, 0.0)})
    share, error = error_lines(each, {"REC": trained(0.1, 0.3)})
    assert (share.ours, share.verdict) == (0.0, "inside")
    assert error.ours == pytest.approx(0.2)
    (share,) = error_lines(each, {"REC": trained(0.1, 1e20)})
    assert share.verdict == "outside"


def test_an_order_is_of_chip_against_chip_and_lost_where_the_better_blew_up():
    found = {"BP": trained(0.1, 0.2), "REC": trained(0.2, 0.25)}
    line = order_line(linear(), found, "BP", "REC")
    assert (line.ours, line.verdict) == (pytest.approx(0.65), "inside")
    assert order_line(linear(), found, "REC", "BP").verdict == "outside"


def test_two_rules_are_one_only_to_rounding():
    found = {"ERR": trained(0.1, 0.2), "REC": trained(0.1, 0.2 * (1 + 1e-6))}
    assert equal_line(linear(), found, "ERR", "REC").verdict == "inside"
    found["REC"] = trained(0.1, 0.202)
    assert equal_line(linear(), found, "ERR", "REC").verdict == "outside"


@pytest.mark.parametrize("kind", ["linear 20", "non-linear 100-20-100"])
def test_quick_mode_keeps_a_panels_kind(kind):
    full = panel(kind, {"REC": 0.1})
    quick = shrink(full)
    assert (quick.deep, quick.linear, quick.norm_cap) == (full.deep, full.linear, full.norm_cap)
    assert quick.expected == {}
