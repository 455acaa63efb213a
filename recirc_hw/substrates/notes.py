"""Notes: what became of a design's formats and constants, in words."""

import math

import numpy as np

from recirc_hw.programs.passes import is_blend
from recirc_hw.substrates.lowering import realised_share
from recirc_hw.text_tables import counted


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


def bias_cautions(wanted, matrix, function, activity_bits, reach):
    """Return a warning where a bias that its format cuts off makes its unit answer otherwise.

    A bias of -12 into a dark pixel is as good as -8 if both give code 0: what counts is a
    response that is half a code or more beside the one that was wanted. Beyond +-`reach`
    units answer no other than there.
    """
    step = 2.0**-matrix.bias_fraction_bits
    low, high = matrix.low * step, matrix.high * step
    held = np.clip(wanted, low, high)
    ends = (_response(np.clip(x, -reach, reach), function) for x in (held, wanted))
    missed = np.abs(np.subtract(*ends))
    missed[np.abs(held - wanted) <= step / 2] = 0  # rounded, not cut off
    worst = int(np.argmax(missed))
    if missed[worst] * 2**activity_bits < 0.5:
        return ()
    bias = wanted[worst]
    rail = f"the largest is {high:g}" if bias > 0 else f"the least is {low:g}"
    integer = _integer_bits(bias, matrix.bits)
    way = f"bias_fraction_bits = {matrix.bits - 1 - integer}"
    if integer > matrix.bits - 1:
        way = f"weight_bits = {integer + 1}, with none of fraction"
    return (
        f"output_bias = 'data_mean': a bias of '{matrix.name}' is to start at {bias:.3g}, but "
        f"with {matrix.bits} bits, {matrix.bias_fraction_bits} of fraction, {rail}; want "
        f"{counted(integer, 'integer bit')}: {way}",
    )


def _integer_bits(bias, bits):
    """Return the fewest integer bits that hold a bias to half a step of so many bits."""
    integer = max(0, math.ceil(math.log2(abs(bias))))
    step = 2.0 ** (integer + 1 - bits)
    return integer + (bias > 2.0**integer - step / 2)


def _response(x, function):
    """Return the response of units to their bias alone."""
    if function == "identity":
        return x
    return np.tanh(x) if function == "tanh" else 1 / (1 + np.exp(-x))
