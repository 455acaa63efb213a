"""The fixed-point substrate: every signal an integer code of a stated format."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from recirc_hw.errors import DesignError
from recirc_hw.programs import FixedState
from recirc_hw.programs.tables import LARGEST, digest, table_key
from recirc_hw.substrates.bounds import Widths, signals_of
from recirc_hw.substrates.codes import Coded
from recirc_hw.substrates.lowering import lowered
from recirc_hw.substrates.notes import bias_cautions, notes_of

WeightBits = Annotated[int, Field(ge=2, le=32)]
Fraction = Annotated[int, Field(ge=-16, le=31)]
SumBits = Annotated[int, Field(ge=2, le=64)]

# Bits more than these take an effect of few bits away, as far as any task has shown.
RANGE_BITS, FINE_BITS, FINE_TABLE = 4, 8, 8


@dataclass(frozen=True)
class Unit:
    """The codes of a unit's activity: low..high, of which `one` stands for 1."""

    one: int
    low: int
    high: int


class FixedPoint(Coded):
    """Signed weights, activities and sums of few bits, as docs/arithmetic.md says.

    Fields that name weights take one number, or one per weight matrix in the order
    of the network.

    Parameters
    ----------
    weight_bits : int, 2..32
    weight_fraction_bits : int
        At most weight_bits - 1, and may be negative; weights reach
        2^(weight_bits - 1 - weight_fraction_bits).
    bias_fraction_bits : int, or None for that of the weights
    activity_bits : int, 2..16
    identity_integer_bits : int
        Identity units saturate at 2^identity_integer_bits; others end at 1.
    rounding : "floor", "half_up", "half_even", "stochastic" or "carry"
        Of weight updates. "carry" keeps the remainder in the sum.
    wide : bool
        Whether differences are taken before the blend rounds them.
    rate_bits : int
        Bits of the whole number that, times a power of two, is the learning
        rate; 1 for a power of two alone.
    activation : "table" or "plan"
    table_fraction_bits, table_integer_bits : int
        Bits of the table's index; None for as many integer bits as reach the rail.
    table_sha256 : str, or None
        Refuse the design unless each table it uses has this digest (one, or several).
    error_fraction_bits : int, or None for activity_bits + 4
        Of errors that other weights carry (backprop and random feedback).
    error_integer_bits : int, or None for as many as the bounds ask
        Such errors saturate at 2^error_integer_bits. Where they go back through many
        layers or steps the bounds ask for more than 64 bits, and this is needed.
    accumulator_bits, sum_bits : int, or None for as many as the bounds ask
        Refuse the design where a sum of products, or a batch's weight change g,
        could need more.
    """

    type: Literal["fixed_point"] = Field(
        "fixed_point", description="integer codes of few bits, as docs/arithmetic.md says"
    )
    weight_bits: WeightBits | tuple[WeightBits, ...] = Field(
        8, description="bits of a weight; one number, or one per weight matrix"
    )
    weight_fraction_bits: Fraction | tuple[Fraction, ...] = Field(
        3, description="of them after the binary point; may be negative"
    )
    bias_fraction_bits: Fraction | tuple[Fraction, ...] | None = Field(
        None, description="the same for biases, where they differ"
    )
    activity_bits: int = Field(8, ge=2, le=16, description="bits of a unit's activity")
    identity_integer_bits: int = Field(
        2, ge=0, le=8, description="identity units saturate at 2 to this power"
    )
    rounding: Literal["floor", "half_up", "half_even", "stochastic", "carry"] = Field(
        "carry", description="of weight changes: floor, half_up, half_even, stochastic or carry"
    )
    wide: bool = Field(
        True, description="whether differences are taken before the blend rounds them"
    )
    rate_bits: int = Field(
        8,
        ge=1,
        le=16,
        description="bits of the learning rate's whole number; 1: a power of two",
    )
    activation: Literal["table", "plan"] = Field(
        "table", description="table of samples, or plan: piecewise linear"
    )
    table_fraction_bits: int = Field(
        5, ge=0, le=12, description="fraction bits of the table's index"
    )
    table_integer_bits: Annotated[int, Field(ge=1, le=12)] | None = Field(
        None, description="its integer bits; not given: as many as reach the rail"
    )
    table_sha256: str | tuple[str, ...] | None = Field(
        None, description="the digest that each table must have"
    )
    error_fraction_bits: Annotated[int, Field(ge=0, le=30)] | None = Field(
        None, description="fraction bits of errors that other weights carry"
    )
    error_integer_bits: Annotated[int, Field(ge=0, le=30)] | None = Field(
        None, description="they saturate at 2 to this power; not given: they cannot overflow"
    )
    accumulator_bits: SumBits | None = Field(
        None, description="bits of the adder for sums of products"
    )
    sum_bits: SumBits | None = Field(
        None, description="bits in which a batch's weight change is summed up"
    )

    def effects(self):
        """Return the effects of few bits, each with the format that takes it away."""
        index = self.table_integer_bits or LARGEST - FINE_TABLE
        fine = max(self.table_fraction_bits, min(FINE_TABLE, LARGEST - index))
        # A piecewise response is tabled for every activity: 2^(activity_bits + 4) entries.
        activity = 16 if self.activation == "table" else max(self.activity_bits, LARGEST - 4)
        off = {
            "weight range": self._wider(RANGE_BITS, 0),
            "weight resolution": self._wider(FINE_BITS, FINE_BITS),
            "weight rounding": {"rounding": "carry"},
            "activity bits": {"activity_bits": activity},
            "narrow path": {"wide": True},
            "rate bits": {"rate_bits": 16},
            "piecewise response": {"activation": "table"},
            "table steps": {"table_fraction_bits": fine},
        }
        if self.activation == "plan":
            del off["table steps"]  # the table is not in use
        return {
            name: fields for name, fields in off.items()
            if any(getattr(self, field) != value for field, value in fields.items())
        }  # fmt: skip

    def without(self, *names):
        """Return a copy in which these effects are turned off; see `Substrate`."""
        both = {"weight range", "weight resolution"}
        fewer = super().without(*names)
        if not both <= set(names):
            return fewer
        return fewer.replace(**self._wider(RANGE_BITS + FINE_BITS, FINE_BITS))

    def _wider(self, bits, fraction):
        """Return the weights' formats with more bits, of which `fraction` of fraction."""
        longest = max(self.weight_format(k)[0] for k in range(self.n_formats))
        bits, fraction = (min(more, 32 - longest) for more in (bits, fraction))
        added = {"weight_bits": bits, "weight_fraction_bits": fraction}
        if self.bias_fraction_bits is not None:
            added["bias_fraction_bits"] = fraction
        return {name: _plus(getattr(self, name), more) for name, more in added.items()}

    @model_validator(mode="after")
    def _formats_possible(self):
        if self.error_integer_bits == self.error_fraction == 0:
            raise ValueError(
                "error_integer_bits = 0 and error_fraction_bits = 0 leave errors no code but "
                "0; want one bit or more"
            )
        if self.table_sha256 == ():
            raise ValueError(
                "table_sha256 = (): want one digest or more; leave it out to take any table"
            )
        for k in range(self.n_formats):
            bits, fraction, bias = self.weight_format(k)
            for name, value in (
                ("weight_fraction_bits", fraction),
                ("bias_fraction_bits", bias),
            ):
                if value > bits - 1:
                    raise ValueError(
                        f"{name} = {value} leaves no sign bit in a weight of {bits} bits; "
                        f"allowed are -16..{bits - 1}"
                    )
        return self

    @property
    def n_formats(self):
        """How many weight formats are given apart; 1 where all matrices share one."""
        fields = (self.weight_bits, self.weight_fraction_bits, self.bias_fraction_bits)
        counts = {len(field) for field in fields if isinstance(field, tuple)}
        if len(counts) > 1 or 0 in counts:
            raise ValueError(f"weight formats are given for {sorted(counts)} matrices")
        return counts.pop() if counts else 1

    def weight_format(self, k):
        """Return (bits, fraction bits, the bias's fraction bits) of the k-th matrix."""
        bits, fraction = _of(self.weight_bits, k), _of(self.weight_fraction_bits, k)
        bias = fraction if self.bias_fraction_bits is None else _of(self.bias_fraction_bits, k)
        return bits, fraction, bias

    @property
    def error_fraction(self):
        """Fraction bits of errors that weights carry."""
        return (
            self.activity_bits + 4
            if self.error_fraction_bits is None
            else self.error_fraction_bits
        )

    @property
    def error_rail(self):
        """The largest code of such an error; 0 where the bounds alone hold it."""
        if self.error_integer_bits is None:
            return 0
        return (1 << (self.error_integer_bits + self.error_fraction)) - 1

    @property
    def dtype(self):
        """The NumPy type of weights: the narrowest that holds them all."""
        bits = self.weight_bits if isinstance(self.weight_bits, tuple) else (self.weight_bits,)
        return np.dtype(next(f"int{size}" for size in (8, 16, 32) if max(bits) <= size))

    @property
    def keeps_remainders(self):
        """Whether what a training leaves in the sums belongs to the chip's state."""
        return self.rounding == "carry"

    @property
    def margin(self):
        """Half a code: how far outputs are kept from 0 and 1 in a cross-entropy."""
        return 0.5 / (1 << self.activity_bits)

    def unit(self, function):
        """Return the codes of units with a response function."""
        one = 1 << self.activity_bits
        if function == "logistic":
            return Unit(one - 1, 0, one - 1)
        if function == "tanh":
            return Unit(one - 1, 1 - one, one - 1)
        rail = (one << self.identity_integer_bits) - 1
        return Unit(one, -rail, rail)

    def table(self, function):
        """Return the key of the table that a response function uses."""
        return table_key(
            function, self.activation, self.activity_bits,
            self.table_fraction_bits, self.table_integer_bits,
        )  # fmt: skip

    def lower(self, rule, network, batch_size=1):
        """Return the integer program that a chip runs; see `lowered`."""
        count = len(network.matrices)
        if self.n_formats not in (1, count):
            raise DesignError(
                f"FixedPoint gives {self.n_formats} weight formats for {count} weight matrices"
            )
        found = lowered(rule.compile(network), network, self, batch_size)
        self._check_tables(found)
        return found

    def start_cautions(self, biases, matrix, function):
        """Return the warning of a bias beyond its format; see `notes.bias_cautions`."""
        if function == "identity":
            reach = 2.0**self.identity_integer_bits
        else:
            key = self.table(function)
            reach = -key.low * 2.0**-key.fraction_bits
        return bias_cautions(biases, matrix, function, self.activity_bits, reach)

    def body(self, seeds, program):
        """Return what chips have besides weights: random keys and counters."""
        return FixedState.start(seeds, len(program.layout.matrices))

    def widths(self, rule, network, batch_size=1):
        """Return every signal's bounds and width, and the constants as realised.

        Parameters
        ----------
        rule, network : of the design
        batch_size : int
            Cases of a batch at most; g is their sum.

        Returns
        -------
        Widths; bounds are in codes, widths in bits

        Raises
        ------
        DesignError, UnsupportedError
            Where the design cannot be lowered; see `lowered`.
        """
        program = rule.compile(network)
        found = self.lower(rule, network, batch_size)
        notes = notes_of(program, found, self.rate_bits)
        return Widths(signals_of(found), tuple(notes), batch_size)

    def _check_tables(self, program):
        """Refuse a table that is not the one the design was made for."""
        wanted = self.table_sha256
        if wanted is None:
            return
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for key in program.tables:
            if digest(key) not in wanted:
                raise DesignError(
                    f"table_sha256: the {key.function} table's SHA-256 is {digest(key)}, "
                    f"the design wants {' or '.join(wanted)}"
                )


def _of(field, k):
    """Return the k-th value of a field that gives one for all, or one per matrix."""
    if not isinstance(field, tuple):
        return field
    return field[min(k, len(field) - 1)]


def _plus(field, more):
    """Return the values of a field that gives one for all, or one per matrix, plus `more`."""
    if isinstance(field, tuple):
        return tuple(value + more for value in field)
    return field + more
