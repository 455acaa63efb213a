"""Non-linearity tables: data computed once with decimal arithmetic, known by their hash.

Nothing here is rebuilt from a platform's libm, so the entries are the same on
every machine; tests pin their SHA-256.
"""

import hashlib
from decimal import ROUND_FLOOR, Decimal, localcontext
from functools import cache, lru_cache

import numpy as np

from recirc_hw.programs.integer import TableKey

LARGEST = 16  # index bits; 65536 entries
DIGITS = 40


@lru_cache(maxsize=64)
def entries(key):
    """Return a table's codes, int32, in the order of the index; read-only.

    table[i] = min(floor(f(i / 2^LF) 2^A + 1/2), 2^A - 1)       samples on grid points
    """
    table = np.array(_codes(key, range(key.low, -key.low)), np.int32)
    table.flags.writeable = False
    return table


def extremes(key):
    """Return a table's lowest and highest code: its ends, since responses only rise."""
    low, high = _codes(key, (key.low, -key.low - 1))
    return low, high


def _codes(key, indices):
    """Return a table's codes at some indices."""
    return [_plan(key, i) for i in indices] if key.form == "plan" else _samples(key, indices)


def digest(key):
    """Return the SHA-256 of a table's entries as little-endian 32-bit integers."""
    return hashlib.sha256(entries(key).astype("<i4").tobytes()).hexdigest()


@cache
def rail_integer_bits(function, activity_bits):
    """Return the fewest integer bits of an index with which the response reaches both rails.

    tanh is there where |f(x)| 2^A >= 2^A - 3/2. The logistic's upper rail is the code
    2^A - 1 likewise, its lower one 0: f(x) 2^A < 1/2, which is farther out,
    -x > ln(2^(A+1) - 1). A table that ended before would never let a unit be silent.
    """
    with localcontext() as context:
        context.prec = DIGITS
        reach = (Decimal(2) ** (activity_bits + 1) - 1).ln()
        if function == "tanh":
            share = 1 - Decimal("1.5") / 2**activity_bits
            reach = ((1 + share) / (1 - share)).ln() / 2
    bits = 1
    while Decimal(2) ** (bits - 1) <= reach:
        bits += 1
    return bits


def _samples(key, indices):
    """Return the response sampled on grid points, rounded half up, kept below one."""
    one, step = Decimal(2**key.activity_bits), Decimal(2) ** -key.fraction_bits
    half, codes = Decimal("0.5"), []
    with localcontext() as context:
        context.prec = DIGITS
        for i in indices:
            code = int(
                (one * _response(key.function, i * step) + half).to_integral_value(ROUND_FLOOR)
            )
            codes.append(max(1 - int(one), min(code, int(one) - 1)))
    return codes


def _response(function, x):
    """Return logistic(x) or tanh(x) = 2 logistic(2x) - 1 in decimal arithmetic."""
    if function == "logistic":
        return 1 / (1 + (-x).exp())
    return 2 / (1 + (-2 * x).exp()) - 1


def _plan(key, index):
    """Return the PLAN approximation, with the grid 2^-A and shifts only.

        logistic: a = |x|;  y = 1 (a >= 5), a/32 + 27/32 (a >= 19/8),
                  a/8 + 5/8 (a >= 1), a/4 + 1/2;   y = 1 - y where x < 0
        tanh(x) = 2 logistic(2x) - 1

    Each quotient is rounded down, the result kept within the activity's codes.
    Source: Amin, Curtis & Hayes-Gill 1997, IEE Proc. Circuits Devices Syst. 144, 313.
    """
    bits = key.activity_bits
    one = 1 << bits
    if key.function == "logistic":
        return min(_plan_logistic(index, bits), one - 1)
    return max(1 - one, min(2 * _plan_logistic(2 * index, bits) - one, one - 1))


def _plan_logistic(index, bits):
    """Return PLAN's logistic of index / 2^bits, a code of 0..2^bits."""
    one, size = 1 << bits, abs(index)
    if size >= 5 * one:
        code = one
    elif 8 * size >= 19 * one:
        code = (size >> 5) + (27 * one >> 5)
    elif size >= one:
        code = (size >> 3) + (5 * one >> 3)
    else:
        code = (size >> 2) + (one >> 1)
    return one - code if index < 0 else code


def table_key(function, form, activity_bits, fraction_bits, integer_bits):
    """Return the key of a table, with what was left open filled in.

    PLAN's grid is the activity's own. `integer_bits` None: as many as reach the rail.
    """
    if form == "plan":
        return TableKey(
            function, form, activity_bits, activity_bits, 4 if function == "logistic" else 3
        )
    if integer_bits is None:
        integer_bits = rail_integer_bits(function, activity_bits)
    return TableKey(function, form, activity_bits, fraction_bits, integer_bits)
