"""What every rule shares: how weight changes are scaled and written."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from recirc_hw.errors import DesignError
from recirc_hw.fields import Fields
from recirc_hw.programs.builder import Builder
from recirc_hw.programs.layout import WritePolicy

Rate = Annotated[float, Field(ge=0)]


class Rule(Fields, ABC):
    """The learning channel of a network, and how its changes are written.

    Parameters
    ----------
    learning_rate : float, or one per weight matrix
        Multiplies the batch's weight change; in the order of `network.matrices`.
    batch : "sum" or "mean"
        Whether the cases of a batch are added or averaged.
    momentum : float in 0..1
        Share of the last change that is added to the next one.
    weight_decay : float in 0..1
        Share of a weight that is lost at every write.
    norm_cap : float
        Largest norm of a unit's incoming weights (bias left out); 0 for no cap.
    """

    networks: ClassVar[tuple[str, ...] | None] = ("loop",)  # it can teach; None: all

    learning_rate: Rate | tuple[Rate, ...]
    batch: Literal["sum", "mean"] = "sum"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    norm_cap: Annotated[float, Field(ge=0)] = 0.0

    @abstractmethod
    def emit(self, build, network):
        """Emit the rule's operations for `network` through the builder."""

    @property
    def name(self):
        """How the rule is called in listings and figures."""
        return type(self).__name__

    def compile(self, network):
        """Return the rule's program for `network`."""
        if self.networks is not None and network.type not in self.networks:
            raise DesignError(
                f"{self.name} on {describe(network)}: it teaches networks of type "
                f"{', '.join(self.networks)}; Backprop teaches all"
            )
        build = Builder(network)
        self.emit(build, network)
        return build.program(f"{self.name} on {describe(network)}", self._policies(network))

    def _policies(self, network):
        """Return each matrix's write policy; feedback follows the matrix it stands for."""
        rates = self.learning_rate
        names = [matrix.name for matrix in network.matrices]
        if not isinstance(rates, tuple):
            rates = (rates,) * len(names)
        if len(rates) != len(names):
            raise DesignError(
                f"{self.name}.learning_rate gives {len(rates)} rates for "
                f"{len(names)} weight matrices: {', '.join(names)}"
            )
        if network.mirrors and (self.norm_cap or len(set(rates)) > 1):
            raise DesignError(
                f"{self.name} on symmetric weights: both directions are one weight, so want "
                "one learning_rate, and norm_cap = 0"
            )
        policies = {name: self._policy(rate) for name, rate in zip(names, rates, strict=True)}
        return policies | {feedback_name(name): policies[name] for name in names}

    def _policy(self, rate):
        return WritePolicy(
            rate, self.batch == "mean", self.momentum, self.weight_decay, self.norm_cap
        )


class CustomRule(Rule):
    """A rule of the user's own: a function that emits operations.

    Parameters
    ----------
    function : callable(build, network)
        Calls the builder's methods; runs unchanged on every backend.
    """

    networks: ClassVar[tuple[str, ...] | None] = None
    function: Callable
    learning_rate: Rate | tuple[Rate, ...] = 1.0

    def __init__(self, function, **fields):
        super().__init__(function=function, **fields)

    @property
    def name(self):
        """The function's own name."""
        return getattr(self.function, "__name__", "custom rule")

    def emit(self, build, network):
        """Let the user's function emit the operations."""
        self.function(build, network)


def feedback_name(matrix_name):
    """Return the name of the matrix that carries errors back over `matrix_name`."""
    return f"{matrix_name} feedback"


def describe(network):
    """Return "Loop(4, 2)" for a network."""
    sizes = ", ".join(str(group.size) for group in network.groups)
    return f"{type(network).__name__}({sizes})"


def output_error(build, network, slots, loss):
    """Emit the output's error, target - output; return its slot.

    For the loss that matches the output units (cross-entropy for logistic,
    squared error for linear units) that is the derivative by the total input;
    for the squared error of other units it is gated by their slope.
    Source: Baldi & Sadowski 2018, eq. 8; Hinton & McClelland 1988, eq. 7.
    """
    error = build.subtract(slots[0], slots[-1], name="error")
    function = network.target.function
    if loss == "squared" and function != "identity":
        error = build.gate(error, slots[-1], function)
    return error
