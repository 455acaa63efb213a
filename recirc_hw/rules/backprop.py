"""Backpropagation: errors return through the transposed weights."""

from typing import ClassVar, Literal

from pydantic import Field

from recirc_hw.programs.layout import overlap
from recirc_hw.rules.rule import Loss, Rates, Rule


class Backprop(Rule):
    """Descend the gradient of the error, back through every projection of a network.

        e_L = I - O_L,   e_h = f_h' * (A_(h+1)^T e_(h+1)),   dA_h = rate e_h O_(h-1)^T

    Projections are taken in the reverse of their order; errors that meet at a group
    are added, and so are the changes of a matrix that is used more than once.

    Source: Baldi & Sadowski 2018, eqs. 6 to 8; Hinton & McClelland 1988, eq. 7;
    Rumelhart, Hinton & Williams 1986, eqs. 4 to 9.

    Parameters
    ----------
    loss : "matched" or "squared"
        "matched": cross-entropy for logistic outputs, squared error for linear
        ones, so that e_L is the plain error. "squared": half the squared error,
        whatever the output units; e_L is gated by their slope.
    tolerance : float
        Errors of an output unit up to this size count as none (RHW: 0.2).
    """

    type: Literal["backprop"] = Field(
        "backprop", description="errors return through the transposed weights"
    )
    networks: ClassVar[tuple[str, ...] | None] = None
    learning_rate: Rates = 1.0
    loss: Loss = "matched"
    tolerance: float = Field(
        0.0, ge=0, lt=1, description="errors of an output unit up to this size count as none"
    )

    def emit(self, build, network):
        """Emit the forward pass, then each projection's correlate and the error's way back."""
        taught = network.taught_pass(build)
        forward = build.projections
        with build.learning():
            changes = [self._output_error(build, forward, *pair) for pair in taught]
            carried = []
            for matrix, sent, response, function in reversed(forward):
                error = _gathered(build, response, carried)
                if error is not None and function != "identity":
                    error = build.gate(error, response, function)
                error = _gathered(build, response, changes, error)
                if error is None:
                    continue
                build.correlate(matrix, error, sent)
                if any(overlap(sent, earlier) for _, _, earlier, _ in forward):
                    name = f"error at {sent.name}"
                    back = build.carry(matrix, error, transposed=True, name=name)
                    carried.append((sent, back))
            used = {matrix for matrix, *_ in forward}
            build.write(*(m.name for m in network.matrices if m.name in used))

    def _output_error(self, build, forward, target, output):
        """Emit the change that an output's total input should see; return both slots."""
        error = build.subtract(target, output, name="error")
        if self.tolerance:
            error = build.ignore_small(error, self.tolerance)
        function = next(f for _, _, response, f in forward if overlap(response, output))
        if self.loss == "squared" and function != "identity":
            error = build.gate(error, output, function)
        return output, error


def _gathered(build, slot, errors, total=None):
    """Emit the sum of the errors at a slot's units, on top of `total`; None for none."""
    for where, error in errors:
        if not overlap(where, slot):
            continue
        if where.offset <= slot.offset and slot.offset + slot.size <= where.offset + where.size:
            name = f"error at {slot.name}"
            error = build.part(error, slot.offset - where.offset, slot.size, name)
        else:
            error = _embedded(build, slot, where, error)
        total = error if total is None else build.add(total, error)
    return total


def _embedded(build, slot, where, error):
    """Emit an error of some of a slot's units as one of all, 0 for the others."""
    before = where.offset - slot.offset
    after = slot.size - before - where.size
    # Views first: what is emitted after them must lie side by side.
    rests = [
        build.part(slot, start, size, f"{slot.name} untaught") if size else None
        for start, size in ((0, before), (slot.size - after, after))
    ]
    pieces = [build.subtract(rests[0], rests[0], name="no error")] if before else []
    pieces.append(build.blend(error, error, 1.0, name=f"{error.name} here"))
    if after:
        pieces.append(build.subtract(rests[1], rests[1], name="no error"))
    return build.join(pieces, f"error at {slot.name}")
