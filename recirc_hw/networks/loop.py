"""The closed loop of groups: the circular autoencoder."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import Field, PositiveInt, model_validator

from recirc_hw.fields import Fields
from recirc_hw.programs.layout import Matrix
from recirc_hw.random_streams import uniform

Function = Literal["logistic", "tanh", "identity"]


@dataclass(frozen=True)
class Group:
    """Units that share a response function; `case_offset` is where their clamp starts."""

    name: str
    size: int
    function: str
    case_offset: int = 0


class Loop(Fields):
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
    initial_weights: Literal["uniform", "glorot"] = Field(
        "uniform", description="uniform: weights and biases in +-initial_range; or glorot"
    )
    initial_range: float = Field(0.5, gt=0, description="half the width of the uniform start")
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
    def case_size(self):
        """How many values a case has."""
        return self.n_visible

    @property
    def code_index(self):
        """Position in `groups` of the narrowest hidden group, which holds the code."""
        return 1 + self.n_hidden.index(min(self.n_hidden))

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

    def initial(self, matrix, seed, step):
        """Return a matrix's weights at fabrication, float64, shape (rows, cols + 1)."""
        shape = (matrix.rows, matrix.cols + 1)
        purpose = "feedback" if matrix.feedback else "weights"
        if self.initial_weights == "uniform" and not matrix.feedback:
            bound = self.initial_range
        else:
            bound = math.sqrt(6.0 / (matrix.rows + matrix.cols))
        weights = uniform(seed, purpose, shape, step=step, low=-bound, high=bound)
        if self.initial_weights == "glorot" or matrix.feedback:
            weights[:, -1] = 0.0
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
