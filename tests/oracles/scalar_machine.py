"""A chip with one multiplier, executed value by value, that counts what it really does.

It learns: its weights after a write are held to the reference backend's, which
proves that nothing it needs was left out of its counts. It knows nothing of the
ledger.
"""

import math
from collections import Counter
from fractions import Fraction

from recirc_hw.programs import IntegerProgram
from recirc_hw.programs.tables import entries

RESPONSES = {
    "identity": lambda x: x,
    "logistic": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
}


class Array:
    """A memory that counts its words read and written."""

    def __init__(self, machine, name, values):
        self.machine, self.name, self.values = machine, name, values

    def __getitem__(self, place):
        self.machine.count("reads", self.name)
        return self.values[place]

    def __setitem__(self, place, value):
        self.machine.count("writes", self.name)
        self.values[place] = value


class ScalarMachine:
    """One chip, one multiplier; `counts[phase, name, array]` is what it did."""

    def __init__(self, program, weights, sums, batch_size, skip_zeros=False):
        self.program, self.batch_size, self.skip_zeros = program, batch_size, skip_zeros
        self.integer = isinstance(program, IntegerProgram)
        self.counts, self.phase = Counter(), "inference"
        self.weights = [Array(self, "weights", _words(m)) for m in weights]
        self.sums = [Array(self, "sums", _words(m)) for m in sums]
        self.writes = {op.matrix for op in program.batch_ops}

    def count(self, name, array=""):
        self.counts[self.phase, name, array] += 1

    def times(self, a, b):
        self.count("multiplies")
        return a * b

    def plus(self, a, b):
        self.count("accumulates")
        return a + b

    def multiply_accumulate(self, total, a, b):
        self.count("multiply_accumulates")
        return total + a * b

    def scaled(self, x, constant):
        """Return constant x; a shift or a sign takes no multiplier."""
        if constant in (1, -1) or (self.integer and _is_power_of_two(abs(constant))):
            return x * constant
        return self.times(x, constant)

    def batch(self, cases):
        """Present the cases, then write."""
        for case in cases:
            self.case(case)
        self.phase = "learning"
        for op in self.program.batch_ops:
            if not self.writes_at_once(op.matrix):
                self.write_all(op.matrix)

    def case(self, case):
        """Run one presentation; a write at once waits for the last use of its matrix."""
        self.state = Array(self, "state", {})
        waiting = []
        ops = self.program.case_ops
        for i, op in enumerate(ops):
            self.phase = "learning" if op.learning else "inference"
            if op.opcode == "clamp":
                self.clamp(op, case)
            elif op.opcode == "correlate" and self.writes_at_once(op.matrix):
                waiting.append(op)
            else:
                getattr(self, op.opcode)(op)
            for late in list(waiting):
                used = any(
                    o.opcode == "project" and o.matrix == late.matrix for o in ops[i + 1 :]
                )
                if not used:
                    self.phase = "learning"
                    self.update_at_once(late)
                    waiting.remove(late)

    def writes_at_once(self, k):
        correlates = sum(
            op.opcode == "correlate" and op.matrix == k for op in self.program.case_ops
        )
        policy = getattr(self.program.layout.matrices[k], "policy", None)
        plain = policy is None or not (policy.momentum or policy.decay or policy.norm_cap)
        return self.batch_size == 1 and correlates == 1 and k in self.writes and plain

    def slot(self, index):
        slot = self.program.layout.slots[index]
        return range(slot.offset, slot.offset + slot.size)

    def clamp(self, op, case):
        for i, place in enumerate(self.slot(op.dst)):
            self.count("case_loads", "case")
            self.state[place] = case[op.case_offset + i]

    def project(self, op):
        matrix, source = self.weights[op.matrix], self.slot(op.first)
        for row, place in enumerate(self.slot(op.dst)):
            total = 0
            for col, pre in enumerate(source):
                value = self.state[pre]
                if self.skip_zeros and value == 0:
                    continue
                weight = matrix[(col, row) if op.transposed else (row, col)]
                total = self.multiply_accumulate(total, value, weight)
            if op.bias:
                bias = matrix[row, "bias"]
                total = self.plus(total, bias << op.bias_align if self.integer else bias)
            self.state[place] = self.response(op, total)

    def response(self, op, total):
        if not self.integer:
            if op.function != "identity":
                self.count("table_reads", "table")
            return RESPONSES[op.function](total)
        code = _half_up(total, op.shift)
        if op.clips:
            code = min(max(code, op.low), op.high)
        if op.table < 0:
            return code
        key = self.program.tables[op.table]
        self.count("accumulates" if key.form == "plan" else "table_reads",
                   "" if key.form == "plan" else "table")  # fmt: skip
        return int(entries(key)[code - op.low])

    def combine(self, op):
        first, second = op.gains
        for a, b, dst in zip(*map(self.slot, (op.first, op.second, op.dst)), strict=True):
            if first == -second:
                value = self.scaled(self.plus(self.state[a], -self.state[b]), first)
            else:
                value = self.plus(
                    self.scaled(self.state[a], first), self.scaled(self.state[b], second)
                )
            self.state[dst] = _half_up(value, op.shift) if self.integer else value

    def gate(self, op):
        for a, b, dst in zip(*map(self.slot, (op.first, op.second, op.dst)), strict=True):
            value = self.sloped(op, self.state[a], self.state[b])
            self.state[dst] = _half_up(value, op.shift) if self.integer else value

    def sloped(self, op, error, y):
        one = op.one if self.integer else 1
        if op.function == "identity":
            return error
        if op.function == "logistic":
            return self.times(error, self.times(y, self.plus(one, -y)))
        return self.times(error, self.plus(one * one, -self.times(y, y)))

    def posts(self, op):
        """Yield (row, postsynaptic value), scaled by the factor that the program gives."""
        for row, place in enumerate(self.slot(op.first)):
            post = self.state[place]
            if self.integer:
                post = self.scaled(post, op.gains[0])
            elif self.policy(op).mean and self.batch_size > 1:
                post = self.times(post, 1 / self.batch_size)
            yield row, post

    def policy(self, op):
        return self.program.layout.matrices[op.matrix].policy

    def correlate(self, op):
        g = self.sums[op.matrix]
        for row, post in self.posts(op):
            for col, place in enumerate(self.slot(op.second)):
                pre = self.state[place]
                if not (self.skip_zeros and pre == 0):
                    g[row, col] = self.multiply_accumulate(g[row, col], post, pre)
            one = post << op.bias_align if self.integer else post
            g[row, "bias"] = self.plus(g[row, "bias"], one)

    def update_at_once(self, op):
        for row, post in self.posts(op):
            for col, place in enumerate(self.slot(op.second)):
                pre = self.state[place]
                if not (self.skip_zeros and pre == 0):
                    self.update(op.matrix, (row, col), post, pre)
            self.update(op.matrix, (row, "bias"), post, None, getattr(op, "bias_align", 0))

    def update(self, k, place, post, pre, align=0):
        """Add a product to what earlier ones left, and to the weight what it can take."""
        record = self.program.layout.matrices[k]
        shift = self.shift(record, place)
        keeps = self.integer and record.rounding == "carry" and shift > 0
        left = self.sums[k][place] if keeps else 0
        if pre is None:
            g = self.plus(left, post * 2**align) if keeps else post * 2**align
        elif keeps:
            g = self.multiply_accumulate(left, post, pre)
        else:
            g = self.times(post, pre)
        self.apply(k, place, g, keeps)

    def shift(self, record, place):
        if not self.integer:
            return 0
        return record.bias_shift if place[1] == "bias" else record.shift

    def write_all(self, k):
        record = self.program.layout.matrices[k]
        for place in list(self.weights[k].values):
            keeps = not self.integer or record.rounding == "carry"
            g = self.sums[k][place]
            if not keeps:
                self.sums[k][place] = 0
            self.apply(k, place, g, keeps)
        if not self.integer and record.policy.norm_cap:
            self.cap(k, record)

    def apply(self, k, place, g, keeps):
        record = self.program.layout.matrices[k]
        if not self.integer:
            self.apply_real(record, k, place, g, keeps)
            return
        shift = self.shift(record, place)
        change = g >> shift if record.rounding == "floor" else _half_up(g, shift)
        wanted = self.plus(self.weights[k][place], change)
        kept = min(max(wanted, record.low), record.high)
        self.weights[k][place] = kept
        if keeps:
            self.sums[k][place] = g - (change << shift) if kept == wanted else 0

    def apply_real(self, record, k, place, g, stored):
        policy = record.policy
        weight = self.weights[k][place]
        if policy.decay:
            weight = self.times(weight, 1 - policy.decay)
        self.weights[k][place] = self.plus(weight, self.scaled(g, policy.rate))
        if policy.momentum:
            self.sums[k][place] = self.times(g, policy.momentum)
        elif stored:
            self.sums[k][place] = 0

    def cap(self, k, record):
        """Measure each unit's norm; the tests keep it below its cap."""
        for row in range(record.rows):
            square = 0
            for col in range(record.cols):
                weight = self.weights[k][row, col]
                square = self.multiply_accumulate(square, weight, weight)
            assert square <= record.policy.norm_cap**2


def most_alive(ops, layout, result=None):
    """Return the most words alive between two operations, by looking at each word alone."""
    events = []
    for op in ops:
        reads = [s for s in (op.first, op.second) if s >= 0]
        written = [op.dst] if op.dst >= 0 else []
        events.append((_places(layout, reads), _places(layout, written)))
    end = _places(layout, [] if result is None else [result])
    alive = [
        {
            place
            for t in range(now + 1) for place in events[t][1]
            if place in end or any(place in reads for reads, _ in events[now + 1 :])
        }
        for now in range(len(ops))
    ]  # fmt: skip
    return max(map(len, alive))


def _places(layout, slots):
    return {
        place
        for slot in slots
        for place in range(
            layout.slots[slot].offset, layout.slots[slot].offset + layout.slots[slot].size
        )
    }


def _words(matrix):
    rows, cols = matrix.shape
    names = [*range(cols - 1), "bias"]
    return {(r, names[c]): matrix[r, c].item() for r in range(rows) for c in range(cols)}


def as_rows(array, shape):
    """Return a memory's words as nested lists, the bias last."""
    names = [*range(shape[1] - 1), "bias"]
    return [[array.values[row, name] for name in names] for row in range(shape[0])]


def _half_up(x, shift):
    return (Fraction(x) / Fraction(2) ** shift + Fraction(1, 2)).__floor__()


def _is_power_of_two(x):
    return x > 0 and x & (x - 1) == 0
