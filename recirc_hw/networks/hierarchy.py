"""Modules of closed loops, the hidden groups of some being the visible group of the next."""

from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from recirc_hw.networks.initial import Function, Group, Range, Start
from recirc_hw.networks.network import Network
from recirc_hw.programs.layout import Matrix

Leaf = tuple[PositiveInt, PositiveInt]
Upper = Annotated[tuple[NonNegativeInt, ...], Field(min_length=2)]


class Hierarchy(Network):
    """A tree of modules, each a visible and a hidden group in a closed loop.

        up:    h_m = f(A_m v_m),   v_m the case, or [h_i, h_j, ...] of the modules below
        down:  v_m = f(B_m h_m),   whose parts are the h of the modules below

    `Hierarchy(leaves=[(16, 12), (16, 12)], upper=[(12, 0, 1)])` has two modules 16-12
    on the case, and one 24-12 on their hidden groups, as in the paper's figure. A pass
    up to the top and down again is one trip; what comes back is its end.

    Source: Hinton & McClelland 1988, "Using a hierarchy of closed loops", figure 4.

    Parameters
    ----------
    leaves : tuple of (visible units, hidden units)
        The modules on the case, from its first value on.
    upper : tuple of (hidden units, module, module, ...)
        The others and the modules below them, counted from 0, leaves first. Every
        module but the last is below just one other.
    response : "logistic", "tanh" or "identity"
        Of all units.
    initial_weights, initial_range : as for `Loop`
    """

    type: Literal["hierarchy"] = Field(
        "hierarchy", description="loops on a case, and loops on their hidden groups"
    )
    output_bias: ClassVar[str] = "drawn"
    leaves: tuple[Leaf, ...] = Field(
        min_length=1, description="modules on the case: [visible, hidden] units of each"
    )
    upper: tuple[Upper, ...] = Field(
        (), description="the others: [hidden units, modules below, counted from 0]"
    )
    response: Function = Field("logistic", description="response of all units")
    initial_weights: Start = "uniform"
    initial_range: Range = 0.5

    @model_validator(mode="after")
    def _a_tree(self):
        below = [module for upper in self.upper for module in upper[1:]]
        count = len(self.leaves) + len(self.upper)
        for number, upper in enumerate(self.upper, start=len(self.leaves)):
            if upper[0] < 1 or any(module >= number for module in upper[1:]):
                raise ValueError(
                    f"upper module {number} = {list(upper)}: want hidden units, then modules "
                    f"in 0..{number - 1}"
                )
        if sorted(below) != list(range(count - 1)):
            raise ValueError(
                f"modules below others are {below}: want each of 0..{count - 2} once"
            )
        return self

    @cached_property
    def sizes(self):
        """The (visible, hidden) units of every module, leaves first."""
        sizes = list(self.leaves)
        for hidden, *below in self.upper:
            sizes.append((sum(sizes[module][1] for module in below), hidden))
        return tuple(sizes)

    @cached_property
    def groups(self):
        """The visible groups of the leaves, then the hidden group of every module."""
        groups, offset = [], 0
        for number, (visible, _) in enumerate(self.leaves, start=1):
            groups.append(Group(f"visible{number}", visible, self.response, offset))
            offset += visible
        return (
            *groups,
            *(Group(f"hidden{n}", h, self.response) for n, (_, h) in enumerate(self.sizes, 1)),
        )

    @cached_property
    def matrices(self):
        """The weight matrices, up and down for each module."""
        return tuple(
            matrix
            for number, (visible, hidden) in enumerate(self.sizes, start=1)
            for matrix in (
                Matrix(f"visible{number}>hidden{number}", hidden, visible, self.response),
                Matrix(f"hidden{number}>visible{number}", visible, hidden, self.response),
            )
        )

    @property
    def case_groups(self):
        """The visible groups of the leaves."""
        return self.groups[: len(self.leaves)]

    @property
    def target(self):
        """All visible units of the leaves."""
        return Group("visible", self.case_size, self.response)

    @property
    def code(self):
        """The hidden group of the top module."""
        return self.groups[-1]

    def _below(self, module):
        """Return the modules whose hidden groups are a module's visible group."""
        return self.upper[module - len(self.leaves)][1:] if module >= len(self.leaves) else ()

    def taught_pass(self, build):
        """Emit a trip, up and down; return [(visible, output)]."""
        case, _ = self._trip(build)
        return [case]

    def rings(self, build):
        """Emit a trip; return each module's (matrices, [visible, hidden, output])."""
        _, rings = self._trip(build)
        found = []
        with build.learning():
            for module, (visible, hidden, output) in enumerate(rings):
                up, down = self.matrices[2 * module : 2 * module + 2]
                if output is None:
                    output = build.project(down.name, hidden, name=f"output of {module + 1}")
                found.append(((up, down), [visible, hidden, output]))
        return found

    def _trip(self, build):
        """Emit a trip; return ((case, output), each module's visible, hidden, output)."""
        clamps = [build.clamp(group) for group in self.groups[: len(self.leaves)]]
        case = build.join(clamps, "visible")
        top, visible, hidden = len(self.sizes) - 1, dict(enumerate(clamps)), {}
        self._climb(build, [top], visible, hidden)
        answers = {top: self._answer(build, top, hidden[top])}
        self._descend(build, top, answers)
        output = build.join([answers[leaf] for leaf in range(len(self.leaves))], "output")
        build.monitor(case, output)
        # Only the top module's answer is to its own hidden group; learning needs them all.
        rings = [(visible[m], hidden[m], answers[m] if m == top else None)
                 for m in range(len(self.sizes))]  # fmt: skip
        return (case, output), rings

    def _climb(self, build, modules, visible, hidden):
        """Emit the hidden groups of neighbouring modules, after all below them.

        They come one right after the other, to lie side by side for the next module.
        """
        for module in modules:
            below = self._below(module)
            if below:
                self._climb(build, below, visible, hidden)
                joined = [hidden[b] for b in below]
                visible[module] = build.join(joined, f"visible{module + 1}")
        for module in modules:
            name = f"visible{module + 1}>hidden{module + 1}"
            hidden[module] = build.project(name, visible[module])

    def _answer(self, build, module, hidden):
        """Emit what a module's visible group gets back from its hidden group."""
        name = f"hidden{module + 1}>visible{module + 1}"
        return build.project(name, hidden, name=f"visible{module + 1} again")

    def _descend(self, build, module, answers):
        """Emit the way down; the leaves' answers come last and side by side."""
        queue, ends = [module], {}
        while queue:
            above = queue.pop(0)
            start = 0
            for below in self._below(above):
                size = self.sizes[below][1]
                name = f"hidden{below + 1} again"
                ends[below] = build.part(answers[above], start, size, name)
                start += size
                if self._below(below):
                    answers[below] = self._answer(build, below, ends[below])
                    queue.append(below)
        for leaf in range(len(self.leaves)):
            if leaf in ends:
                answers[leaf] = self._answer(build, leaf, ends[leaf])
