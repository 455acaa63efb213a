"""The builder: rules call its methods, one per primitive, and a program comes out."""

import math
from contextlib import contextmanager
from dataclasses import replace
from numbers import Real

from recirc_hw.errors import DesignError, nearest
from recirc_hw.programs.layout import Layout, Matrix, Slot
from recirc_hw.programs.table import RESPONSES, Op, Program


class Builder:
    """Collect operations over a network's groups and matrices.

    Every method that computes returns the slot it wrote, to be handed to later
    methods. Sizes are checked as the program grows, so that a rule that does
    not fit its network is refused here and not in a backend.

    Parameters
    ----------
    network : a network, with `groups` and `matrices`
    """

    def __init__(self, network):
        self.network = network
        self._matrices = {matrix.name: matrix for matrix in network.matrices}
        self._slots, self._ops = [], []
        self._size = 0
        self._learning = False
        self._monitor = None

    @contextmanager
    def learning(self):
        """Mark the operations inside as done for learning, not for inference."""
        self._learning, before = True, self._learning
        yield
        self._learning = before

    def slot(self, name, size):
        """Reserve a new slot of `size` values; a name already taken gets primes."""
        self._slots.append(Slot(self._untaken(name), self._size, size))
        self._size += size
        return self._slots[-1]

    def _untaken(self, name):
        """Return a slot's name, with as many primes as make it new."""
        taken = {slot.name for slot in self._slots}
        while name in taken:
            name += "'"
        return name

    def feedback(self, name, rows, cols, function="identity"):
        """Add a matrix that carries errors only; random and fixed unless written.

        One that is named "M feedback" goes with the network's matrix M: it has M's rate
        and, on a fixed-point chip, M's weight format. Any other has no rate, and the
        format of the first matrix.
        """
        if name in self._matrices:
            raise DesignError(f"feedback matrix '{name}': the network has one of that name")
        self._matrices[name] = Matrix(name, rows, cols, function, feedback=True)
        return name

    def clamp(self, group, name=None):
        """slot <- the part of the case that `group` is given."""
        end, size = group.case_offset + group.size, self.network.case_size
        if not 0 <= group.case_offset < end <= size:
            raise DesignError(
                f"clamp '{group.name}': values {group.case_offset}..{end} of a case, "
                f"which has {size}"
            )
        slot = self.slot(name or group.name, group.size)
        return self._emit("clamp", slot, case_offset=group.case_offset)

    def project(self, matrix, source, *, function=None, bias=True, name=None):
        """slot <- f(M source + b), the response of the units that M leads to."""
        record = self._matrix(matrix)
        self._match(f"project through '{matrix}'", record.cols, source.size)
        function = _known(record.function if function is None else function)
        slot = self.slot(name or matrix.split(">")[-1], record.rows)
        return self._emit("project", slot, source, matrix=matrix, function=function, bias=bias)

    def carry(self, matrix, error, *, transposed=False, name=None):
        """slot <- M error, or M^T error: an error carried by weights, no bias, no f."""
        record = self._matrix(matrix)
        rows, cols = (record.cols, record.rows) if transposed else (record.rows, record.cols)
        self._match(f"carry by '{matrix}'", cols, error.size)
        slot = self.slot(name or f"error at {matrix.split('>')[0]}", rows)
        return self._emit(
            "project",
            slot,
            error,
            matrix=matrix,
            bias=False,
            transposed=transposed,
            carries=True,
        )

    def blend(self, first, second, share, *, name=None):
        """slot <- share first + (1 - share) second, the memory of a leaky unit.

        `share` is in 0..1.
        """
        self._match("blend", first.size, second.size)
        share = _number("blend: share", share, 0.0, 1.0)
        slot = self.slot(name or f"{second.name} blended", first.size)
        return self._emit("combine", slot, first, second, gains=(share, 1.0 - share))

    def subtract(self, first, second, gain=1.0, *, name=None):
        """slot <- gain (first - second), with any finite gain."""
        self._match("subtract", first.size, second.size)
        gain = _number("subtract: gain", gain, -math.inf, math.inf)
        slot = self.slot(name or f"{first.name} change", first.size)
        return self._emit("combine", slot, first, second, gains=(gain, -gain))

    def add(self, first, second, *, name=None):
        """slot <- first + second, two errors that meet at one group."""
        self._match("add", first.size, second.size)
        slot = self.slot(name or first.name, first.size)
        return self._emit("combine", slot, first, second, gains=(1.0, 1.0))

    def join(self, slots, name):
        """Name neighbouring slots, in the order they were made, as one; emits nothing."""
        ends = [slot.offset + slot.size for slot in slots]
        if any(end != slot.offset for end, slot in zip(ends, slots[1:], strict=False)):
            names = ", ".join(slot.name for slot in slots)
            raise DesignError(f"join {names}: they must lie side by side, made in this order")
        return self._view(name, slots[0].offset, ends[-1] - slots[0].offset)

    def part(self, slot, start, size, name):
        """Name `size` values of a slot, from `start` on; emits nothing."""
        if not 0 <= start <= start + size <= slot.size:
            raise DesignError(
                f"part {start}..{start + size} of '{slot.name}': it holds {slot.size} values"
            )
        return self._view(name, slot.offset + start, size)

    def _view(self, name, offset, size):
        """Return a slot over values that others hold already."""
        for slot in self._slots:
            if (slot.offset, slot.size) == (offset, size):
                return slot
        self._slots.append(Slot(self._untaken(name), offset, size))
        return self._slots[-1]

    def gate(self, error, activity, function, *, name=None):
        """slot <- error * f'(activity), the slope told from the unit's own output."""
        self._match("gate", error.size, activity.size)
        slot = self.slot(name or f"{error.name} gated", error.size)
        return self._emit("gate", slot, error, activity, function=_known(function))

    def ignore_small(self, error, margin, *, name=None):
        """slot <- error where it is larger than `margin` in size, else 0."""
        slot = self.slot(name or f"{error.name} beyond {margin:g}", error.size)
        return self._emit("gate", slot, error, error, function="deadzone", gains=(margin, 0.0))

    def correlate(self, matrix, post, pre):
        """g_M += post (x) pre, and the bias likewise with a presynaptic 1."""
        record = self._matrix(matrix)
        self._match(f"correlate for '{matrix}', post", record.rows, post.size)
        self._match(f"correlate for '{matrix}', pre", record.cols, pre.size)
        self._emit("correlate", None, post, pre, matrix=matrix)
        if matrix in self.network.mirrors:
            self._correlate_mirror(self.network.mirrors[matrix], post, pre)

    def _correlate_mirror(self, mirror, post, pre):
        """Add the same to the transposed copy of a physical weight, but nothing to its bias."""
        self._emit("correlate", None, pre, post, matrix=mirror)
        silence = self.subtract(post, post, name="silence")
        less = self._emit("combine", self.slot(f"less {pre.name}", pre.size), pre, pre,
                          gains=(-1.0, 0.0))  # fmt: skip
        self._emit("correlate", None, less, silence, matrix=mirror)

    def write(self, *matrices):
        """M <- M + rate g_M for each matrix, once per batch; its mirror as well."""
        mirrors = [self.network.mirrors[m] for m in matrices if m in self.network.mirrors]
        for matrix in dict.fromkeys((*matrices, *mirrors)):
            self._matrix(matrix)
            index = list(self._matrices).index(matrix)
            if not any(op.opcode == "write" and op.matrix == index for op in self._ops):
                self._emit("write", None, matrix=matrix)

    @property
    def projections(self):
        """The projections so far, in order: (matrix, what was sent, the response, f).

        Those without a bias are left out: rests, and errors on their way.
        """
        names = list(self._matrices)
        return [
            (names[op.matrix], self._slots[op.first], self._slots[op.dst], op.function)
            for op in self._ops
            if op.opcode == "project" and op.bias
        ]

    def monitor(self, target, output):
        """Name the two slots whose difference is the reconstruction error."""
        self._match("monitor", target.size, output.size)
        self._monitor = (self._slots.index(target), self._slots.index(output))

    def program(self, name, policies=None):
        """Return what was built, with the write policy of each matrix by its name."""
        if self._monitor is None:
            raise DesignError(f"{name}: no monitor(target, output) names the error")
        written = {op.matrix for op in self._ops if op.opcode == "write"}
        matrices = tuple(
            replace(matrix, policy=(policies or {}).get(matrix.name) if i in written else None)
            for i, matrix in enumerate(self._matrices.values())
        )
        layout = Layout(tuple(self._slots), matrices, self._size)
        writes = [op for op in self._ops if op.opcode == "write"]
        others = [op for op in self._ops if op.opcode != "write"]
        return Program(name, layout, tuple(others + writes), self._monitor)

    def _matrix(self, name):
        if name not in self._matrices:
            raise DesignError(
                f"no matrix '{name}'{nearest(name, self._matrices)}; "
                f"this network has {', '.join(self._matrices)}"
            )
        return self._matrices[name]

    def _match(self, what, wanted, given):
        if wanted != given:
            raise DesignError(f"{what}: {wanted} values are wanted, the slot holds {given}")

    def _position(self, slot):
        if slot is None:
            return -1
        if slot not in self._slots:
            raise DesignError(f"slot '{slot.name}' is not of this builder")
        return self._slots.index(slot)

    def _emit(self, opcode, dst, first=None, second=None, *, matrix=None, **fields):
        self._ops.append(
            Op(
                opcode,
                dst=self._position(dst),
                first=self._position(first),
                second=self._position(second),
                matrix=-1 if matrix is None else list(self._matrices).index(matrix),
                learning=self._learning,
                **fields,
            )
        )
        return dst


def _number(what, value, low, high):
    """Return a constant of an operation as a float, once it proves finite and in range."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        allowed = "a finite number" if low == -math.inf else f"a number in {low:g}..{high:g}"
        raise DesignError(f"{what} = {value!r}: want {allowed}")
    return float(value)


def _known(function):
    """Return the name of a unit's response, once it proves to be one."""
    if function not in RESPONSES:
        raise DesignError(
            f"unit function '{function}' is unknown{nearest(function, RESPONSES)}; "
            f"known are {', '.join(RESPONSES)}"
        )
    return function
