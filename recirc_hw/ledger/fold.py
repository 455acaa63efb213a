"""The counts of a program: a fold over its table, one function for each operation.

The machine counted is the one a program is the state machine of: one
multiply-accumulate unit, with a register for the sum and one for the
postsynaptic value. Shifts, rounding, saturation, control, clocks and leakage
are not counted.
"""

from collections import Counter

from recirc_hw.errors import UnsupportedError
from recirc_hw.ledger.counts import Counts, Event, Memory, Tally
from recirc_hw.ledger.formats import formats_of, gain_bits
from recirc_hw.ledger.lifetimes import at_once, kept_state
from recirc_hw.programs import IntegerProgram


def fold(design, batch_size=1, busy=None, basis=""):
    """Return the tally of a design on a clocked substrate.

    Parameters
    ----------
    batch_size : int
        Presentations to a write.
    busy : list of float, or None
        How many values of each slot are not 0, on average over cases: a product
        with a presynaptic 0, and the fetch of its weight, are left out. None:
        nothing is.
    basis : str
        What `busy` was measured on.

    Raises
    ------
    UnsupportedError
        For symmetric weights, which the program holds twice.
    """
    if design.network.mirrors:
        raise UnsupportedError(
            "symmetric weights: a chip holds them once, the program twice, so its counts are "
            "not the chip's; want network.symmetric = false"
        )
    program = design.lowered(batch_size)
    walk = _Walk(program, formats_of(design, program, batch_size), batch_size, busy)
    if busy is None:
        basis = "every product is counted, also those with a presynaptic 0"
    return Tally(
        walk.case(), walk.batch(), batch_size, walk.memory(),
        "assumed" if busy is None else "measured", basis,
    )  # fmt: skip


class _Walk:
    """The fold, with what every operation needs to know."""

    def __init__(self, program, formats, batch_size, busy):
        self.program, self.formats, self.batch_size = program, formats, batch_size
        self.slots, self.matrices = program.layout.slots, program.layout.matrices
        self.integer = isinstance(program, IntegerProgram)
        self.busy = busy or [slot.size for slot in self.slots]
        self.immediate = at_once(program, batch_size)
        self.found = Counter()
        self.phase = "inference"

    def case(self):
        """Return the counts of one presentation."""
        return self._counted(self.program.case_ops)

    def batch(self):
        """Return the counts of one write."""
        return self._counted(self.program.batch_ops)

    def memory(self):
        """Return what must be stored."""
        network = [k for k, m in enumerate(self.matrices) if not m.feedback]
        feedback = [k for k, m in enumerate(self.matrices) if m.feedback]
        sums, residues = self._stored_sums()
        words, bits = kept_state(self.program, self.formats.slots, immediate=self.immediate)
        first, first_bits = kept_state(self.program, self.formats.slots, inference=True)
        carries = [op for op in self.program.case_ops if op.opcode == "project"]
        return Memory(
            *self._weights(network), words, bits, first, first_bits, *self._weights(feedback),
            *sums, residues, sum(map(_table_bits, getattr(self.program, "tables", ()))),
            sum(self._products(op) for op in carries if op.transposed),
            sum(self._products(op) for op in carries if self.matrices[op.matrix].feedback),
        )  # fmt: skip

    def _weights(self, which):
        """Return (words, bits) of some matrices."""
        words = [self.matrices[k].rows * (self.matrices[k].cols + 1) for k in which]
        bits = sum(n * self.formats.weights[k] for n, k in zip(words, which, strict=True))
        return sum(words), bits

    def _stored_sums(self):
        """Return ((words, bits) of g that are stored, bits of them kept between writes)."""
        words = bits = residues = 0
        for k in {op.matrix for op in self.program.batch_ops}:
            m, (weight, bias) = self.matrices[k], self.formats.kept[k]
            residue = m.rows * (m.cols * weight + bias)
            residues += residue
            if k not in self.immediate:
                words += m.rows * (m.cols + 1)
                bits += m.rows * (m.cols + 1) * self.formats.sums[k]
            else:
                words += m.rows * (m.cols * bool(weight) + bool(bias))
                bits += residue
        return (words, bits), residues

    def _counted(self, ops):
        self.found = Counter()
        for op in ops:
            self.phase = "learning" if op.learning or op.opcode == "write" else "inference"
            getattr(self, f"_{op.opcode}")(op)
        return Counts(self.found)

    def _count(self, name, number, *bits, array=""):
        self.found[Event(name, self.phase, array, bits, self.formats.real)] += number

    def _read(self, array, number, bits):
        self._count("reads", number, bits, array=array)

    def _write_words(self, array, number, bits):
        self._count("writes", number, bits, array=array)

    def _hard(self, gain):
        """Return whether a constant factor takes a multiplier: no 1, no shift of a code."""
        gain = abs(gain)
        return gain not in (0, 1) and not (self.integer and gain & (gain - 1) == 0)

    def _products(self, op):
        """Return how many products an operation takes, those with a presynaptic 0 left out."""
        m = self.matrices[op.matrix]
        if op.opcode == "correlate":
            return m.rows * self.busy[op.second]
        return (m.cols if op.transposed else m.rows) * self.busy[op.first]

    def _clamp(self, op):
        size, bits = self.slots[op.dst].size, self.formats.slots[op.dst]
        self._count("case_loads", size, bits, array="case")
        self._write_words("state", size, bits)

    def _project(self, op):
        weight, source = self.formats.weights[op.matrix], self.formats.slots[op.first]
        rows, bits = self.slots[op.dst].size, self.formats.slots[op.dst]
        inner = self.formats.inner[op.dst]
        self._count("multiply_accumulates", self._products(op), weight, source, inner)
        self._read("weights", self._products(op), weight)
        self._read("state", rows * self.slots[op.first].size, source)
        if op.bias:
            self._count("accumulates", rows, inner)
            self._read("weights", rows, weight)
        self._respond(op, rows, bits)
        self._write_words("state", rows, bits)

    def _respond(self, op, rows, bits):
        """Count the non-linearity: a table's entry, or the segment that PLAN adds."""
        if self.integer and op.table >= 0 and self.program.tables[op.table].form == "plan":
            self._count("accumulates", rows, bits)
        elif op.table >= 0 if self.integer else op.function != "identity":
            self._count("table_reads", rows, bits, array="table")

    def _combine(self, op):
        size, (first, second) = self.slots[op.dst].size, op.gains
        parts = [
            (slot, gain)
            for slot, gain in zip((op.first, op.second), op.gains, strict=True)
            if gain
        ]
        for slot, _ in parts:
            self._read("state", size, self.formats.slots[slot])
        for slot, gain in parts[:1] if first == -second else parts:
            if self._hard(gain):
                bits = self.formats.slots[slot]
                self._count("multiplies", size, bits, gain_bits(gain, bits))
        if len(parts) == 2:
            self._count("accumulates", size, self.formats.inner[op.dst])
        self._write_words("state", size, self.formats.slots[op.dst])

    def _gate(self, op):
        if op.function == "deadzone":
            self._ignore_small(op)
            return
        size = self.slots[op.dst].size
        error, activity = (self.formats.slots[slot] for slot in (op.first, op.second))
        self._read("state", size, error)
        self._read("state", size, activity)
        if op.function != "identity":
            slope = activity if self.formats.real else 2 * activity
            self._count("multiplies", size, activity, activity)
            self._count("accumulates", size, slope)
            self._count("multiplies", size, error, slope)
        self._write_words("state", size, self.formats.slots[op.dst])

    def _ignore_small(self, op):
        """Count a comparison of each error's size with the margin."""
        size, bits = self.slots[op.dst].size, self.formats.slots[op.dst]
        self._read("state", size, bits)
        self._count("accumulates", size, bits)
        self._write_words("state", size, bits)

    def _correlate(self, op):
        m, products = self.matrices[op.matrix], self._products(op)
        post, pre = (self.formats.slots[slot] for slot in (op.first, op.second))
        g = self.formats.sums[op.matrix]
        self._read("state", m.rows, post)
        self._read("state", m.rows * m.cols, pre)
        if self._scales(op):
            gain = op.gains[0] if self.integer else 0.0
            self._count("multiplies", m.rows, post, gain_bits(gain, post))
            post += gain_bits(gain, 0)
        if op.matrix in self.immediate:
            self._update_at_once(op.matrix, products, (post, pre, g))
            return
        self._count("multiply_accumulates", products, post, pre, g)
        self._count("accumulates", m.rows, g)
        self._read("sums", products + m.rows, g)
        self._write_words("sums", products + m.rows, g)

    def _scales(self, op):
        """Return whether a correlate's postsynaptic value is multiplied by a constant."""
        if self.integer:
            return self._hard(op.gains[0])
        policy = self.matrices[op.matrix].policy
        return policy is not None and policy.mean and self.batch_size > 1

    def _update_at_once(self, k, products, bits):
        """Count products that go into their weights, and a carry's remainder, as they arise."""
        m, (weight, bias) = self.matrices[k], self.formats.kept[k]
        self._count("multiply_accumulates" if weight else "multiplies", products,
                    *(bits if weight else bits[:2]))  # fmt: skip
        for number, width in ((products, weight), (m.rows, bias)):
            if width:
                self._read("sums", number, width)
                self._write_words("sums", number, width)
        if bias:
            self._count("accumulates", m.rows, bits[2])
        self._apply(k, products + m.rows)

    def _write(self, op):
        if op.matrix in self.immediate:
            return
        m, g = self.matrices[op.matrix], self.formats.sums[op.matrix]
        words = m.rows * (m.cols + 1)
        self._read("sums", words, g)
        self._write_words("sums", words, g)
        self._apply(op.matrix, words)

    def _apply(self, k, words):
        """Count the change of some weights by what their g says."""
        m, bits = self.matrices[k], self.formats.weights[k]
        if self.integer:
            if m.rounding == "stochastic":
                self._count("random_numbers", words, 32)
        else:
            self._scale_floats(m, words, bits)
        self._count("accumulates", words, bits)
        self._read("weights", words, bits)
        self._write_words("weights", words, bits)

    def _scale_floats(self, m, words, bits):
        """Count the products of a float's write policy; a norm that is over its cap is not."""
        factors = (self._hard(m.policy.rate), m.policy.decay > 0, m.policy.momentum > 0)
        self._count("multiplies", words * sum(factors), bits, bits)
        if m.policy.norm_cap:
            self._count("multiply_accumulates", m.rows * m.cols, bits, bits, bits)
            self._read("weights", m.rows * m.cols, bits)


def _table_bits(key):
    """Return how many bits a table's entries take; PLAN needs none."""
    if key.form == "plan":
        return 0
    return -2 * key.low * (key.activity_bits + (key.function == "tanh"))
