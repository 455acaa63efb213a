"""Exact oracles of fixed point: Python integers, which cannot overflow.

`Interpreter` walks an integer program and checks every value against the bounds
it was given. `contract_update` knows no program: it is DESIGN.md's arithmetic
contract written out for Hinton and McClelland's loop of two groups.
"""

from fractions import Fraction

from recirc_hw.programs.tables import entries
from recirc_hw.substrates.bounds import signals_of


def half_up(x, shift):
    """Return x / 2^shift to the nearest integer, ties up, by exact fractions."""
    return (Fraction(x) / Fraction(2) ** shift + Fraction(1, 2)).__floor__()


def mix32(x):
    """Return Wellons' lowbias32 of x."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) % 2**32
    x = ((x ^ (x >> 15)) * 0x846CA68B) % 2**32
    return x ^ (x >> 16)


def rounding_key(seed, step, matrix):
    key = 20
    for word in (seed, seed >> 32, step, step >> 32, matrix):
        key = mix32(((key ^ (word % 2**32)) + 0x9E3779B9) % 2**32)
    return key


def rounded(g, shift, rounding, key, index):
    """Return g / 2^shift as an integer, by exact fractions."""
    exact = Fraction(g, 2**shift)
    if rounding == "floor":
        return exact.__floor__()
    if rounding == "half_even":
        return round(exact)
    if rounding == "stochastic":
        bits = mix32((key + index * 0x9E3779B9) % 2**32)
        r = (bits * 2**shift) // 2**32
        return (Fraction(g + r, 2**shift)).__floor__()
    return half_up(g, shift)


class Slots:
    """What slots hold, place by place, since some name values of others."""

    def __init__(self, records):
        self.records, self.values = records, {}

    def write(self, slot, codes):
        start = self.records[slot].offset
        self.values.update(enumerate(codes, start))

    def __getitem__(self, slot):
        record = self.records[slot]
        return [self.values[i] for i in range(record.offset, record.offset + record.size)]


class Interpreter:
    """One chip running an integer program, in Python integers."""

    def __init__(self, program, weights, sums, seed, step=0):
        self.program = program
        self.weights = [matrix.tolist() for matrix in weights]
        self.sums = [matrix.tolist() for matrix in sums]
        self.seed, self.step = seed, step
        self.counters = [[0, 0, 0, 0] for _ in weights]
        self.widths = {}
        for signal in signals_of(program):
            bits = self.widths.get(signal.name, 0)
            self.widths[signal.name] = max(bits, signal.signed_bits)

    def fits(self, name, values):
        """Require values to fit the width that is stated for a signal."""
        rail = 2 ** (self.widths[name] - 1)
        assert all(-rail <= value < rail for value in values), (name, self.widths[name])

    def batch(self, cases):
        """Run the cases, add their products, and write."""
        for case in cases:
            self.learn(self.compute(case.tolist()))
        for op in self.program.batch_ops:
            self.write(op.matrix)
        self.step += 1

    def compute(self, case):
        """Return the slots' codes of one case."""
        slots = Slots(self.program.layout.slots)
        for op in self.program.case_ops:
            if op.opcode == "correlate":
                continue
            codes = getattr(self, op.opcode)(op, slots, case)
            record = self.program.layout.slots[op.dst]
            assert all(record.low <= code <= record.high for code in codes), record
            slots.write(op.dst, codes)
        return slots

    def clamp(self, op, slots, case):
        size = self.program.layout.slots[op.dst].size
        return case[op.case_offset : op.case_offset + size]

    def project(self, op, slots, case):
        rows, source = self.weights[op.matrix], slots[op.first]
        if op.transposed:
            columns = list(zip(*rows, strict=True))[:-1]
            totals = [sum(w * e for w, e in zip(c, source, strict=True)) for c in columns]
        else:
            totals = [sum(w * y for w, y in zip(r[:-1], source, strict=True)) for r in rows]
            if op.bias:
                totals = [
                    t + r[-1] * 2**op.bias_align for t, r in zip(totals, rows, strict=True)
                ]
        self.fits(f"sum into {self.program.layout.slots[op.dst].name}", totals)
        rail = 2 ** (self.program.accumulator - 1)
        assert all(-rail <= t < rail for t in totals)
        codes = [half_up(t, op.shift) for t in totals]
        if op.low != op.high:
            self.counters[op.matrix][1] += sum(not op.low <= c <= op.high for c in codes)
            codes = [min(max(c, op.low), op.high) for c in codes]
        if op.table >= 0:
            table = entries(self.program.tables[op.table]).tolist()
            codes = [table[c - op.low] for c in codes]
        return codes

    def combine(self, op, slots, case):
        pairs = zip(slots[op.first], slots[op.second], strict=True)
        return [half_up(op.gains[0] * a + op.gains[1] * b, op.shift) for a, b in pairs]

    def gate(self, op, slots, case):
        slopes = {
            "logistic": lambda y: y * (op.one - y),
            "tanh": lambda y: op.one**2 - y * y,
            "identity": lambda y: 1,
        }
        pairs = zip(slots[op.first], slots[op.second], strict=True)
        return [half_up(e * slopes[op.function](y), op.shift) for e, y in pairs]

    def learn(self, slots):
        for op in self.program.case_ops:
            if op.opcode == "correlate":
                pre = [*slots[op.second], 2**op.bias_align]
                for row, post in zip(self.sums[op.matrix], slots[op.first], strict=True):
                    for j, y in enumerate(pre):
                        row[j] += op.gains[0] * post * y
                    self.fits(f"sum for {self.program.layout.matrices[op.matrix].name}", row)

    def write(self, k):
        matrix = self.program.layout.matrices[k]
        key = rounding_key(self.seed, self.step, k)
        for i, (weights, sums) in enumerate(zip(self.weights[k], self.sums[k], strict=True)):
            for j, g in enumerate(sums):
                shift = matrix.shift if j < matrix.cols else matrix.bias_shift
                change = rounded(g, shift, matrix.rounding, key, j * matrix.rows + i)
                self.fits(f"update of {matrix.name}", [change])
                wanted = weights[j] + change
                weights[j] = min(max(wanted, matrix.low), matrix.high)
                hit = weights[j] != wanted
                self.counters[k][0] += hit
                if matrix.rounding == "carry":
                    sums[j] = 0 if hit else g - change * 2**shift
                else:
                    self.counters[k][2] += g != 0
                    self.counters[k][3] += g != 0 and change == 0
                    sums[j] = 0


def contract_update(A, B, gA, gB, cases, table, *, bits, fraction, activity, k, rate_log2):  # noqa: N803
    """Do one batch of H&M's rule (CCRCC, wide, carry, one format) on A and B in place.

    A, gA: hidden x (visible + 1); B, gB: visible x (hidden + 1); lists of lists.
    The table has 5 fraction bits and is symmetric about the middle.
    """
    one, half_table = 2**activity, len(table) // 2

    def unit(row, y):
        total = sum(w * c for w, c in zip(row[:-1], y, strict=True)) + row[-1] * one
        index = half_up(total, fraction + activity - 5)
        return table[min(max(index, -half_table), half_table - 1) + half_table]

    def blend(old, new):
        return old + half_up(new - old, k)

    for v in cases:
        h = [unit(row, v) for row in A]
        out = [unit(row, h) for row in B]
        v2 = [blend(a, b) for a, b in zip(v, out, strict=True)]
        h2 = [unit(row, v2) for row in A]
        for i in range(len(v)):
            for j, y in enumerate([*h, one]):
                gB[i][j] += (v[i] - out[i]) * y
        for i in range(len(h)):
            for j, y in enumerate([*v2, one]):
                gA[i][j] += (h[i] - h2[i]) * y
    shift = 2 * activity + k - fraction - rate_log2
    for weights, sums in ((A, gA), (B, gB)):
        for row, g in zip(weights, sums, strict=True):
            for j in range(len(row)):
                change = half_up(g[j], shift)
                wanted = row[j] + change
                row[j] = min(max(wanted, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)
                g[j] = g[j] - change * 2**shift if row[j] == wanted else 0
