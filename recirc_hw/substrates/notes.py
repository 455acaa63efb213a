"""Notes: what became of a design's formats and constants, in words."""

from recirc_hw.programs.passes import is_blend
from recirc_hw.substrates.lowering import realised_share


def notes_of(program, found, rate_bits):
    """Return a line on each format and each constant that is not as asked for.

    `program` is the one on reals, `found` what it was lowered to.
    """
    notes = [_format_note(matrix) for matrix in found.layout.matrices]
    notes += _rate_notes(program, found, rate_bits) + _share_notes(program)
    return [*notes, f"computed with {found.word}-bit words, {found.accumulator}-bit sums"]


def _format_note(matrix):
    """Return a matrix's format, and how it is written, as a line."""
    note = f"{matrix.name}: weights of {matrix.bits} bits, {matrix.fraction_bits} of fraction"
    if matrix.bias_fraction_bits != matrix.fraction_bits:
        note += f" (biases {matrix.bias_fraction_bits})"
    if not matrix.written:
        return f"{note}; never written"
    return f"{note}; rate {matrix.rate:g}, g shifted by {matrix.shift}, {matrix.rounding}"


def _rate_notes(program, found, bits):
    """Return a line for each learning rate that is not realised as it was asked for."""
    notes = []
    for asked, real in zip(program.layout.matrices, found.layout.matrices, strict=True):
        if real.written:
            wanted = asked.policy.rate / (found.batch_size if asked.policy.mean else 1)
            if real.rate != wanted:
                notes.append(
                    f"{real.name}: rate {wanted:g} was asked for; {real.rate:g} is the "
                    f"nearest with a factor of {bits} bits"
                )
    return notes


def _share_notes(program):
    """Return a line for each regression (lambda) that is not realised as it was asked for."""
    notes = []
    blends = [op for op in program.case_ops if is_blend(op) and op.first != op.second]
    for share in sorted({op.gains[0] for op in blends}):
        real = 1 - realised_share(share)
        if real != share:
            notes.append(f"lambda {share:g} was asked for; {real:.8g} is what the chip keeps")
    return notes
