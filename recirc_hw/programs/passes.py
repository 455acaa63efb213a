"""Passes: functions from a program to another that computes the same."""

from dataclasses import replace

from recirc_hw.programs.layout import sharing
from recirc_hw.programs.table import Op


def is_blend(op):
    """Return whether an operation mixes two values: gains (share, 1 - share)."""
    return op.opcode == "combine" and op.gains[0] + op.gains[1] == 1.0


def with_shares(program, realise):
    """Return the program with each blend's 1 - share replaced by realise(share).

    A blend of a slot with itself, a copy, stays as it is.
    """

    def realised(op):
        if not is_blend(op) or op.first == op.second:
            return op
        taken = realise(op.gains[0])
        return replace(op, gains=(1.0 - taken, taken))

    return replace(program, ops=tuple(realised(op) for op in program.ops))


def widened(program):
    """Return the program with every difference from a blend taken before the blend.

        gain (a - (share a + (1 - share) b))  =  gain (1 - share) (a - b)

    In integers this keeps the bits that rounding the blend would lose; blends
    that nobody reads any more are dropped.
    """
    blends = {op.dst: op for op in program.ops if is_blend(op)}

    def wide(op: Op):
        blend = blends.get(op.second) if op.opcode == "combine" and not is_blend(op) else None
        if blend is None or blend.first != op.first:
            return op
        gain = op.gains[0] * blend.gains[1]
        return replace(op, second=blend.second, gains=(gain, -gain))

    return without_unread_blends(replace(program, ops=tuple(wide(op) for op in program.ops)))


def without_unread_blends(program):
    """Return the program without blends that no operation and no monitor reads."""
    while True:
        read = {slot for op in program.ops for slot in (op.first, op.second)}
        read |= set(program.monitor)
        read = {other for slot in read - {-1} for other in sharing(program.layout.slots, slot)}
        kept = tuple(op for op in program.ops if not (is_blend(op) and op.dst not in read))
        if len(kept) == len(program.ops):
            return program
        program = replace(program, ops=kept)
