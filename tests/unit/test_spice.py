"""The text of SPICE netlists: what each element is, and what never reaches one."""

import re

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.exports import spice_netlist, write_spice

CASE = [1.0, 0.0, 0.5, 0.0]
ALL = {f"{effect}_mismatch": 0.2 for effect in ("tau", "gain", "offset", "read", "write")}


def chip(seed=3, sizes=(4, 2), rule=None, **fields):
    design = rh.Design(rh.Loop(*sizes), rule or rh.Recirculation(), rh.Analog(**fields))
    return design.fabricate(seed)


def value(text, element):
    """Return the last number of an element's line."""
    return float(re.search(rf"^{element} .*?([-+.e\d]+)(?: IC=\S+)?$", text, re.M)[1])


def test_the_same_chip_is_always_the_same_text():
    texts = [spice_netlist(chip(seed, **ALL), CASE, plasticity=True) for seed in (3, 3, 4)]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_every_synapse_is_one_element_with_its_weight_as_read():
    one = chip(**ALL)
    text = spice_netlist(one, CASE)
    gains = one.presentation(CASE).body.read_gain
    for k, (to, source) in enumerate(("hv", "vh")):
        read = one.weights[k] * gains[k][0]
        for i, j in np.ndindex(read[:, :-1].shape):
            element = f"G_{to}{i + 1}_{source}{j + 1}"
            assert value(text, element) == read[i, j]
            sends = f"^{element} 0 x_{to}{i + 1} {source}{j + 1} 0 "
            assert len(re.findall(sends, text, re.M)) == 1
        for i, bias in enumerate(read[:, -1], 1):
            assert value(text, f"I_{to}{i}_bias") == bias


def test_resistor_and_capacitor_make_the_time_constant_of_each_unit():
    one = chip(**ALL)
    text, body = spice_netlist(one, CASE), one.presentation(CASE).body
    for i, unit in enumerate(("v1", "v2", "v3", "v4", "h1", "h2")):
        seconds = value(text, f"R_{unit}") * value(text, f"C_{unit}")
        assert seconds == pytest.approx(1e-3 * body.tau_ms[0, i], rel=1e-15)


def test_visible_units_start_clamped_at_the_case():
    text = spice_netlist(chip(), CASE)
    for i, start in enumerate(CASE, 1):
        assert value(text, f"V_case_v{i}") == start
        assert re.search(rf"^C_v{i} .* IC={start}$", text, re.M)


def test_switches_open_when_the_release_begins():
    text = spice_netlist(chip(clamp_ms=6.0), CASE)
    assert re.search(
        r"^V_clamp_v clamp_v 0 PWL\(0.0 1.0 0.006 1.0 0.00600\d+ 0.0\)$", text, re.M
    )
    assert "free_v" not in text
    gated = spice_netlist(chip(form="gated"), CASE)
    assert "free_v" in gated
    assert "free_h" in gated


def test_units_of_several_hidden_groups_are_told_apart():
    text = spice_netlist(chip(sizes=(4, 3, 12)), CASE)
    table = re.search("^wrdata .*$", text, re.M)[0]
    assert "v(v4) v(h1_1) v(h1_2) v(h1_3) v(h2_1)" in table
    assert "v(h2_12)" in table


def test_weight_changes_are_nodes_only_where_asked_for():
    assert "dw_" not in spice_netlist(chip(), CASE)
    text = spice_netlist(chip(), CASE, plasticity=True)
    for node in ("dw_h1_v1", "dw_h2_bias", "dw_v4_h2", "dw_v1_bias"):
        assert f"v({node})" in text


def test_weights_that_move_at_once_are_written_with_their_changes():
    text = spice_netlist(chip(plasticity="continuous"), CASE)
    assert re.search(r"^B_h1_v1 0 x_h1 I=\(.*V\(dw_h1_v1\)\)\*V\(v1\)$", text, re.M)


def test_the_head_says_which_chip_and_design():
    text = spice_netlist(chip(7, gain_mismatch=0.125), CASE)
    head = text[: text.index("\n.model")]
    assert "seed 7" in head
    assert f"recirc_hw {rh.__version__}" in head
    assert "gain_mismatch = 0.125" in head
    assert all(line.startswith("*") for line in head.splitlines())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unit_noise": 0.01}, "Left out: unit_noise = 0.01"),
        ({"read_noise": 0.02}, "Left out: read_noise = 0.02"),
        ({"weight_drift": 0.1}, "Left out: weight_drift = 0.1"),
        ({"device": {"type": "soft_bounds"}}, "Left out: device 'soft_bounds'"),
    ],
)
def test_what_the_circuit_lacks_is_said_in_it(fields, words):
    assert words in spice_netlist(chip(**fields), CASE)
    assert "Left out" not in spice_netlist(chip(), CASE)


@pytest.mark.parametrize(
    "field", [{"delay_ms": 0.1}, {"dac_bits": 4}, {"adc_bits": 6}], ids=lambda f: next(iter(f))
)
def test_what_no_element_does_is_refused_by_name(field):
    ((name, given),) = field.items()
    with pytest.raises(rh.UnsupportedError, match=f"Analog.{name} = {given}"):
        spice_netlist(chip(**field), CASE)


@pytest.mark.parametrize("substrate", [rh.Ideal(), rh.FixedPoint()])
def test_clocked_chips_are_refused_with_the_reason(substrate):
    rule = rh.Recirculation(learning_rate=16)
    one = rh.Design(rh.Loop(4, 2), rule, substrate).fabricate(0)
    with pytest.raises(rh.UnsupportedError, match="clocked.*continuous time"):
        spice_netlist(one, CASE)


def test_nothing_that_a_user_named_is_a_line_of_its_own():
    def rule(build, loop):
        loop.first_pass(build)

    rule.__name__ = "mine\n.control\nshell touch pwned\n.endc \N{SNOWMAN}"
    own = rh.CustomRule(rule, learning_rate=0)
    text = spice_netlist(chip(rule=own), CASE)
    assert text.isascii()
    assert text.count("\n.control") == 1
    assert not re.search("^shell", text, re.M)
    plain = spice_netlist(chip(), CASE)
    body = text[text.index("\n.model") :]
    assert "mine" not in body
    assert body.count("\n") == plain[plain.index("\n.model") :].count("\n")


@pytest.mark.parametrize("table", ["", "a b", "a\nquit", "../a", "a;b", "$HOME", "`a`", "é"])
def test_a_table_of_an_unsafe_name_is_refused(table):
    with pytest.raises(ValueError, match="letters, digits"):
        spice_netlist(chip(), CASE, table=table)


def test_weights_that_are_not_finite_are_refused():
    one = chip()
    one.matrices[1][0, 0] = np.nan
    with pytest.raises(rh.DesignError, match="'hidden>visible' are not finite"):
        spice_netlist(one, CASE)


@pytest.mark.parametrize("case", [[1, 0], [[1, 0, 0, 0]], [1, 0, 0, np.nan]])
def test_what_is_no_case_is_refused(case):
    with pytest.raises(rh.TaskError, match="case"):
        spice_netlist(chip(), case)


def test_a_chip_has_a_file_of_its_own_and_nothing_is_left_half_written(tmp_path):
    path = write_spice(tmp_path / "new" / "folder", chip(12), CASE)
    assert path == tmp_path / "new" / "folder" / "chip12.cir"
    assert "wrdata chip12.txt " in path.read_text()
    (tmp_path / "chip12.cir").mkdir()
    with pytest.raises(OSError, match="chip12.cir"):
        write_spice(tmp_path, chip(12), CASE)
    assert [one.name for one in tmp_path.glob("*chip12*")] == ["chip12.cir"]
