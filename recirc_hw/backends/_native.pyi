from typing import Any

import numpy as np

OP: np.dtype[Any]
SLOT: np.dtype[Any]
MATRIX: np.dtype[Any]
FIXED_OP: np.dtype[Any]
FIXED_MATRIX: np.dtype[Any]
LANES: int
TILE_BYTES: int
ISAS: tuple[str, ...]

class Table:
    def __init__(self, ops, counts, slots, matrices, rows, state_size, monitor) -> None: ...

class Call:
    def __init__(
        self,
        table,
        weights,
        sums,
        state,
        cases,
        order,
        batch_ends,
        error,
        unit_error,
        watch,
        chips,
        lanes,
    ) -> None: ...
    def train_lanes(self, isa: int) -> None: ...
    def train_batch(self, isa: int) -> None: ...

def forward(isa: int, table: Table, weights, cases, state) -> None: ...
def translate(status: int) -> None: ...

class FixedTable:
    word: np.dtype[Any]
    weight_type: np.dtype[Any]
    def __init__(
        self,
        ops,
        counts,
        slots,
        matrices,
        entries,
        starts,
        state_size,
        monitor,
        one,
        weight,
        wide_word,
        wide_sums,
    ) -> None: ...

class FixedCall:
    def __init__(
        self,
        table,
        weights,
        sums,
        state,
        cases,
        order,
        batch_ends,
        error,
        unit_error,
        watch,
        fixed,
        at_once,
        chips,
        lanes,
    ) -> None: ...
    def train(self, isa: int) -> None: ...
    def forward(self, isa: int, slot: int, out) -> None: ...
