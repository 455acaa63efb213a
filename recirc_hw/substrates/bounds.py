"""Static bounds: how far every signal of an integer program can go, and its width."""

from dataclasses import asdict, dataclass, replace

from recirc_hw.errors import DesignError, nearest
from recirc_hw.programs.integer import remainders, width
from recirc_hw.programs.layout import sharing
from recirc_hw.programs.tables import extremes
from recirc_hw.text_tables import counted

WORDS = (32, 64)
LEAST_BLOCK = 4  # products that must fit one 32-bit word for 32-bit kernels to pay


@dataclass(frozen=True)
class Signal:
    """One signal's bounds; `kind` is value, accumulator, sum, update or step."""

    name: str
    kind: str
    low: int
    high: int
    limit: str  # what bounds it

    @property
    def bits(self):
        """How wide it must be; signed if it can be negative."""
        return width(self.low, self.high)

    @property
    def signed_bits(self):
        """How wide a signed word must be to hold it."""
        return width(min(self.low, -1), self.high)


@dataclass(frozen=True)
class Widths:
    """Every signal of a design, what bounds it, and the constants as realised."""

    signals: tuple[Signal, ...]
    notes: tuple[str, ...]
    batch_size: int  # cases at most, of which g is the sum

    def __getitem__(self, name):
        for signal in self.signals:
            if signal.name == name:
                return signal
        names = [signal.name for signal in self.signals]
        raise KeyError(f"no signal {name!r}{nearest(name, names)}")

    def record(self):
        """Return everything as plain values that JSON takes."""
        signals = [asdict(s) | {"bits": s.bits, "signed": s.low < 0} for s in self.signals]
        return {
            "batch_size": self.batch_size, "signals": signals, "notes": list(self.notes),
        }  # fmt: skip

    def __str__(self):
        """Return the table as people read it."""
        head = f"for batches of {counted(self.batch_size, 'case')}:"
        rows = [("signal", "bits", "low", "high", "limited by")]
        rows += [
            (s.name, f"{'s' if s.low < 0 else 'u'}{s.bits}", str(s.low), str(s.high), s.limit)
            for s in self.signals if s.kind != "step"
        ]  # fmt: skip
        wide = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            f"{r[0]:{wide[0]}}  {r[1]:>{wide[1]}}  {r[2]:>{wide[2]}}  {r[3]:>{wide[3]}}  {r[4]}"
            for r in rows
        ]
        return "\n".join([head, *lines, *self.notes])


def settled(program, substrate):
    """Return the program with its slots' bounds and the words that hold every signal.

    Raises
    ------
    DesignError
        Where a signal needs more bits than were declared, or than 64.
    """
    walk = _Walk(program)
    signals = walk.run()
    _refuse_overflow(signals, substrate)
    bounds = [walk.reach(i) for i in range(len(program.layout.slots))]
    kept = tuple(
        replace(slot, low=low, high=high)
        for slot, (low, high) in zip(program.layout.slots, bounds, strict=True)
    )
    word, accumulator = _words(signals)
    return replace(
        program, layout=replace(program.layout, slots=kept), word=word, accumulator=accumulator
    )


def signals_of(program):
    """Return the signals of an integer program, in the order they arise."""
    return tuple(_Walk(program).run())


def _words(signals):
    """Return (word, accumulator) in bits: what holds the values, and the sums of products."""
    values = max(s.signed_bits for s in signals if s.kind != "accumulator")
    sums = max((s.signed_bits for s in signals if s.kind == "accumulator"), default=1)
    products = max(
        (max(s.high, -s.low) for s in signals if s.name.startswith("product")), default=1
    )
    word = 32 if values <= 32 and products * LEAST_BLOCK < 2**31 else 64
    return word, 32 if word == 32 and sums <= 32 else 64


def _span(signal):
    """Return "low..high", as powers of two where the digits would say nothing."""
    if signal.signed_bits <= 64:
        return f"{signal.low}..{signal.high}"
    return f"about {'-' if signal.low < 0 else ''}2^{signal.signed_bits - 1}"


def _refuse_overflow(signals, substrate):
    """Refuse signals wider than declared, or than any word."""
    declared = {
        "accumulator": ("accumulator_bits", substrate.accumulator_bits),
        "sum": ("sum_bits", substrate.sum_bits),
    }
    for signal in signals:
        field, bits = declared.get(signal.kind, ("", None))
        if bits is not None and signal.signed_bits > bits:
            raise TooWideError(
                f"FixedPoint.{field} = {bits}: {signal.name} reaches {_span(signal)} "
                f"({signal.limit}) and needs {signal.signed_bits} bits"
            )
        if signal.signed_bits > 64:
            raise TooWideError(
                f"{signal.name} reaches {_span(signal)} ({signal.limit}) and needs "
                f"{signal.signed_bits} bits, 64 at most"
            )


class TooWideError(DesignError):
    """A format, a constant or a bound is out of reach: another one would do."""


class _Walk:
    """Interval arithmetic over the table, one operation after another."""

    def __init__(self, program):
        self.program, self.layout = program, program.layout
        self.slots, self.signals = {}, []
        self.sums = {}

    def run(self):
        """Return the signals, in the order they arise."""
        for op in self.program.case_ops:
            getattr(self, f"_{op.opcode}")(op)
        for k, matrix in enumerate(self.layout.matrices):
            self._note(
                f"weight {matrix.name}", "value", (matrix.low, matrix.high), "its format"
            )
            if k in self.sums:
                self._write(k, matrix)
        return self.signals

    def reach(self, index):
        """Return (low, high) of a slot: its own, or of all the values that it names."""
        if index in self.slots:
            return self.slots[index]
        named = sharing(self.layout.slots, index)
        found = [self.slots[i] for i in named if i in self.slots] or [(0, 0)]
        return min(low for low, _ in found), max(high for _, high in found)

    def _note(self, name, kind, interval, limit):
        self.signals.append(Signal(name, kind, *interval, limit))
        return interval

    def _set(self, op, interval, limit):
        self.slots[op.dst] = interval
        self._note(self.layout.slots[op.dst].name, "value", interval, limit)

    def _clamp(self, op):
        self._set(op, (op.low, op.high), "the activity's format")

    def _project(self, op):
        matrix, name = self.layout.matrices[op.matrix], self.layout.slots[op.dst].name
        count = matrix.rows if op.transposed else matrix.cols
        weight = (matrix.low, matrix.high)
        product = _times(weight, self.reach(op.first))
        total = (count * min(product[0], 0), count * max(product[1], 0))
        if op.bias:
            total = _plus(total, _times(weight, (0, 1 << op.bias_align)))
        products = counted(count, "product")
        self._note(f"product into {name}", "step", product, f"one of {products}")
        limit = products + (" and a bias" if op.bias else "")
        self._note(f"sum into {name}", "accumulator", total, limit)
        rounded = self._rounded(f"sum into {name}, rounded", total, op.shift, "accumulator")
        if op.table >= 0:
            self._set(op, extremes(self.program.tables[op.table]), "the table")
        elif op.clips:
            inside = (max(op.low, rounded[0]), min(op.high, rounded[1]))
            self._set(op, inside, limit if inside == rounded else "saturation")
        else:
            self._set(op, rounded, limit)

    def _combine(self, op):
        gains = [(gain, gain) for gain in op.gains]
        parts = [
            _times(g, self.reach(s)) for g, s in zip(gains, (op.first, op.second), strict=True)
        ]
        name = self.layout.slots[op.dst].name
        total = self._note(f"parts of {name}", "step", _plus(*parts), "its two inputs")
        self._set(
            op, self._rounded(f"{name}, rounded", total, op.shift, "step"), "its two inputs"
        )

    def _gate(self, op):
        name = self.layout.slots[op.dst].name
        slope = {"logistic": op.one**2 // 4, "tanh": op.one**2, "identity": 1}[op.function]
        product = _times(self.reach(op.first), (0, slope))
        self._note(f"product of {name}", "step", product, "error times slope")
        rounded = self._rounded(f"{name}, rounded", product, op.shift, "step")
        self._set(op, rounded, "error times slope")

    def _correlate(self, op):
        post = _times((op.gains[0], op.gains[0]), self.reach(op.first))
        name = self.layout.matrices[op.matrix].name
        self._note(f"post side of {name}", "step", post, "difference times rate factor")
        pre = self.reach(op.second)
        each = _times(post, (min(pre[0], 0), max(pre[1], 1 << op.bias_align)))
        count = self.program.batch_size
        low, high = self.sums.get(op.matrix, (0, 0))
        self.sums[op.matrix] = (low + count * min(each[0], 0), high + count * max(each[1], 0))

    def _write(self, k, matrix):
        """Note the sum g, the sum with what rounding adds, and the update of a matrix."""
        most = max(matrix.shift, matrix.bias_shift)
        step = 1 << most
        low, high = self.sums[k]
        limit = counted(self.program.batch_size, "case")
        if matrix.rounding == "carry":
            left = remainders(most)
            low, high = low + left[0], high + left[1]
            limit += " and the remainder carried"
        self._note(f"sum for {matrix.name}", "sum", (low, high), limit)
        self._note(f"sum for {matrix.name}, rounded", "step", (low - step, high + step), limit)
        least = min(matrix.shift, matrix.bias_shift)
        update = ((low >> least) - 1, (high >> least) + 1)
        self._note(f"update of {matrix.name}", "update", update, f"the sum, shifted by {least}")
        written = (update[0] + matrix.low, update[1] + matrix.high)
        self._note(f"{matrix.name} before saturation", "step", written, "weight and update")

    def _rounded(self, name, interval, shift, kind):
        """Return an interval shifted right, noting what the rounding adds on the way."""
        if shift <= 0:
            shifted = (interval[0] << -shift, interval[1] << -shift)
            return self._note(name, "step" if kind == "step" else kind, shifted, "a shift up")
        half = 1 << (shift - 1)
        self._note(name, kind, (interval[0], interval[1] + half), "rounding half up")
        return ((interval[0] + half) >> shift, (interval[1] + half) >> shift)


def _times(first, second):
    """Return the interval of products."""
    corners = [a * b for a in first for b in second]
    return min(corners), max(corners)


def _plus(first, second):
    """Return the interval of sums."""
    return first[0] + second[0], first[1] + second[1]
