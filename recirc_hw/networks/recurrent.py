"""Units that respond step after step with the same weights: the recurrent network."""

from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from recirc_hw.networks.initial import Function, Group, Range, Start
from recirc_hw.networks.network import Network
from recirc_hw.programs.layout import Matrix

Places = Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]


class Recurrent(Network):
    """A synchronous iterative network, run for a number of steps.

        h(t) = f(W [x(t-1), h(t-1)] + b),   t = 1..steps
        y(t) = g(V h(t) + c)

    `Recurrent(2, 3, 1, steps=9)` is the lecture's adder; with no outputs the hidden
    units answer themselves. A case holds the initial state where it is given, the
    inputs step by step, and the targets of the taught steps in their order.

    Source: Hinton, CSC321 lecture 7; Rumelhart, Hinton & Williams 1986, figure 5.

    Parameters
    ----------
    n_inputs, n_hidden, n_outputs : int
    steps : int
    hidden, output : "logistic", "tanh" or "identity"
    initial_state : "learned", "fixed" or "given"
        h(0): the response to a bias that learns; f(0); or the start of the case.
    taught_steps : tuple of int in 1..steps, rising; None for all
    taught_units : tuple of int, hidden units that have targets; None for all
        Only where there are no outputs.
    initial_weights, initial_range : as for `Loop`
    """

    type: Literal["recurrent"] = Field(
        "recurrent", description="units that answer step after step with the same weights"
    )
    output_bias: ClassVar[str] = "drawn"
    n_inputs: NonNegativeInt = Field(
        description="values that the hidden units are given at each step"
    )
    n_hidden: PositiveInt = Field(description="hidden units")
    n_outputs: NonNegativeInt = Field(
        description="units that the hidden ones drive; 0 where they answer themselves"
    )
    steps: PositiveInt = Field(description="how often the hidden units respond")
    hidden: Function = Field("logistic", description="response of the hidden units")
    output: Function = Field("logistic", description="response of the output units")
    initial_state: Literal["learned", "fixed", "given"] = Field(
        "learned", description="of hidden units: learned; fixed, at rest; or given by the case"
    )
    taught_steps: Places | None = Field(
        None, description="those whose answers have targets; all where not given"
    )
    taught_units: Places | None = Field(
        None, description="of hidden units that answer themselves; all where not given"
    )
    initial_weights: Start = "uniform"
    initial_range: Range = 0.5

    def __init__(self, *sizes, **fields):
        names = ("n_inputs", "n_hidden", "n_outputs")
        super().__init__(**(dict(zip(names, sizes, strict=False)) | fields))

    @model_validator(mode="after")
    def _taught_are_there(self):
        for name, low, high in (("taught_steps", 1, self.steps),
                                ("taught_units", 0, self.n_hidden - 1)):  # fmt: skip
            places = getattr(self, name)
            if places is None:
                continue
            if list(places) != sorted({p for p in places if low <= p <= high}):
                raise ValueError(
                    f"{name} = {list(places)}: want rising numbers in {low}..{high}"
                )
        if self.taught_units is not None and self.n_outputs:
            raise ValueError("taught_units are hidden units: want n_outputs = 0")
        return self

    @cached_property
    def groups(self):
        """The groups: input, hidden, and output where there is one."""
        groups = [
            Group("input", self.n_inputs, "identity", self._start),
            Group("hidden", self.n_hidden, self.hidden),
        ]
        output = [Group("output", self.n_outputs, self.output)] if self.n_outputs else []
        return (*groups, *output)

    @property
    def _start(self):
        """How many values of a case are the initial state."""
        return self.n_hidden if self.initial_state == "given" else 0

    @cached_property
    def matrices(self):
        """The weight matrices: of the start, from step to step, and to the outputs."""
        start = [Matrix("start>hidden", self.n_hidden, 0, self.hidden)]
        step = Matrix(
            "hidden>hidden", self.n_hidden, self.n_inputs + self.n_hidden, self.hidden
        )
        out = [Matrix("hidden>output", self.n_outputs, self.n_hidden, self.output)]
        return (
            *(start if self.initial_state != "given" else []), step,
            *(out if self.n_outputs else []),
        )  # fmt: skip

    @cached_property
    def case_groups(self):
        """A given start, the inputs step by step, and the targets."""
        start = Group("hidden 0", self._start, self.hidden)
        inputs = [
            Group(f"input {t}", self.n_inputs, "identity", self._start + t * self.n_inputs)
            for t in range(self.steps)
        ]
        return (start, *inputs, self.target)

    @property
    def n_targets(self):
        """How many values at the end of a case are its target."""
        return self.target.size

    @property
    def target(self):
        """The group that holds the targets of all taught steps."""
        units = self.n_outputs or len(self.taught_units or range(self.n_hidden))
        steps = len(self.taught_steps or range(self.steps))
        function = self.output if self.n_outputs else self.hidden
        return Group(
            "target", units * steps, function, self._start + self.steps * self.n_inputs
        )

    @property
    def code(self):
        """The hidden units after the last step."""
        return Group(f"hidden {self.steps}", self.n_hidden, self.hidden)

    def taught_pass(self, build):
        """Emit all steps; return [(target, answer)], as many as lie apart."""
        states = self._run(build)
        steps = self.taught_steps or range(1, self.steps + 1)
        if self.n_outputs:
            made = [
                build.project("hidden>output", states[t], name=f"output {t}") for t in steps
            ]
            outputs = build.join(made, "outputs")
            targets = build.clamp(self.target)
            build.monitor(targets, outputs)
            return [(targets, outputs)]
        taught = [build.part(states[t], start, size, f"taught {t} from {start}")
                  for t in steps for start, size in self._stretches()]  # fmt: skip
        # Side by side in a copy, so that one difference of two slots is the error.
        copies = [build.blend(slot, slot, 1.0, name=f"{slot.name} kept") for slot in taught]
        targets = build.clamp(self.target)
        build.monitor(targets, build.join(copies, "answers"))
        ends = [copy.offset + copy.size - copies[0].offset for copy in copies]
        return [
            (build.part(targets, end - slot.size, slot.size, f"target of {slot.name}"), slot)
            for slot, end in zip(taught, ends, strict=True)
        ]

    def _run(self, build):
        """Emit every step of the hidden units; return their states, h(0) first."""
        states, sent = [], None
        for t in range(self.steps + 1):
            beside = []  # an input lies before the state of its time, to be joined with it
            if self.n_inputs and t < self.steps:
                beside = [build.clamp(self.case_groups[1 + t])]
            if t == 0:
                states.append(self._initial_state(build))
            else:
                states.append(build.project("hidden>hidden", sent, name=f"hidden {t}"))
            sent = build.join([*beside, states[-1]], f"sent {t}")
        return states

    def _initial_state(self, build):
        """Emit h(0)."""
        if self.initial_state == "given":
            return build.clamp(self.case_groups[0])
        learned = self.initial_state == "learned"
        return build.project("start>hidden", build.slot("nothing", 0), bias=learned,
                             name="hidden 0")  # fmt: skip

    def _stretches(self):
        """Yield (first, how many) of each row of neighbouring taught units."""
        units = list(self.taught_units or range(self.n_hidden))
        first = 0
        for i in range(1, len(units) + 1):
            if i == len(units) or units[i] != units[i - 1] + 1:
                yield units[first], i - first
                first = i
