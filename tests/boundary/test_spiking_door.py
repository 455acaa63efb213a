"""The door to the spiking core: what does not fit is refused, not followed."""

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.backends import _native, native_spiking
from recirc_hw.errors import NativeBoundsError, NativeInstructionSetError, NativeOpcodeError
from recirc_hw.programs.spiking import Recorded, SpikingBody

DRAWN = 3


def parts_of(**fields):
    """Return (program's dynamics, a chip at rest) of a small design."""
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Spiking(**fields))
    dynamics = design.lowered().dynamics
    return dynamics, SpikingBody.at_rest([0], dynamics, 2).chip(0, design.fabricate(0).matrices)


def call(table, chip, **changed):
    """Advance a chip by five steps, some arguments changed."""
    arguments = {
        "isa": 0, "memory": chip.memory, "rates": np.full(2, 0.01), "drive": np.zeros(4),
        "forced": None, "key": (0, 60, 0, 0), "moment": 0, "steps": 5, "drawn": DRAWN,
        "window": None,
    } | changed  # fmt: skip
    isa, memory, *rest = arguments.values()
    return _native.spiking_advance(isa, table, memory, chip, *rest)


def table_of(dynamics, **changed):
    """Return the table of a design, fields of its first projection or population changed."""
    found = native_spiking.table_parts(dynamics)
    populations, projections, chance, neurons, kinds, constants = found
    for name, value in changed.items():
        records = projections if name in projections.dtype.names else populations
        records[name][0] = value
    return _native.SpikingTable(populations, projections, chance, neurons, kinds, constants)


def test_an_untouched_call_runs():
    dynamics, chip = parts_of()
    fired, biases = call(table_of(dynamics), chip)
    assert fired.shape == (6,)
    np.testing.assert_array_equal(biases, [1, 1])


@pytest.mark.parametrize(
    "changed",
    [{"offset": -1}, {"offset": 13}, {"offset": 2**62}, {"source": 2}, {"source": -1},
     {"target": 2}, {"rebase": 0}, {"first": 1}, {"units": 5}, {"units": 0}],
)  # fmt: skip
def test_a_record_that_reaches_outside_is_refused(changed):
    dynamics, chip = parts_of()
    with pytest.raises((NativeBoundsError, ValueError, IndexError)):
        call(table_of(dynamics, **changed), chip)


def test_unknown_kinds_and_instruction_sets_are_refused():
    dynamics, chip = parts_of()
    populations, projections, chance, neurons, kinds, constants = native_spiking.table_parts(
        dynamics
    )
    for place, error in (
        (0, NativeBoundsError),
        (1, NativeOpcodeError),
        (2, NativeOpcodeError),
    ):
        wrong = list(kinds)
        wrong[place] = -1
        table = _native.SpikingTable(
            populations, projections, chance, neurons, tuple(wrong), constants
        )
        with pytest.raises(error):
            call(table, chip)
    with pytest.raises(NativeInstructionSetError):
        call(table_of(dynamics), chip, isa=9)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("memory", np.zeros(21), NativeBoundsError),
        ("memory", np.zeros(22, np.float32), TypeError),
        ("rates", np.zeros(1), ValueError),
        ("drive", np.zeros(3), ValueError),
        ("forced", np.zeros((4, 4), np.uint8), ValueError),
        ("moment", -1, NativeBoundsError),
        ("steps", -1, NativeBoundsError),
        ("drawn", 0, NativeBoundsError),
    ],
)
def test_an_argument_that_does_not_fit_is_refused(name, value, error):
    dynamics, chip = parts_of()
    with pytest.raises(error):
        call(table_of(dynamics), chip, **{name: value})


def test_state_that_is_read_only_or_short_is_refused():
    dynamics, chip = parts_of()
    chip.slow = chip.slow.copy()
    chip.slow.flags.writeable = False
    with pytest.raises(ValueError, match="can be written"):
        call(table_of(dynamics), chip)
    chip.slow = np.zeros(5)
    with pytest.raises(ValueError, match="at least 6 values"):
        call(table_of(dynamics), chip)


def test_a_window_too_short_is_refused_and_nothing_is_written_beside_one():
    dynamics, chip = parts_of(neurons=3)
    with pytest.raises(ValueError, match="at least"):
        call(table_of(dynamics), chip, window=Recorded.empty(dynamics, 4))
    window = Recorded.empty(dynamics, 7)
    window.slow[5:] = window.potential[5:] = 7.0
    window.raster[5:] = 7
    call(table_of(dynamics), chip, window=window)
    assert (window.slow[5:] == 7).all()
    assert (window.potential[5:] == 7).all()
    assert (window.raster[5:] == 7).all()
    assert (window.slow[:5, 0] != 7).all()
