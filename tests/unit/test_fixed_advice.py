"""What the refusal of a fixed-point design advises: tried, it does."""

import ast
import re

import pytest
from fixed_jobs import networks_with_rules, substrates
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import recirc_hw as rh
from recirc_hw import DesignError, FixedPoint, Loop, Recirculation

ADVICE = re.compile(r"(\w+) = (\([^)]*\)|[-+.\w]+)")
ENCODER = Loop(4, 2)


def advised(error):
    """Return {field: value} of the changes that a refusal says will do."""
    _, _, advice = str(error).partition("what will do: ")
    return {field: ast.literal_eval(value) for field, value in ADVICE.findall(advice)}


def changed(design_parts, field, value):
    """Return the parts of a design with one field changed."""
    network, rule, substrate = design_parts
    if field == "learning_rate":
        return network, rule.replace(learning_rate=value), substrate
    return network, rule, substrate.replace(**{field: value})


def refusal(network, rule, substrate, batch=1):
    """Return the refusal of a design's program for batches, or None."""
    try:
        substrate.lower(rule, network, batch)
    except DesignError as error:
        return error
    return None


@settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
@given(st.data())
def test_every_advised_change_does(data):
    network, rule = data.draw(networks_with_rules())
    power = data.draw(st.sampled_from([0, 0, -30, 9, 30, 300]))
    rule = rule.replace(learning_rate=10.0**power)
    width = st.sampled_from([None, None, 8, 14, 20])
    try:
        substrate = data.draw(substrates(len(network.matrices))).replace(
            accumulator_bits=data.draw(width), sum_bits=data.draw(width)
        )
    except DesignError:
        return
    batch = data.draw(st.sampled_from([1, 4]))
    parts = (network, rule, substrate)
    error = refusal(*parts, batch)
    for field, value in advised(error or "").items():
        assert refusal(*changed(parts, field, value), batch) is None, (field, value)


@pytest.mark.parametrize(
    ("rule", "fields", "batch", "fields_advised"),
    [
        ({}, {"sum_bits": 12}, 4, {"sum_bits", "activity_bits"}),
        ({}, {"accumulator_bits": 12}, 1, {"accumulator_bits", "activity_bits"}),
        ({"learning_rate": 1e30}, {}, 1, {"learning_rate"}),
        ({"learning_rate": 1e300}, {}, 1, {"learning_rate"}),
        ({"learning_rate": 1e-30}, {}, 1, {"learning_rate"}),
        ({}, {"activation": "plan", "activity_bits": 13}, 1, {"activity_bits"}),
        (
            {}, {"table_fraction_bits": 12, "table_integer_bits": 12}, 1,
            {"table_fraction_bits", "table_integer_bits"},
        ),
        (
            {}, {"weight_fraction_bits": -10, "activity_bits": 4, "accumulator_bits": 20}, 1,
            {"accumulator_bits", "weight_bits", "weight_fraction_bits"},
        ),
    ],
)  # fmt: skip
def test_refusals_name_the_fields_that_mend_them(rule, fields, batch, fields_advised):
    parts = (ENCODER, Recirculation(**({"learning_rate": 16} | rule)), FixedPoint(**fields))
    error = refusal(*parts, batch)
    assert set(advised(error)) == fields_advised
    assert len(str(error)) < 250
    for field, value in advised(error).items():
        assert refusal(*changed(parts, field, value), batch) is None


def test_a_rate_out_of_reach_is_named_as_the_cause():
    error = refusal(ENCODER, Recirculation(learning_rate=1e30), FixedPoint())
    assert str(error).startswith("learning rate 1e+30 on 'visible>hidden'")


def test_carried_errors_of_too_many_fraction_bits_are_named():
    substrate = FixedPoint(error_fraction_bits=20, accumulator_bits=20)
    error = refusal(Loop(4, 3, 2), rh.Backprop(learning_rate=1.0), substrate)
    assert advised(error)["error_fraction_bits"] < 20


def test_a_table_that_no_unit_uses_is_not_refused():
    loop = Loop(4, 2, visible="identity", hidden="identity")
    substrate = FixedPoint(activation="plan", activity_bits=13)
    assert refusal(loop, Recirculation(learning_rate=1.0), substrate) is None
