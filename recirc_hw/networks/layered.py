"""Layers of groups, from input to output: the feed-forward network."""

from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from recirc_hw.networks.initial import Function, Group, Range, Start
from recirc_hw.networks.network import Network
from recirc_hw.programs.layout import Matrix

Layer = PositiveInt | Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


class Layered(Network):
    """Groups in layers; a case holds the input, then the target.

        y_j = f(sum_i w_ji y_i + b_j)

    `Layered(6, 2, 1)` has one group a layer. A layer given as a tuple has several:
    `Layered((24, 12), (6, 6), 12, 6, 24)` connects each input group to a group of its
    own, as the next layer has as many, then both of those to the one that follows.

    Source: Rumelhart, Hinton & Williams 1986, eqs. 1 and 2, figures 1 and 3.

    Parameters
    ----------
    sizes : int or tuple of int, one per layer
        Units of the input, hidden, and output groups; one output group.
    hidden, output : "logistic", "tanh" or "identity"
        The groups' response.
    initial_weights : "uniform" or "glorot"
        As for `Loop`.
    initial_range : float
        Half the width of the uniform start.
    """

    type: Literal["layered"] = Field(
        "layered", description="groups in layers, from input to output"
    )
    output_bias: ClassVar[str] = "drawn"
    sizes: tuple[Layer, ...] = Field(
        min_length=2,
        description="units of each layer, e.g. [6, 2, 1]; [24, 12] for a layer of two groups",
    )
    hidden: Function = Field("logistic", description="response of the hidden units")
    output: Function = Field("logistic", description="response of the output units")
    initial_weights: Start = "uniform"
    initial_range: Range = 0.5

    def __init__(self, *sizes, **fields):
        super().__init__(**({"sizes": sizes, **fields} if sizes else fields))

    @model_validator(mode="after")
    def _layers_follow(self):
        if len(self.layers[-1]) > 1:
            raise ValueError("the last layer must be one group")
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            if len(after) not in (1, len(before)):
                raise ValueError(
                    f"a layer of {len(after)} groups after one of {len(before)}: "
                    "want as many groups, or one"
                )
        return self

    @cached_property
    def layers(self):
        """The groups of each layer."""
        sizes = [size if isinstance(size, tuple) else (size,) for size in self.sizes]
        last, offset, layers = len(sizes) - 1, 0, []
        for depth, layer in enumerate(sizes):
            name = "input" if depth == 0 else "output" if depth == last else f"hidden{depth}"
            name = "hidden" if depth == 1 and last == 2 else name
            groups = []
            for i, size in enumerate(layer):
                label = f"{name}{'abcdefghijklmnopqrstuvwxyz'[i]}" if len(layer) > 1 else name
                function = ("identity", self.hidden, self.output)[(depth > 0) + (depth == last)]
                groups.append(Group(label, size, function, offset if depth == 0 else 0))
                offset += size if depth == 0 else 0
            layers.append(tuple(groups))
        return tuple(layers)

    @cached_property
    def groups(self):
        """All groups, layer by layer from the input on."""
        return tuple(group for layer in self.layers for group in layer)

    @cached_property
    def matrices(self):
        """The weight matrices in the order in which activity passes through them."""
        return tuple(
            Matrix(f"{sender}>{group.name}", group.size, size, group.function)
            for sender, size, group in self._connections()
        )

    def _connections(self):
        """Yield (name of the senders, how many, receiving group)."""
        for depth, layer in enumerate(self.layers[1:], start=1):
            before = self.layers[depth - 1]
            for i, group in enumerate(layer):
                if len(layer) == len(before):
                    yield before[i].name, before[i].size, group
                else:
                    yield _joined(before), sum(g.size for g in before), group

    @property
    def target(self):
        """The group that holds the target, of the output's size and response."""
        output = self.groups[-1]
        inputs = sum(group.size for group in self.layers[0])
        return Group("target", output.size, output.function, inputs)

    @property
    def case_groups(self):
        """The input groups, then the target."""
        return (*self.layers[0], self.target)

    @property
    def n_targets(self):
        """How many values at the end of a case are its target."""
        return self.target.size

    @property
    def code(self):
        """The narrowest hidden group, or the output where there is none."""
        hidden = [group for layer in self.layers[1:-1] for group in layer]
        return min(hidden or self.layers[-1], key=lambda group: group.size)

    def taught_pass(self, build):
        """Emit the pass from input to output; return [(target, output)]."""
        slots = [build.clamp(group) for group in self.layers[0]]
        target = build.clamp(self.target)
        for before, layer in zip(self.layers, self.layers[1:], strict=False):
            sent = slots
            if len(layer) < len(before):
                sent = [build.join(slots, _joined(before))]
            slots = [
                build.project(f"{slot.name}>{group.name}", slot, name=group.name)
                for slot, group in zip(sent, layer, strict=True)
            ]
        build.monitor(target, slots[0])
        return [(target, slots[0])]


def _joined(groups):
    """Return the name of neighbouring groups as one: that of their layer."""
    return groups[0].name[:-1] if len(groups) > 1 else groups[0].name
