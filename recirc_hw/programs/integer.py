"""Integer programs: what lowering makes of a program, and what the hardware holds.

Every value is an integer code. A slot's code c stands for c / one; a sum over
weights has as many fraction bits as its weight and its source together. A right
shift by n rounds half up, floor(x / 2^n + 1/2); a shift by -n multiplies by 2^n.
"""

import hashlib
from dataclasses import dataclass

from recirc_hw.programs.table import OpTable

ROUNDINGS = ("floor", "half_up", "half_even", "stochastic", "carry")
COUNTERS = ("saturated_weights", "clipped_indices", "asked_updates", "dead_updates")
"""Counted for each matrix: writes that hit a weight's rail; sums outside the table;
updates asked for (the sum is not 0); those of them that the rounding made 0."""
NOT_CARRIED = ("asked_updates", "dead_updates")
"""Not counted where remainders are carried: what rounds to 0 is kept, none is lost."""


@dataclass(frozen=True)
class TableKey:
    """Which non-linearity table: what it samples, and where.

    Index i of the table, -2^(integer_bits - 1 + fraction_bits) and up, holds the
    response at i / 2^fraction_bits.
    """

    function: str  # logistic or tanh
    form: str  # table (grid samples) or plan (piecewise linear)
    activity_bits: int
    fraction_bits: int
    integer_bits: int

    @property
    def low(self):
        """The lowest index; the highest is -low - 1."""
        return -(1 << (self.integer_bits - 1 + self.fraction_bits))


@dataclass(frozen=True)
class IntegerSlot:
    """A slice of the state; its codes stay within low..high, and `one` stands for 1."""

    name: str
    offset: int
    size: int
    fraction_bits: int
    one: int
    low: int = 0
    high: int = 0

    @property
    def signed(self):
        """Whether a code may be negative."""
        return self.low < 0

    @property
    def bits(self):
        """How wide the code is."""
        return width(self.low, self.high)


@dataclass(frozen=True)
class IntegerMatrix:
    """A weight matrix: signed codes w / 2^fraction_bits, the bias column likewise.

    Once per batch dw = round(g / 2^shift), w <- saturate(w + dw); the bias column
    shifts by bias_shift. Indices of rounding bits count column * rows + row.
    """

    name: str
    rows: int
    cols: int
    bits: int
    fraction_bits: int
    bias_fraction_bits: int
    feedback: bool = False
    written: bool = False
    rounding: str = "floor"
    shift: int = 0
    bias_shift: int = 0
    rate: float = 0.0  # as realised, a whole number times a power of two

    @property
    def low(self):
        """The lowest weight code."""
        return -(1 << (self.bits - 1))

    @property
    def high(self):
        """The highest weight code."""
        return (1 << (self.bits - 1)) - 1


@dataclass(frozen=True)
class IntegerOp:
    """One primitive operation on codes; `shift` as the module says, `>>` rounding half up.

    clamp      dst <- the case's codes from `case_offset` on
    project    sum = M first + (b << bias_align);  with a table,
               dst <- table[clip(sum >> shift)], else dst <- clip(sum >> shift)
               with clip to low..high (carries of errors: no clip, low = high = 0)
    combine    dst <- (gains[0] first + gains[1] second) >> shift
    gate       dst <- (first * slope(second)) >> shift; slope of a code y is
               y (one - y) for logistic, one^2 - y^2 for tanh, one = 2^activity bits
    correlate  g_M += gains[0] first (x) second; the bias's second is 1 << bias_align
    write      M <- saturate(M + round(g_M >> shift)), by the matrix's record
    """

    opcode: str
    dst: int = -1
    first: int = -1
    second: int = -1
    matrix: int = -1
    table: int = -1
    function: str = "identity"  # of a gate
    gains: tuple[int, int] = (0, 0)
    shift: int = 0
    low: int = 0
    high: int = 0
    one: int = 0
    bias: bool = True
    bias_align: int = 0
    transposed: bool = False
    case_offset: int = 0
    learning: bool = False

    @property
    def clips(self):
        """Whether a projection saturates; a carried error does not."""
        return self.low != self.high


@dataclass(frozen=True)
class IntegerLayout:
    """The slots and matrices of an integer program."""

    slots: tuple[IntegerSlot, ...]
    matrices: tuple[IntegerMatrix, ...]
    size: int


@dataclass(frozen=True)
class IntegerProgram(OpTable):
    """A program on codes, for batches of at most `batch_size` cases.

    `word` and `accumulator` are the widths, 32 or 64, in which software holds
    values and sums of products without overflow.
    """

    name: str
    layout: IntegerLayout
    ops: tuple[IntegerOp, ...]
    monitor: tuple[int, int]
    tables: tuple[TableKey, ...]
    batch_size: int
    word: int = 64
    accumulator: int = 64

    @property
    def fingerprint(self):
        """SHA-256 of everything in the program, as hex digits."""
        parts = (self.layout, self.ops, self.monitor, self.tables, self.batch_size)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def width(low, high):
    """Return how many bits hold every integer in low..high; signed if low < 0."""
    if low < 0:
        return 1 + max((-low - 1).bit_length(), high.bit_length())
    return high.bit_length()


def remainders(shift):
    """Return (lowest, highest) of what a carry leaves in g: x - 2^shift round(x / 2^shift)."""
    half = (1 << shift) >> 1
    return -half, max(half - 1, 0)
