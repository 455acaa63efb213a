"""The door to the analog core: what would leave an array is refused before anything runs."""

import numpy as np
import pytest

from recirc_hw import Analog, Design, Loop, Recirculation
from recirc_hw.backends import Job, Watch, _native, native_analog
from recirc_hw.errors import NativeBoundsError

NAMES = (
    "table", "weights", "sums", "shares", "state", "units", "constants", "past", "values",
    "cases", "order", "keys", "first", "learning", "purpose", "lanes", "side_by_side",
)  # fmt: skip
CASES = _native.CASES


@pytest.fixture
def given(monkeypatch):
    """Return by name what the backend hands over for a large chip's cases, in good order."""
    kept = []

    class Kept:
        def __init__(self, *arguments):
            kept.append(dict(zip(NAMES, arguments, strict=True)))

        def present(self, isa):
            pass

    substrate = Analog(plasticity="gathered", delay_ms=0.1, clamp_ms=6.5, dt_ms=0.1)
    design = Design(Loop(70, 20), Recirculation(), substrate)
    program, chip = design.lowered(), design.fabricate(0)
    weights = [matrix[None] for matrix in chip.matrices]
    body = substrate.body([0], program)
    job = Job(program, weights, [], None, None, None, Watch.start(1), body=body)
    with monkeypatch.context() as patch:
        patch.setattr(_native, "AnalogCall", Kept)
        cases = np.full((1, CASES + 3, 70), 0.5)
        native_analog.present(job, np.zeros(1, int), cases, learning=True)
    return kept[0]


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


WRONG = {
    "a state for one case": {"state": lambda x: x[: x.size // CASES].copy()},
    "a state one value short": {"state": lambda x: x[:-1].copy()},
    "a past of one case": {"past": lambda x: x[: x.size // CASES].copy()},
    "no past": {"past": lambda x: None},
    "values one short": {"values": lambda x: x.reshape(-1)[:-1].copy()},
    "values of another type": {"values": lambda x: np.zeros(x.shape, np.float32)},
    "sums that cannot be written": {"sums": read_only},
    "weights one short": {"weights": lambda x: x[:-1].copy()},
    "an order that names no case": {"order": lambda x: x + 1},
    "an order of negative cases": {"order": lambda x: x - 1},
    "constants one short": {"constants": lambda x: [c.reshape(-1)[:-1].copy() for c in x]},
    "gains of too few units": {"units": lambda x: [x[0][:-1].copy(), *x[1:]]},
    "cases of another width": {"cases": lambda x: x[:, :-1].copy()},
    "two cases side by side": {"side_by_side": lambda x: 2},
    "cases and lanes at once": {"lanes": lambda x: 16},
    "weights that follow, side by side": {"shares": lambda x: np.zeros_like(x)},
}


def test_what_the_backend_hands_over_is_taken(given):
    assert given["side_by_side"] == CASES
    _native.AnalogCall(*given.values()).present(0)


@pytest.mark.parametrize("wrong", WRONG)
def test_what_would_leave_an_array_is_refused(given, wrong):
    for name, change in WRONG[wrong].items():
        base = given["weights"] if name == "shares" else given[name]
        given[name] = change(base)
    with pytest.raises((ValueError, TypeError, NativeBoundsError)):
        _native.AnalogCall(*given.values())
