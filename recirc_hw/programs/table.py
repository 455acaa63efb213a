"""Programs: a flat table of operations over a layout, frozen and hashable."""

import hashlib
from dataclasses import dataclass, replace

from recirc_hw.programs.layout import Layout

OPCODES = {"clamp": 0, "project": 1, "combine": 2, "gate": 3, "correlate": 4, "write": 5}
FUNCTIONS = {"identity": 0, "logistic": 1, "tanh": 2, "deadzone": 3}
RESPONSES = ("identity", "logistic", "tanh")  # what units do; a dead zone only gates


@dataclass(frozen=True)
class Op:
    """One primitive operation; slots and matrices by position, -1 where unused.

    clamp      dst <- the case's values from `case_offset` on
    project    dst <- f(M first + b); `bias` False leaves b out,
               `transposed` uses M's transpose (no bias)
    combine    dst <- gains[0] first + gains[1] second
    gate       dst <- first * f'(second), second being the unit's activity; a "deadzone"
               has slope 0 where |second| <= gains[0], 1 elsewhere
    correlate  g_M += first (x) second, post by pre; the bias's pre is 1
    write      M <- M + rate g_M, by the matrix's policy, once per batch
    """

    opcode: str
    dst: int = -1
    first: int = -1
    second: int = -1
    matrix: int = -1
    function: str = "identity"
    gains: tuple[float, float] = (0.0, 0.0)
    bias: bool = True
    transposed: bool = False
    carries: bool = False  # an error, by weights that serve nothing else or run backwards
    case_offset: int = 0
    learning: bool = False

    @property
    def mnemonic(self):
        """The name in listings: what the operation is for."""
        if self.carries:
            return "carry"
        if self.opcode == "combine" and self.gains == (1.0, 1.0):
            return "add"
        if self.opcode == "combine":
            return "subtract" if self.gains[0] == -self.gains[1] else "blend"
        return self.opcode


class OpTable:
    """What programs of reals and of codes share: operations, in the order they are done."""

    ops: tuple

    @property
    def case_ops(self):
        """The operations of every case, in order."""
        return tuple(op for op in self.ops if op.opcode != "write")

    @property
    def batch_ops(self):
        """The operations at the end of every batch, in order."""
        return tuple(op for op in self.ops if op.opcode == "write")

    def without_writes(self):
        """Return the program that gathers weight changes but never applies them."""
        return replace(self, ops=self.case_ops)


@dataclass(frozen=True)
class Program(OpTable):
    """What a clocked chip executes for one case, then once per batch.

    `monitor` names the slots whose difference is the reconstruction error:
    (target, output).
    """

    name: str
    layout: Layout
    ops: tuple[Op, ...]
    monitor: tuple[int, int]

    @property
    def fingerprint(self):
        """SHA-256 of the layout and the table, as hex digits."""
        return hashlib.sha256(repr((self.layout, self.ops, self.monitor)).encode()).hexdigest()

    def __str__(self):
        """Return the table as people read it."""
        rows = [_row(self.layout, number, op) for number, op in enumerate(self.ops)]
        inference = sum(not op.learning for op in self.ops)
        head = f"{self.name}: {len(rows)} operations, {inference} of them inference"
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
            + "  "
            + row[4]
            for row in rows
        ]
        return "\n".join([head, *lines])


def _row(layout, number, op):
    """Return one line of a listing as five strings."""
    channel = "learning" if op.learning else "inference"
    dst = layout.matrices[op.matrix].name if op.dst < 0 else layout.slots[op.dst].name
    return [str(number).rjust(2), channel, op.mnemonic, dst, f"<- {_formula(layout, op)}"]


def _formula(layout, op):
    """Return the right-hand side of one line of a listing."""
    first = layout.slots[op.first].name if op.first >= 0 else ""
    second = layout.slots[op.second].name if op.second >= 0 else ""
    matrix = layout.matrices[op.matrix].name if op.matrix >= 0 else ""
    if op.opcode == "clamp":
        return f"case[{op.case_offset}:{op.case_offset + layout.slots[op.dst].size}]"
    if op.opcode == "project":
        product = f"({matrix})" + ("^T" if op.transposed else "") + f" {first}"
        product += " + bias" if op.bias else ""
        return product if op.function == "identity" else f"{op.function}({product})"
    if op.mnemonic == "subtract":
        gain = "" if op.gains[0] == 1 else f"{op.gains[0]:g} "
        return f"{gain}({first} - {second})" if gain else f"{first} - {second}"
    if op.mnemonic == "add":
        return f"{first} + {second}"
    if op.opcode == "combine":
        return f"{op.gains[0]:g} {first} + {op.gains[1]:g} {second}"
    if op.function == "deadzone":
        return f"{first}, 0 up to {op.gains[0]:g}"
    if op.opcode == "gate":
        return f"{first} * {op.function}'({second})"
    if op.opcode == "correlate":
        return f"+ {first} (x) {second}"
    return _write_formula(layout.matrices[op.matrix].policy)


def _write_formula(policy):
    """Return how a write policy reads in a listing."""
    text = f"rate {policy.rate:g} x {'mean' if policy.mean else 'sum'} over the batch"
    text += f", momentum {policy.momentum:g}" if policy.momentum else ""
    text += f", decay {policy.decay:g}" if policy.decay else ""
    return text + (f", norm cap {policy.norm_cap:g}" if policy.norm_cap else "")
