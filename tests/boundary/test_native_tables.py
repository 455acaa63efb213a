"""Tables that were damaged: refused, or run inside their arrays."""

import numpy as np
import pytest
from calls import KINDS, TILE, Guarded, call_parts, kinds, make, run, table_parts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recirc_hw import Backprop, Design, Ideal, Loop, RandomFeedback, Recirculation
from recirc_hw.backends import _native
from recirc_hw.errors import (
    NativeBoundsError,
    NativeError,
    NativeOpcodeError,
)


def corrupt(table, array, row, field, value):
    table[array] = table[array].copy()
    table[array][row][field] = value
    return table


@kinds
@pytest.mark.parametrize(
    ("array", "field", "value", "error"),
    [
        ("ops", "opcode", 6, NativeOpcodeError),
        ("ops", "opcode", -1, NativeOpcodeError),
        ("ops", "opcode", 4, NativeOpcodeError),  # a correlate among what computes
        ("ops", "opcode", 5, NativeOpcodeError),
        ("ops", "function", 3, NativeOpcodeError),
        ("ops", "function", -1, NativeOpcodeError),
        ("ops", "dst", -1, NativeBoundsError),
        ("ops", "dst", 99, NativeBoundsError),
        ("ops", "first", -1, NativeBoundsError),
        ("ops", "matrix", 2, NativeBoundsError),
        ("ops", "matrix", -1, NativeBoundsError),
        ("slots", "offset", -1, NativeBoundsError),
        ("slots", "offset", 2**62, NativeBoundsError),
        ("slots", "size", 2**63 - 1, NativeBoundsError),
        ("slots", "size", -1, NativeBoundsError),
        ("matrices", "offset", -1, NativeBoundsError),
        ("matrices", "offset", 2**63 - 1, NativeBoundsError),
        ("matrices", "rows", 4, NativeBoundsError),
        ("matrices", "cols", 2**63 - 1, NativeBoundsError),
        ("matrices", "stride", 0, NativeBoundsError),
        ("matrices", "stride", 2**61, NativeBoundsError),
    ],
)
def test_a_record_that_reaches_outside_is_refused(kind, array, field, value, error):
    program, table, call, guarded = make(kind)
    row = 1 if array == "ops" else 0  # the first projection, the first slot and matrix
    with pytest.raises(error):
        run(kind, corrupt(table, array, row, field, value), call)
    assert guarded.intact()


@kinds
def test_an_unused_field_of_a_clamp_is_never_followed(kind):
    _, table, call, guarded = make(kind)
    for field in ("first", "second", "matrix"):
        corrupt(table, "ops", 0, field, 2**31 - 1)
    run(kind, table, call)
    assert guarded.intact()


@kinds
@pytest.mark.parametrize(
    "change",
    [
        {"counts": (-1, 13, 0)}, {"counts": (13, -1, 0)}, {"counts": (100, 0, 0)},
        {"rows": 0}, {"rows": -1}, {"state_size": -1},
        {"state_size": 2**62}, {"state_size": 3}, {"monitor": (0, 99)},
        {"monitor": (-1, 0)}, {"monitor": (0, 1)},
    ],
)  # fmt: skip
def test_a_header_that_reaches_outside_is_refused(kind, change):
    _, table, call, guarded = make(kind)
    with pytest.raises((NativeError, ValueError)):
        run(kind, table | change, call)
    assert guarded.intact()


@pytest.mark.parametrize("rows", [10, 2**40, 2**62, 2**63 - 1])
def test_more_rows_than_the_state_has_are_refused(rows):
    _, table, call, _ = make("batch")
    with pytest.raises(NativeBoundsError):
        run("batch", table | {"rows": rows}, call)


@pytest.mark.parametrize("array", ["ops", "slots", "matrices"])
def test_records_of_another_kind_are_refused(array):
    _, table, _, _ = make()
    for wrong in (np.zeros(20), np.zeros(20, "V8"), table[array][::-1], table[array][:0]):
        with pytest.raises((TypeError, ValueError)):
            _native.Table(**(table | {array: wrong}))


EDGES = [0, 1, -1, 2, 3, 4, 5, 6, 8, 9, 16, 31, 32, 33, 64, 1000, 4096]
EDGES += [2**31 - 1, -(2**31), 2**31, 2**32, 2**61, 2**62, 2**63 - 1, -(2**63)]


def narrow(value, dtype):
    """Return a value that an integer field can hold."""
    bounds = np.iinfo(dtype)
    return min(max(value, bounds.min), bounds.max)


@st.composite
def damages(draw):
    """Draw one damage: a header field, or a field of one record."""
    header = draw(st.booleans()) and draw(st.booleans())
    value = draw(st.sampled_from(EDGES) | st.integers(-70, 70))
    if header:
        return ("header", draw(st.sampled_from(["rows", "state_size", "lanes"])), value)
    array = draw(st.sampled_from(["ops", "slots", "matrices", "order", "batch_ends"]))
    return (array, draw(st.integers(0, 60)), draw(st.integers(0, 12)), value)


def damage(table, call, wrong):
    """Apply one damage to a table or a call."""
    if wrong[0] == "header":
        _, name, value = wrong
        (call if name == "lanes" else table)[name] = value
        return
    array, row, column, value = wrong
    if array in call:
        call[array].flat[row % call[array].size] = value
        return
    records = table[array] = table[array].copy()
    fields = [
        name for name in records.dtype.names if np.issubdtype(records.dtype[name], np.integer)
    ]
    field = fields[column % len(fields)]
    records[field][row % len(records)] = narrow(value, records.dtype[field])


PROGRAMS = {
    (rule.name, network, dtype): Design(network, rule, Ideal(precision=dtype)).program
    for rule in (Recirculation(cycles=2), Backprop(norm_cap=1.0), RandomFeedback(kind="ARBP"))
    for network in (Loop(1, 1), Loop(5, 3), Loop(17, 9, 2))
    for dtype in TILE
}


@settings(
    derandomize=True, deadline=None, max_examples=700,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(
    st.sampled_from(sorted(PROGRAMS, key=str)),
    st.sampled_from(KINDS),
    st.integers(0, len(_native.ISAS) - 1),
    st.lists(damages(), min_size=1, max_size=3),
)
def test_a_damaged_table_is_refused_or_runs_inside_its_arrays(key, kind, isa, wrongs):
    program, guarded = PROGRAMS[key], Guarded()
    table = table_parts(program, kind, key[2])
    call = call_parts(program, table, kind, key[2], guarded)
    for wrong in wrongs:
        damage(table, call, wrong)
    try:
        run(kind, table, call, isa)
        if kind == "batch":
            made = _native.Table(**table)
            _native.forward(isa, made, call["weights"], call["cases"], call["state"])
    except (NativeError, ValueError, TypeError, OverflowError):
        pass
    assert guarded.intact()
