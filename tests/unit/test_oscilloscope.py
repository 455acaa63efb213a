"""Pictures of analog chips and devices: what they show is there, and nothing that is not."""

import io

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.reports.devices import device_response
from recirc_hw.substrates.devices import ConstantStep, SoftBounds

CASE = [1.0, 0.0, 0.0, 0.0]


def recorded(network=(4, 2), **fields):
    design = rh.Design(rh.Loop(*network), rh.Recirculation(), rh.Analog(**fields))
    return design.fabricate(0).record(CASE)


def test_a_record_begins_when_the_case_is_clamped():
    found = recorded(dt_ms=0.1)
    assert found.time_ms[0] == 0.0
    assert found.time_ms[-1] == pytest.approx(found.phases[-1][2])
    assert (
        len(found.time_ms)
        == len(found.activity["hidden"])
        == len(found.weights["visible>hidden"])
    )
    np.testing.assert_array_equal(found.activity["visible"][0], CASE)
    np.testing.assert_array_equal(found.activity["hidden"][0], 0)
    half = 1 / (1 + np.exp(-(found.weights["visible>hidden"][0] @ [*CASE, 1])))
    settling = half * -np.expm1(-found.time_ms[:5])[:, None]
    np.testing.assert_allclose(found.activity["hidden"][:5], settling, atol=1e-6)


def test_the_copy_of_a_derivative_circuit_is_drawn_beside_its_unit():
    traced = recorded(form="derivative_circuit", dt_ms=0.02)
    picture = traced.plot()
    np.testing.assert_array_equal(
        picture.columns["hidden 2, trace"], traced.trace["hidden"][:, 1]
    )
    drawn = [line.get_ydata() for line in picture.axes[1].lines]
    assert any(np.array_equal(line, traced.trace["hidden"][:, 1]) for line in drawn)
    assert not any("trace" in name for name in recorded(dt_ms=0.1).plot().columns)


def test_no_label_of_a_deep_gated_loop_is_cut_off():
    picture = recorded((4, 3, 3), form="gated", settling=2.0).plot()
    picture.savefig(io.BytesIO())
    box = picture.axes[-1].xaxis.label.get_window_extent()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= picture.bbox.x1


def words(picture):
    return " ".join(picture.axes[0].get_legend_handles_labels()[1]) + picture.alt


def test_a_band_of_devices_is_spoken_of_only_where_they_differ():
    alike = device_response(ConstantStep(), "constant")
    assert "90 %" not in words(alike)
    assert not alike.axes[0].collections
    for spread in ({"dw_min_dtod": 0.3}, {"dw_min_std": 0.3}):
        unlike = device_response(ConstantStep(**spread), "constant")
        assert "90 % of 50 devices" in words(unlike)
        assert len(unlike.axes[0].collections) == 2


def test_single_pulses_are_drawn_from_zero_beside_the_whole_range():
    device = SoftBounds(dw_min=0.016, up_down=0.5)
    steps = device_response(device, "soft").axes[1].lines[0].get_ydata()
    up = 16 * (1 - (1 - 0.016 / 16) ** np.arange(11))
    np.testing.assert_allclose(steps[:11], up, rtol=1e-9)
    down = -16 + (up[-1] + 16) * (1 - 0.008 / 16) ** np.arange(11)
    np.testing.assert_allclose(steps[10:], down, rtol=1e-9)
