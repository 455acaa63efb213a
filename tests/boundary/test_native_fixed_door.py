"""The fixed-point side of the compiled core refuses what would leave its arrays."""

from unittest.mock import patch

import numpy as np
import pytest
from calls import Guarded

from recirc_hw import Backprop, Design, FixedPoint, Loop, Recirculation
from recirc_hw.backends import Watch, _native, native_fixed
from recirc_hw.errors import (
    NativeBoundsError,
    NativeError,
    NativeInstructionSetError,
    NativeOpcodeError,
)
from recirc_hw.programs import FixedState

LANES = _native.LANES
NAMES = (
    "ops", "counts", "slots", "matrices", "entries", "starts", "state_size", "monitor", "one",
    "weight", "wide_word", "largest",
)  # fmt: skip
WRITTEN = ["weights", "sums", "state", "error", "unit_error"]
ARRAYS = [*WRITTEN, "cases", "order", "batch_ends"]
STATE = ["seeds", "steps", "counters"]
FARTHEST = [-(2**63), -(2**31), -1, 2**31 - 1, 2**61, 2**62, 2**63 - 1]
lanes = pytest.mark.parametrize("lanes", [1, LANES])


def make(lanes=1, rule=None, **fields):
    """Return (table's parts, call's parts, guards) of a call that works: two batches."""
    design = Design(Loop(5, 3), rule or Recirculation(), FixedPoint(**fields))
    program, guarded, n = design.lowered(3), Guarded(), 3 if lanes > 1 else 1
    with patch.object(_native, "FixedTable", lambda *parts: parts):
        parts = native_fixed._table.__wrapped__(program, lanes, design.substrate.dtype.name)
    table = dict(zip(NAMES, parts, strict=True))
    chips = [design.fabricate(seed) for seed in range(n)]
    word = np.int64 if table["wide_word"] else np.int32
    matrices = [np.stack(m) for m in zip(*(chip.matrices for chip in chips), strict=True)]
    whole = slice(0, n)
    weights = native_fixed._packed(matrices, whole, lanes, design.substrate.dtype)
    watch, fixed = Watch.start(n), FixedState.start(range(n), len(matrices))
    for name in STATE:
        setattr(fixed, name, guarded.array(getattr(fixed, name)))
    call = {
        "weights": guarded.array(weights),
        "sums": guarded.array(np.zeros(weights.size, word)),
        "state": guarded.array(native_fixed._state(program, lanes, word)),
        "cases": guarded.array(np.arange(20, dtype=np.int32).reshape(4, 5)),
        "order": guarded.array(np.arange(6)[None] % 4 + np.zeros((n, 1), np.int64)),
        "batch_ends": guarded.array(np.array([3, 6])),
        "error": guarded.array(np.zeros((n, 2))),
        "unit_error": guarded.array(np.zeros((n, 2))),
        "watch": watch, "fixed": fixed, "at_once": False, "chips": (0, n), "lanes": lanes,
    }  # fmt: skip
    return table, call, guarded


def run(table, call, isa=0):
    """Make the call; raises what the door raises."""
    _native.FixedCall(_native.FixedTable(**table), *call.values()).train(isa)


def refused(table, call, guarded, error, match=None):
    """Require that a call is refused, for every instruction set, with nothing written."""
    for isa in range(len(_native.ISAS)):
        with pytest.raises(error, match=match):
            run(table, call, isa)
    assert guarded.intact()


@lanes
def test_a_call_as_the_backend_makes_it_runs(lanes):
    for isa in range(len(_native.ISAS)):
        table, call, guarded = make(lanes)
        run(table, call, isa)
        assert guarded.intact()
        assert (call["fixed"].steps == 2).all()


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_the_wrong_type_are_refused(name):
    for wrong in (np.int16, np.float32, np.complex128, object):
        table, call, guarded = make(weight_bits=8)
        call[name] = call[name].astype(wrong)
        refused(table, call, guarded, TypeError, "want")


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_with_gaps_are_refused(name):
    table, call, guarded = make()
    call[name] = np.repeat(call[name], 2, axis=-1)[..., ::2]
    refused(table, call, guarded, ValueError, "contiguous")


@pytest.mark.parametrize("name", [*WRITTEN, "steps", "counters"])
def test_arrays_that_may_not_be_written_are_refused(name):
    table, call, guarded = make()
    array = call[name] if name in call else getattr(call["fixed"], name)
    array.flags.writeable = False
    refused(table, call, guarded, ValueError, "can be written")


def test_arrays_that_are_only_read_may_be_locked():
    table, call, _ = make()
    for array in (call["cases"], call["order"], call["batch_ends"], call["fixed"].seeds):
        array.flags.writeable = False
    run(table, call)


@lanes
@pytest.mark.parametrize("name", ["weights", "sums", "state", "error", "unit_error"])
def test_arrays_that_are_too_small_are_refused(name, lanes):
    table, call, guarded = make(lanes)
    flat = call[name].reshape(-1)[:-1] if call[name].ndim == 1 else call[name][:, :-1]
    call[name] = flat.copy()
    refused(table, call, guarded, (ValueError, NativeBoundsError))


@pytest.mark.parametrize("name", STATE)
def test_a_chips_state_of_the_wrong_size_or_type_is_refused(name):
    for change in (
        lambda array: array.astype(np.float64),
        lambda array: array[..., :-1].copy(),
        lambda array: array[:0].copy(),
    ):
        table, call, guarded = make()
        setattr(call["fixed"], name, change(getattr(call["fixed"], name)))
        refused(table, call, guarded, (TypeError, ValueError, NativeBoundsError))


@pytest.mark.parametrize("wrong", [*FARTHEST, 4])
def test_a_case_that_is_not_there_is_refused(wrong):
    for place in (0, -1):
        table, call, guarded = make(LANES)
        call["order"].flat[place] = wrong
        refused(table, call, guarded, NativeBoundsError)


@pytest.mark.parametrize("ends", [[0, 3], [3, 3], [4, 3], [3, 7], [3, 2**62], [-(2**63), 3]])
def test_batch_ends_that_do_not_rise_inside_the_order_are_refused(ends):
    table, call, guarded = make()
    call["batch_ends"] = np.array(ends)
    refused(table, call, guarded, NativeBoundsError)


@lanes
@pytest.mark.parametrize("wrong", FARTHEST)
@pytest.mark.parametrize(
    ("array", "field"),
    [
        *(("ops", name) for name in ("opcode", "function", "dst", "first", "matrix", "shift")),
        *(("ops", name) for name in ("bias_align", "low", "high", "block")),
        *(("slots", name) for name in ("offset", "size")),
        *(("matrices", name) for name in ("offset", "rows", "cols", "stride")),
        *(("matrices", name) for name in ("rounding", "shift", "bias_shift")),
    ],
)
def test_records_that_point_outside_are_refused(array, field, wrong, lanes):
    for row in range(len(make(lanes)[0][array])):
        table, call, guarded = make(lanes)
        table[array] = table[array].copy()
        column = table[array][field]
        limits = np.iinfo(column.dtype)
        column[row] = np.clip(wrong, limits.min, limits.max)
        try:
            run(table, call)
        except (NativeError, ValueError):
            pass
        else:  # fields that this operation does not read, and limits on values alone
            assert array == "ops"
        assert guarded.intact()


def test_an_operation_out_of_its_place_is_refused():
    for row in range(len(make()[0]["ops"])):
        for opcode in range(6):
            table, call, guarded = make()
            if table["ops"]["opcode"][row] == opcode:
                continue
            table["ops"] = table["ops"].copy()
            table["ops"]["opcode"][row] = opcode
            try:
                run(table, call)
            except (NativeOpcodeError, NativeBoundsError):
                pass
            else:  # a combine and a gate read the same slots
                assert opcode in (1, 2, 3, 0)
            assert guarded.intact()


@pytest.mark.parametrize("counts", [(-1, 8, 2), (7, -1, 2), (7, 2, -9)])
def test_negative_counts_are_refused(counts):
    table, call, guarded = make()
    table["counts"] = counts
    refused(table, call, guarded, (NativeError, ValueError))


@pytest.mark.parametrize("wrong", FARTHEST)
def test_tables_state_and_monitors_that_reach_outside_are_refused(wrong):
    for name, value in (
        ("state_size", wrong), ("monitor", (wrong, 0)), ("monitor", (0, wrong)),
        ("weight", wrong), ("wide_word", wrong),
        ("largest", (wrong, 5)), ("largest", (5, wrong)),
    ):  # fmt: skip
        table, call, guarded = make()
        table[name] = value
        refused(table, call, guarded, (NativeBoundsError, ValueError, OverflowError))
    for place in (0, 1):
        table, call, guarded = make()
        table["starts"] = table["starts"].copy()
        table["starts"][place] = wrong
        refused(table, call, guarded, (NativeBoundsError, ValueError, OverflowError))


def test_a_matrix_larger_than_the_largest_is_refused():
    for largest in ((4, 5), (5, 4)):
        table, call, guarded = make()
        table["largest"] = largest
        refused(table, call, guarded, NativeBoundsError)


@pytest.mark.parametrize("lanes", [-1, 0, 2, LANES - 1, LANES + 1, 2**40, 2**62])
def test_a_number_of_lanes_that_no_walk_has_is_refused(lanes):
    table, call, guarded = make()
    call["lanes"] = lanes
    refused(table, call, guarded, NativeBoundsError)


@pytest.mark.parametrize("chips", [(0, 0), (0, -1), (0, 2), (1, 1)])
def test_chips_that_are_not_there_are_refused(chips):
    table, call, guarded = make()
    call["chips"] = chips
    refused(table, call, guarded, (NativeBoundsError, ValueError))


@pytest.mark.parametrize("isa", [-1, 3, 99])
def test_an_instruction_set_that_is_not_there_is_refused(isa):
    table, call, guarded = make()
    with pytest.raises(NativeInstructionSetError):
        run(table, call, isa)
    assert guarded.intact()


@pytest.mark.parametrize("slot", FARTHEST)
def test_a_slot_that_is_not_there_is_refused(slot):
    table, call, guarded = make()
    made = _native.FixedCall(_native.FixedTable(**table), *call.values())
    with pytest.raises(ValueError, match="want a slot of 0"):
        made.forward(0, slot, np.zeros((6, 5), np.int32))
    with pytest.raises(ValueError, match="want at least 30"):
        made.forward(0, 0, np.zeros((6, 4), np.int32))
    assert guarded.intact()


def test_errors_carried_back_and_wide_words_stay_inside_their_arrays():
    for fields in ({}, {"weight_bits": 16, "weight_fraction_bits": 8, "activity_bits": 16}):
        for lanes in (1, LANES):
            for isa in range(len(_native.ISAS)):
                table, call, guarded = make(lanes, Backprop(learning_rate=1.0), **fields)
                run(table, call, isa)
                assert guarded.intact()
