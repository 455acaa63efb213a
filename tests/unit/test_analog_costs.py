"""What analog chips cost: times of their parts, counted by hand from the phases."""

import pytest

import recirc_hw as rh
from recirc_hw.errors import PriceError
from recirc_hw.ledger import Event, tally

LISTED = """
[mine]
title = "a chip"
source = "its circuit"
node = "65 nm"
uncertainty = "none"
within_factor = 2.0
"""
PRICE = """
[[mine.price]]
events = ["{event}"]
value = {value}
unit = "pJ"
kind = "assumed"
"""


def design(*sizes, **fields):
    times = {"clamp_ms": 10.0, "release_ms": 2.0, "dt_ms": 0.1}
    return rh.Design(rh.Loop(*sizes), rh.Recirculation(), rh.Analog(**times, **fields))


def test_a_loop_s_parts_are_used_for_as_long_as_its_phases_say():
    found = tally(design(4, 2), batch_size=5)
    assert found.case[Event("seconds", "inference")] == pytest.approx(0.010)
    assert found.case[Event("unit_seconds", "inference")] == pytest.approx(6 * 0.010)
    # Clamped: only the 2 x (4 + 1) synapses into the hidden units conduct; free: all 22.
    assert found.case[Event("synapse_seconds", "inference")] == pytest.approx(10 * 0.010)
    assert found.case[Event("unit_seconds", "learning")] == pytest.approx(6 * 0.002)
    assert found.case[Event("synapse_seconds", "learning")] == pytest.approx(22 * 0.002)
    assert found.batch[Event("weight_writes", "learning")] == 22
    assert found.example[Event("weight_writes", "learning")] == pytest.approx(22 / 5)
    assert found.case.total("conversions") == 0


@pytest.mark.filterwarnings("ignore:Analog.clamp_ms")
def test_a_gated_loop_s_synapses_conduct_one_group_after_another():
    found = tally(design(4, 3, 2, form="gated")).case
    # Clamped, both hidden groups follow: 3 x 5 + 2 x 4; then visible 4 x 3, 15, 8 in turn.
    assert found[Event("synapse_seconds", "inference")] == pytest.approx(23 * 0.010)
    assert found[Event("synapse_seconds", "learning")] == pytest.approx(35 * 0.002)


def test_a_converter_of_cases_converts_each_value_once():
    found = tally(design(4, 2, dac_bits=6)).case
    assert found[Event("conversions", "inference", bits=(6,))] == 4


def test_an_analog_chip_is_priced_by_a_list_that_prices_its_seconds(tmp_path):
    path, values = tmp_path / "mine.toml", {"unit_seconds": 1000.0, "synapse_seconds": 10.0}
    path.write_text(LISTED + "".join(PRICE.format(event=e, value=v) for e, v in values.items()))
    with pytest.raises(PriceError, match="no price for weight_writes"):
        rh.cost(design(4, 2), prices=str(path))
    path.write_text(path.read_text() + PRICE.format(event="weight_writes", value=2.0))
    found = rh.cost(design(4, 2), prices=str(path)).energy_pj
    assert found["inference"] == pytest.approx(6 * 0.010 * 1000 + 10 * 0.010 * 10)
    assert found["learning"] == pytest.approx(6 * 0.002 * 1000 + 22 * 0.002 * 10 + 22 * 2)


def test_a_list_without_an_analog_chip_s_seconds_is_refused():
    with pytest.raises(PriceError, match="no price for unit_seconds, synapse_seconds"):
        rh.cost(design(4, 2))
