"""The closed loop of groups: the circular autoencoder."""

from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import Field, PositiveInt, model_validator

from recirc_hw.networks.initial import Function, Group, Range, Start
from recirc_hw.networks.network import Network
from recirc_hw.programs.layout import Matrix


class Loop(Network):
    """Groups of units in a ring, closed on the visible group.

        O_h = f_h(A_h O_(h-1) + a_h),   h = 1..L,   O_0 = O_L = the visible group

    `Loop(784, 20)` is the circular autoencoder A*[784, 20, 784] and
    `Loop(784, 100, 20, 100)` the deep one. Matrices are named "source>target"
    and listed in the order in which activity passes through them.

    Source: Hinton & McClelland 1988, figure 2; Baldi & Sadowski 2018, eq. 5.

    Parameters
    ----------
    n_visible, *n_hidden : int
        Units in the visible group, and in each hidden group round the ring.
    visible, hidden : "logistic", "tanh" or "identity"
        The groups' response; `hidden` may give one per hidden group.
    initial_weights : "uniform" or "glorot"
        "uniform": weights and biases in +-initial_range (H&M). "glorot": weights
        in +-sqrt(6 / (rows + columns)), biases 0 (B&S).
    initial_range : float
        Half the width of the uniform start.
    symmetric : bool
        Whether one physical weight serves both ways between the visible and the one
        hidden group (B&S, appendix A); its two matrices are equal and learn as one. The
        weight takes what both directions ask, so a rule's rate counts half: it learns
        the mean. At the full rate most 4-2-4 encoders fail. Biases are the units' own,
        and learn at half the rate, too.
    output_bias : "drawn" or "data_mean"
        "data_mean" starts training with the biases into the visible group at
        the mean of the training cases (its logit for logistic units, its
        artanh for tanh units).
    """

    type: Literal["loop"] = Field(
        "loop", description="groups of units in a ring, closed on the visible group"
    )
    n_visible: PositiveInt = Field(
        description="units of the visible group: as many as a case has values"
    )
    n_hidden: tuple[PositiveInt, ...] = Field(
        min_length=1,
        description="units of each hidden group round the ring, e.g. [100, 20, 100]",
    )
    visible: Function = Field(
        "logistic", description="response of the visible units: logistic, tanh or identity"
    )
    hidden: Function | tuple[Function, ...] = Field(
        "logistic", description="response of the hidden units; one for all, or a list"
    )
    initial_weights: Start = "uniform"
    initial_range: Range = 0.5
    symmetric: bool = Field(False, description="whether one physical weight serves both ways")
    output_bias: Literal["drawn", "data_mean"] = Field(
        "drawn", description="drawn like the weights; or data_mean, the mean of the cases"
    )

    def __init__(self, *sizes, **fields):
        if sizes:
            fields = {"n_visible": sizes[0], "n_hidden": sizes[1:], **fields}
        super().__init__(**fields)

    @model_validator(mode="after")
    def _one_function_per_hidden_group(self):
        if isinstance(self.hidden, tuple) and len(self.hidden) != len(self.n_hidden):
            raise ValueError(
                f"hidden gives {len(self.hidden)} functions "
                f"for {len(self.n_hidden)} hidden groups"
            )
        if self.symmetric and len(self.n_hidden) > 1:
            raise ValueError("symmetric weights: want one hidden group")
        return self

    @cached_property
    def groups(self):
        """The groups round the ring, the visible one first."""
        functions = self.hidden
        if isinstance(functions, str):
            functions = (functions,) * len(self.n_hidden)
        alone = len(self.n_hidden) == 1
        hidden = [
            Group("hidden" if alone else f"hidden{i}", size, function)
            for i, (size, function) in enumerate(
                zip(self.n_hidden, functions, strict=True), start=1
            )
        ]
        return (Group("visible", self.n_visible, self.visible), *hidden)

    @cached_property
    def matrices(self):
        """The weight matrices in the order in which activity passes through them."""
        groups = self.groups
        pairs = zip(groups, (*groups[1:], groups[0]), strict=True)
        return tuple(
            Matrix(f"{source.name}>{target.name}", target.size, source.size, target.function)
            for source, target in pairs
        )

    @property
    def case_groups(self):
        """The visible group."""
        return self.groups[:1]

    @property
    def target(self):
        """The group whose units are compared with the case."""
        return self.groups[0]

    @property
    def code(self):
        """The narrowest hidden group, the first of several."""
        return self.groups[1 + self.n_hidden.index(min(self.n_hidden))]

    @cached_property
    def mirrors(self):
        """Which matrix is the transpose of which, and the same physical weights."""
        if not self.symmetric:
            return {}
        up, down = (matrix.name for matrix in self.matrices)
        return {up: down, down: up}

    def pass_round(self, build, activity):
        """Emit one pass round the loop; return [activity, hidden..., output].

        O_h = f_h(A_h O_(h-1) + a_h). Source: Baldi & Sadowski 2018, eq. 5.
        """
        slots = [activity]
        for matrix in self.matrices:
            target = matrix.name.split(">")[1]
            name = "output" if target == "visible" else target
            slots.append(build.project(matrix.name, slots[-1], name=name))
        return slots

    def first_pass(self, build):
        """Emit the clamp and the first pass; their error is what `monitor` names."""
        slots = self.pass_round(build, build.clamp(self.groups[0]))
        build.monitor(slots[0], slots[-1])
        return slots

    def rings(self, build):
        """Emit the first pass; return the one ring's (matrices, slots)."""
        return [(self.matrices, self.first_pass(build))]

    def taught_pass(self, build):
        """Emit the first pass; return [(target, output)]."""
        slots = self.first_pass(build)
        return [(slots[0], slots[-1])]

    def initial(self, matrix, seed, step):
        """Return a matrix's weights at fabrication, float64, shape (rows, cols + 1)."""
        weights = super().initial(matrix, seed, step)
        if self.symmetric and step == 1:
            first = super().initial(self.matrices[0], seed, 0)
            weights[:, :-1] = first[:, :-1].T
        return weights

    def output_biases(self, cases):
        """Return the biases into the visible group that answer with the cases' mean.

        With the add-half estimate p = (sum + 1/2) / (n + 1), never at a rail.
        """
        mean = np.asarray(cases).mean(axis=0)
        if self.visible == "identity":
            return mean
        count = len(cases)
        if self.visible == "logistic":
            share = (mean * count + 0.5) / (count + 1)
            return np.log(share / (1 - share))
        share = ((mean + 1) / 2 * count + 0.5) / (count + 1)
        return np.log(share / (1 - share)) / 2
