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
Rates = Annotated[
    Rate | tuple[Rate, ...],
    Field(description="one number, or one per weight matrix in the order of the ring"),
]
Loss = Annotated[
    Literal["matched", "squared"],
    Field(
        description="matched: errors are target - output; squared: gated by the output's slope"
    ),
]


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

    learning_rate: Rates
    batch: Literal["sum", "mean"] = Field(
        "sum", description="sum or mean over the cases of a batch"
    )
    momentum: float = Field(
        0.0, ge=0, lt=1, description="share of the last change added to the next, 0 to below 1"
    )
    weight_decay: float = Field(
        0.0, ge=0, lt=1, description="share of each weight lost at every write, 0 to below 1"
    )
    norm_cap: float = Field(
        0.0, ge=0, description="largest norm of a unit's incoming weights; 0 for none"
    )

    @abstractmethod
    def emit(self, build, network):
        """Emit the rule's operations for `network` through the builder.

        Parameters
        ----------
        build : Builder
        network : a network
        """

    @property
    def name(self):
        """How the rule is called in listings and figures."""
        return type(self).__name__

    def compile(self, network):
        """Return the rule's program for `network`.

        Returns
        -------
        Program; `print` shows its table

        Raises
        ------
        DesignError
            If the rule does not fit the network: one that it cannot teach, a rate too
            many, an operation between slots of different sizes.
        """
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
        if network.mirrors:  # both directions' changes go into one weight: their mean
            rates = tuple(rate / 2 for rate in rates)
        policies = {name: self._policy(rate) for name, rate in zip(names, rates, strict=True)}
        return policies | {feedback_name(name): policies[name] for name in names}

    def _policy(self, rate):
        return WritePolicy(
            rate, self.batch == "mean", self.momentum, self.weight_decay, self.norm_cap
        )


class CustomRule(Rule):
    """A rule of the user's own: a function that emits operations.

    `Design` makes one of a plain function; this gives it rates and policies, too.

    Parameters
    ----------
    function : callable(build, network)
        Calls the methods of `build`, a `Builder`, one per operation: first the pass
        that answers a case, as `network.first_pass(build)` does, then the learning
        ones. What it returns is ignored. Runs unchanged on every backend.
    learning_rate, batch, momentum, weight_decay, norm_cap
        As for every `Rule`; the rate is 1 where none is given.

    Raises
    ------
    DesignError
        If a field is wrong. A function that does not fit its network is refused
        where the design is made.
    """

    networks: ClassVar[tuple[str, ...] | None] = None
    function: Callable = Field(description="emits the rule's operations")
    learning_rate: Rates = 1.0

    def __init__(self, function, **fields):
        super().__init__(function=function, **fields)

    @property
    def name(self):
        """The function's own name."""
        return getattr(self.function, "__name__", "custom rule")

    def emit(self, build, network):
        """Let the user's function emit the operations."""
        self.function(build, network)


class FirstPass(Rule):
    """No learning: the clamps and one pass, what a trained chip does."""

    networks: ClassVar[tuple[str, ...] | None] = None
    learning_rate: Rates = 0.0

    def emit(self, build, network):
        """Emit the network's pass from case to answer."""
        network.taught_pass(build)


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
