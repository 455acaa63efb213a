"""The widths that counts carry: of every slot, weight, sum and product of a program."""

from dataclasses import dataclass

from recirc_hw.programs import IntegerProgram
from recirc_hw.programs.integer import width


@dataclass(frozen=True)
class Formats:
    """Bits of every signal; matrices and slots by position."""

    real: bool  # floats, not codes
    slots: tuple[int, ...]
    inner: dict[int, int]  # by the slot that an operation writes: its widest sum or product
    weights: tuple[int, ...]
    sums: tuple[int, ...]  # of g while it is summed up
    kept: tuple[tuple[int, int], ...]  # of g from one write to the next: a weight's, a bias's


def formats_of(design, program, batch_size):
    """Return the formats of a design's program: all alike for floats, else its widths."""
    if isinstance(program, IntegerProgram):
        return _integers(program, design.widths(batch_size))
    return _floats(program, 8 * design.substrate.dtype.itemsize)


def _floats(program, bits):
    """Return the formats of a program on floats."""
    slots, matrices = program.layout.slots, program.layout.matrices
    kept = [bits if m.policy and m.policy.momentum else 0 for m in matrices]
    return Formats(
        True, (bits,) * len(slots), dict.fromkeys(range(len(slots)), bits),
        (bits,) * len(matrices), (bits,) * len(matrices), tuple((n, n) for n in kept),
    )  # fmt: skip


def _integers(program, widths):
    """Return the formats of a program on codes; `carry` keeps a remainder of `shift` bits."""
    found = {signal.name: signal.signed_bits for signal in widths.signals}
    matrices = program.layout.matrices
    carried = [m.written and m.rounding == "carry" for m in matrices]
    return Formats(
        False,
        tuple(slot.bits for slot in program.layout.slots),
        {
            op.dst: found[f"{INNER[op.opcode]} {program.layout.slots[op.dst].name}"]
            for op in program.case_ops if op.opcode in INNER
        },
        tuple(m.bits for m in matrices),
        tuple(found.get(f"sum for {m.name}", 0) for m in matrices),
        tuple(
            (m.shift, m.bias_shift) if c else (0, 0)
            for m, c in zip(matrices, carried, strict=True)
        ),
    )  # fmt: skip


INNER = {"project": "sum into", "combine": "parts of", "gate": "product of"}


def gain_bits(gain, real_bits):
    """Return the width of a constant factor; that of a float where it is one."""
    return width(min(gain, 0), max(gain, 0)) if isinstance(gain, int) else real_bits
