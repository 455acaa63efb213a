"""Calls of the compiled core, spelled out so that any part of them can be made wrong."""

from unittest.mock import patch

import numpy as np
import pytest

from recirc_hw import Design, Ideal, Loop, Recirculation
from recirc_hw.backends import Watch, _native, native

GUARD = 4096  # bytes on each side of an array that must stay as they are
TILE = {"float32": _native.TILE_BYTES // 4, "float64": _native.TILE_BYTES // 8}
KINDS = ["lanes", "one lane", "batch"]
kinds = pytest.mark.parametrize("kind", KINDS)
dtypes = pytest.mark.parametrize("dtype", ["float64", "float32"])
isas = pytest.mark.parametrize("isa", range(len(_native.ISAS)), ids=_native.ISAS)


class Guarded:
    """Arrays between guard bytes, which tell whether somebody wrote beside them."""

    def __init__(self):
        self.memory = []

    def array(self, values):
        values = np.ascontiguousarray(values)
        memory = np.full(values.nbytes + 2 * GUARD, 0xA5, np.uint8)
        self.memory.append(memory)
        inner = memory[GUARD : GUARD + values.nbytes].view(values.dtype)
        inner[:] = values.reshape(-1)
        return inner.reshape(values.shape)

    def intact(self):
        return all(
            (edge == 0xA5).all() for m in self.memory for edge in (m[:GUARD], m[-GUARD:])
        )


def table_parts(program, kind, dtype):
    """Return a table's arguments by name, as the native backend would pack them."""
    with patch.object(native._native, "Table", lambda *parts: parts):
        if kind == "batch":
            parts = native._batch_table.__wrapped__(program, 9)
        elif kind == "lanes":
            parts = native._lane_table.__wrapped__(program, TILE[dtype], 1)
        else:
            unit = native.VECTOR_BYTES["avx512"] // np.dtype(dtype).itemsize
            parts = native._lane_table.__wrapped__(program, 1, unit)
    names = ("ops", "counts", "slots", "matrices", "rows", "state_size", "monitor")
    return dict(zip(names, parts, strict=True))


def call_parts(program, table, kind, dtype, guarded):
    """Return a call's arguments by name, two batches of three cases for three chips."""
    lanes = TILE[dtype] if kind == "lanes" else 1
    n_chips = 3 if kind == "lanes" else 1
    record, last = table["matrices"][-1], program.layout.matrices[-1]
    n_weights = int(record["offset"] + (last.cols + 1) * record["stride"] * lanes)
    n_state = (table["state_size"] + (0 if kind == "batch" else TILE[dtype])) * lanes
    random = np.random.default_rng(1)
    watch = Watch.start(n_chips)
    for name in ("updates", "crossed", "checked", "passed", "active"):
        setattr(watch, name, guarded.array(getattr(watch, name)))
    size = program.layout.slots[program.monitor[0]].size
    zeros = np.zeros((n_chips, 2))
    return {
        "weights": guarded.array(random.uniform(-0.5, 0.5, n_weights).astype(dtype)),
        "sums": guarded.array(np.zeros(n_weights, dtype)),
        "state": guarded.array(np.zeros(n_state, dtype)),
        "cases": guarded.array(random.uniform(0, 1, (4, size)).astype(dtype)),
        "order": guarded.array(random.integers(0, 4, (n_chips, 6))),
        "batch_ends": guarded.array(np.array([3, 6])),
        "error": guarded.array(zeros),
        "unit_error": guarded.array(zeros),
        "watch": watch,
        "chips": (0, n_chips),
        "lanes": lanes,
    }


def make(kind="lanes", dtype="float64", rule=None, network=None):
    """Return (program, table's parts, call's parts, guards) of a call that works."""
    network = network or Loop(5, 3)
    design = Design(network, rule or Recirculation(), Ideal(precision=dtype))
    guarded = Guarded()
    table = table_parts(design.program, kind, dtype)
    return (
        design.program, table,
        call_parts(design.program, table, kind, dtype, guarded), guarded,
    )  # fmt: skip


def run(kind, table, call, isa=0):
    """Make the call; raises what the door raises."""
    made = _native.Call(_native.Table(**table), *call.values())
    if kind == "batch":
        made.train_batch(isa)
    else:
        made.train_lanes(isa)
