"""Lowering: the one pass from a program on reals to a program on integer codes.

It alone knows formats; every backend and every export consumes its integers.
"""

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from recirc_hw.errors import DesignError, UnsupportedError
from recirc_hw.programs.integer import (
    IntegerLayout,
    IntegerMatrix,
    IntegerOp,
    IntegerProgram,
    IntegerSlot,
)
from recirc_hw.programs.layout import sharing
from recirc_hw.programs.passes import is_blend, widened, with_shares
from recirc_hw.programs.tables import LARGEST
from recirc_hw.substrates.advice import advice, alike
from recirc_hw.substrates.bounds import TooWideError, settled
from recirc_hw.substrates.constants import SHARE_BITS, memory_share, nearest_constant

LARGEST_SHIFT = 62


@lru_cache(maxsize=256)
def lowered(program, network, substrate, batch_size):
    """Return the integer program of a design, for batches of `batch_size` cases.

    Raises
    ------
    UnsupportedError
        For what no fixed-point chip here does: symmetric weights, tolerances, momentum,
        weight decay, norm caps.
    DesignError
        Where a constant is out of reach or a signal could overflow; it names the
        signal, its bound, and the format that would do.
    """
    _refuse_unsupported(program, network)
    try:
        return _attempt(program, network, substrate, batch_size)
    except TooWideError as error:
        reason, advise = str(error), advice
    except _UnlikeError as error:
        reason, advise = str(error), alike

    def accepts(program, substrate):
        try:
            _attempt(program, network, substrate, batch_size)
        except DesignError:
            return False
        return True

    raise DesignError(reason + advise(program, substrate, accepts))


def _attempt(program, network, substrate, batch_size):
    """Return the integer program, or refuse it without advice."""
    program = with_shares(program, realised_share)
    if substrate.wide:
        program = widened(program)
    return settled(_Lowering(program, network, substrate, batch_size).run(), substrate)


def _refuse_unsupported(program, network):
    """Refuse networks, operations and policies that are not lowered."""
    if network.mirrors:
        raise UnsupportedError(
            "symmetric weights on a fixed-point chip: its two copies of one weight would be "
            "rounded apart; the ideal substrate has them"
        )
    if any(op.function == "deadzone" for op in program.ops):
        raise UnsupportedError(
            f"{program.name}: an error's tolerance on a fixed-point chip has no format; the "
            "ideal substrate has it"
        )
    for matrix in program.layout.matrices:
        for field, what in (
            ("momentum", "momentum"), ("decay", "weight_decay"), ("norm_cap", "norm_cap"),
        ):  # fmt: skip
            if matrix.policy is not None and getattr(matrix.policy, field):
                raise UnsupportedError(
                    f"rule.{what} = {getattr(matrix.policy, field):g} on a fixed-point chip: "
                    "it would need a multiplier at every weight; the ideal substrate has it"
                )


def realised_share(share):
    """Return 1 - regression as the chip has it, exactly as a float."""
    constant = memory_share(share)
    if constant is None or constant.exponent < -15:
        raise DesignError(
            f"regression = {share:g}: a chip keeps 1 - 2^-k (k up to 15) or n/{2**SHARE_BITS} "
            f"of an activity, such as {1 - 2.0**-SHARE_BITS:g} or {1 - 2.0**-9:g}"
        )
    return constant.value


class _UnlikeError(DesignError):
    """Values that lie side by side in one slot have different fraction bits."""


class _Lowering:
    """The pass, with the fraction bits of every slot seen so far."""

    def __init__(self, program, network, substrate, batch_size):
        self.program, self.network = program, network
        self.substrate, self.batch_size = substrate, batch_size
        self.matrices = [self._matrix(matrix) for matrix in program.layout.matrices]
        self.fractions, self.ones, self.tables = {}, {}, []

    def run(self):
        """Return the integer program, its widths not yet settled."""
        ops = [getattr(self, f"_{op.opcode}")(op) for op in self.program.case_ops]
        ops = self._scaled_correlates(ops)
        ops += [
            IntegerOp("write", matrix=op.matrix, learning=True) for op in self.program.batch_ops
        ]
        slots = tuple(
            IntegerSlot(slot.name, slot.offset, slot.size, *self._format(i))
            for i, slot in enumerate(self.program.layout.slots)
        )
        layout = IntegerLayout(slots, tuple(self.matrices), self.program.layout.size)
        return IntegerProgram(
            self.program.name, layout, tuple(ops), self.program.monitor,
            tuple(self.tables), self.batch_size,
        )  # fmt: skip

    def _format(self, index):
        """Return (fraction bits, one) of a slot: its own, or of the values that it names.

        Codes of nothing, the source of a learned start, have the activity's.
        """
        if index in self.fractions:
            return self.fractions[index], self.ones[index]
        slots = self.program.layout.slots
        named = [i for i in sharing(slots, index) if i in self.fractions]
        if not named:
            fraction = 0 if slots[index].size else self.substrate.activity_bits
            return fraction, 1 << fraction
        fractions = {self.fractions[i] for i in named}
        if len(fractions) > 1:
            names = ", ".join(f"{slots[i].name} of {self.fractions[i]}" for i in named)
            raise _UnlikeError(
                f"'{slots[index].name}' joins values of different fraction bits: {names}"
            )
        fraction, ones = fractions.pop(), {self.ones[i] for i in named}
        return fraction, ones.pop() if len(ones) == 1 else 1 << fraction

    def _fraction(self, index):
        """Return a slot's fraction bits; see `_format`."""
        return self._format(index)[0]

    def _matrix(self, matrix):
        """Return a matrix with its formats.

        Feedback has those of the matrix it is named after, else of the first.
        """
        names = [m.name for m in self.network.matrices]
        known = matrix.name.removesuffix(" feedback")
        which = names.index(known) if known in names else 0
        bits, fraction, bias = self.substrate.weight_format(which)
        return IntegerMatrix(
            matrix.name, matrix.rows, matrix.cols, bits, fraction, bias, matrix.feedback,
            rounding=self.substrate.rounding,
        )  # fmt: skip

    def _result(self, op, fraction, one=None, **fields):
        """Return the integer operation for `op`, and note the format of what it writes."""
        if fraction < 0:
            raise ValueError(f"slot of {fraction} fraction bits")
        self.fractions[op.dst], self.ones[op.dst] = fraction, one or 1 << fraction
        return IntegerOp(
            op.opcode, op.dst, op.first, op.second, op.matrix, learning=op.learning, **fields
        )

    def _clamp(self, op):
        group = next(
            g for g in self.network.case_groups
            if g.case_offset <= op.case_offset < g.case_offset + g.size
        )  # fmt: skip
        unit = self.substrate.unit(group.function)
        return self._result(
            op, self.substrate.activity_bits, unit.one,
            low=unit.low, high=unit.high, case_offset=op.case_offset,
        )  # fmt: skip

    def _project(self, op):
        matrix, source = self.matrices[op.matrix], self._fraction(op.first)
        total = matrix.fraction_bits + source
        fields = {
            "bias": op.bias,
            "bias_align": total - matrix.bias_fraction_bits if op.bias else 0,
            "transposed": op.transposed,
        }
        if fields["bias_align"] < 0:
            raise DesignError(
                f"bias_fraction_bits = {matrix.bias_fraction_bits} of '{matrix.name}': the sum "
                f"has {total} fraction bits, the bias may have no more"
            )
        if op.carries:
            kept, rail = self.substrate.error_fraction, self.substrate.error_rail
            fields |= {"low": -rail, "high": rail}
            return self._result(op, kept, shift=total - kept, **fields)
        unit = self.substrate.unit(op.function)
        if op.function == "identity":
            kept = self.substrate.activity_bits
            return self._result(
                op, kept, unit.one, shift=total - kept, low=unit.low, high=unit.high, **fields
            )
        key = self.substrate.table(op.function)
        if key.fraction_bits + key.integer_bits > LARGEST:
            raise TooWideError(
                f"the {op.function} {key.form} would have "
                f"2^{key.fraction_bits + key.integer_bits} entries, 2^{LARGEST} at most"
            )
        if key not in self.tables:
            self.tables.append(key)
        return self._result(
            op, self.substrate.activity_bits, unit.one, shift=total - key.fraction_bits,
            table=self.tables.index(key), low=key.low, high=-key.low - 1, **fields,
        )  # fmt: skip

    def _combine(self, op):
        (first, one), (second, other) = self._format(op.first), self._format(op.second)
        fraction = max(first, second)
        up = (1 << (fraction - first), 1 << (fraction - second))
        if is_blend(op):
            taken = Fraction(op.gains[1])
            parts = (taken.denominator - taken.numerator, taken.numerator)
            return self._result(
                op, fraction, one if one == other else None,
                gains=(parts[0] * up[0], parts[1] * up[1]),
                shift=taken.denominator.bit_length() - 1,
            )  # fmt: skip
        if op.mnemonic == "add":
            return self._result(op, fraction, gains=up)
        gain = nearest_constant(abs(op.gains[0]), SHARE_BITS)
        factor = gain.factor if op.gains[0] >= 0 else -gain.factor
        factor <<= max(0, gain.exponent - fraction)
        return self._result(
            op, max(0, fraction - gain.exponent), gains=(factor * up[0], -factor * up[1])
        )

    def _gate(self, op):
        error, activity = self._fraction(op.first), self._fraction(op.second)
        kept = self.substrate.error_fraction
        slope = 0 if op.function == "identity" else 2 * activity
        gated = self._result(op, kept, shift=error + slope - kept, function=op.function)
        return replace(gated, one=1 << activity)

    def _correlate(self, op):
        return IntegerOp(
            "correlate", first=op.first, second=op.second, matrix=op.matrix,
            bias_align=self._fraction(op.second), learning=op.learning,
        )  # fmt: skip

    def _scaled_correlates(self, ops):
        """Return the operations, those on one matrix agreeing in their fraction bits.

        The rate is factor 2^exponent; the factor multiplies the postsynaptic
        value, 2^exponent goes into the shift of the write:
        shift = frac(post) + frac(pre) - frac(w) - exponent.
        """
        for k, matrix in enumerate(self.program.layout.matrices):
            mine = [
                i for i, op in enumerate(ops) if op.opcode == "correlate" and op.matrix == k
            ]
            if not mine:
                continue
            summed = [
                self._fraction(ops[i].first) + self._fraction(ops[i].second) for i in mine
            ]
            rate, gain = self._settle_write(k, matrix.policy, max(summed))
            for i, fraction in zip(mine, summed, strict=True):
                up = 1 << (max(summed) - fraction)
                ops[i] = replace(ops[i], gains=(rate.factor * gain * up, 0))
        return ops

    def _settle_write(self, k, policy, fraction):
        """Set the shifts of matrix k's write; return its rate and what lifts them to 0."""
        matrix = self.matrices[k]
        wanted = policy.rate / (self.batch_size if policy.mean else 1) if policy else 0.0
        rate = nearest_constant(wanted, self.substrate.rate_bits)
        least = fraction - rate.exponent
        shifts = (least - matrix.fraction_bits, least - matrix.bias_fraction_bits)
        lift = max(0, -min(shifts))
        if max(lift, max(shifts) + lift) > LARGEST_SHIFT:
            way = f"down by {max(shifts)}" if not lift else f"up by {lift}"
            raise TooWideError(
                f"learning rate {wanted:g} on '{matrix.name}': its sums would be shifted "
                f"{way} bits before they reach a weight of {matrix.fraction_bits} fraction "
                f"bits, {LARGEST_SHIFT} at most"
            )
        self.matrices[k] = replace(
            matrix, written=policy is not None, rate=rate.value,
            shift=shifts[0] + lift, bias_shift=shifts[1] + lift,
        )  # fmt: skip
        return rate, 1 << lift
