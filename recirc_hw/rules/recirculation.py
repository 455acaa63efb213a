"""Recirculation: the network's own output goes round the loop again."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from recirc_hw.rules.rule import Rates, Rule

Share = Annotated[float, Field(ge=0, lt=1)]


class Recirculation(Rule):
    """Learn from the difference between an earlier and a later pass round the loop.

        O_0(t) = lambda O_0(t-1) + (1 - lambda) O_L(t-1)
        dA_h = rate (O_h(0) - O_h(1)) O_(h-1)^T,    h = 1..L

    Each unit uses only its own activity at two times and that of its senders.

    Source: Hinton & McClelland 1988, eqs. 3 to 6; Baldi & Sadowski 2018, eq. 23,
    tables 1 to 4 and section 4.2.

    Parameters
    ----------
    combine : "PR", "CCR", "RCC", "CCRCC" or "RWCC"
        What units remember of the pass before: nothing (PR); every unit, but the
        plain output is sent round (CCR); the visible units only (RCC); visible
        units, and hidden ones that send on their plain response (CCRCC); all
        units, each sending what it holds (RWCC).
    regression : float in 0..1
        lambda, the share of the earlier activity that a unit keeps.
    hidden_regression : float in 0..1, or None
        The same for hidden units; None for the same value.
    cycles : int, or pair of int
        n compares the first pass with the n-th recirculation (the output weights
        always learn from the first, as B&S train them in their section 7.3);
        (n, m) with n >= 1 compares the n-th with the m-th in every group (eq. 51).
    presynaptic : "first" or "second"
        Whose activity enters the product: of the earlier pass (B&S) or of the
        later one (H&M, eq. 4). Weights into the visible group take the earlier one.
    apply_visible_rule_twice : bool
        The modified procedure that H&M propose on their page 364: the visible
        rule also on the second pass.
    """

    type: Literal["recirculation"] = Field(
        "recirculation", description="learns from the difference between two passes"
    )
    networks: ClassVar[tuple[str, ...] | None] = ("loop", "hierarchy")
    learning_rate: Rates = 20.0
    combine: Literal["PR", "CCR", "RCC", "CCRCC", "RWCC"] = Field(
        "CCRCC",
        description="what units remember of the pass before: PR, CCR, RCC, CCRCC or RWCC",
    )
    regression: Share = Field(
        0.75, description="lambda: share of the earlier activity that a unit keeps"
    )
    hidden_regression: Share | None = Field(
        None, description="lambda of the hidden units, where it differs"
    )
    cycles: PositiveInt | tuple[NonNegativeInt, PositiveInt] = Field(
        1, description="recirculations before the comparison; [n, m] compares two of them"
    )
    presynaptic: Literal["first", "second"] = Field(
        "second", description="whose activity enters the product: first or second pass"
    )
    apply_visible_rule_twice: bool = Field(
        False, description="Hinton and McClelland's modified procedure"
    )

    @model_validator(mode="after")
    def _cycles_in_order(self):
        if isinstance(self.cycles, tuple) and self.cycles[0] >= self.cycles[1]:
            raise ValueError(f"cycles {self.cycles} must name an earlier and a later cycle")
        return self

    def emit(self, build, network):
        """Emit the passes, then one correlate per matrix from their differences."""
        rings = network.rings(build)
        with build.learning():
            for matrices, slots in rings:
                self._learn(build, matrices, slots)
            build.write(*(matrix.name for matrix in network.matrices))

    def _learn(self, build, matrices, slots):
        """Emit the later passes round one ring, and what its matrices learn."""
        first, last = self.cycles if isinstance(self.cycles, tuple) else (0, self.cycles)
        *held, output = slots
        passes = [held]
        for _ in range(last):
            held, sent = self._recirculate(build, matrices, passes[-1], output)
            passes.append(held)
            if len(passes) <= last:
                output = build.project(matrices[-1].name, sent, name="output")
        early, late = passes[first], passes[last]
        reconstructed = passes[1] if first == 0 else late
        self._correlate_visible(build, matrices, early, reconstructed[0])
        if self.apply_visible_rule_twice:
            returned = build.project(matrices[-1].name, late[-1], name="output")
            self._correlate_visible(build, matrices, late, self._hold(build, late[0], returned))
        self._correlate_hidden(build, matrices, early, late)

    def _recirculate(self, build, matrices, before, output):
        """Emit one more pass; return what each group now holds, and what is sent on."""
        visible = self._hold(build, before[0], output)
        held, sent = [visible], output if self.combine == "CCR" else visible
        for matrix, earlier in zip(matrices, before[1:], strict=False):
            held.append(build.project(matrix.name, sent))
            sent = held[-1]
            if self.combine not in ("PR", "RCC"):
                held[-1] = self._remember(build, earlier, sent, hidden=True)
            if self.combine == "RWCC":
                sent = held[-1]
        return held, sent

    def _hold(self, build, earlier, output):
        """Emit what the visible units hold of an output that comes back to them."""
        return output if self.combine == "PR" else self._remember(build, earlier, output)

    def _remember(self, build, earlier, now, *, hidden=False):
        """Emit a unit's memory: lambda earlier + (1 - lambda) now."""
        share = self.regression
        if hidden and self.hidden_regression is not None:
            share = self.hidden_regression
        return build.blend(earlier, now, share) if share else now

    def _correlate_visible(self, build, matrices, early, reconstruction):
        """Emit H&M eq. 3: the weights into the visible group."""
        change = build.subtract(early[0], reconstruction)
        build.correlate(matrices[-1].name, change, early[-1])

    def _correlate_hidden(self, build, matrices, early, late):
        """Emit H&M eq. 4, or B&S eq. 23, for the weights into each hidden group."""
        senders = late if self.presynaptic == "second" else early
        for h, matrix in enumerate(matrices[:-1], start=1):
            change = build.subtract(early[h], late[h])
            build.correlate(matrix.name, change, senders[h - 1])
