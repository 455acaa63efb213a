"""Backpropagation through time: the unrolled program, every step with the same weights."""

from typing import ClassVar, Literal

from pydantic import Field

from recirc_hw.rules.backprop import Backprop
from recirc_hw.rules.rule import Rates


class BPTT(Backprop):
    """Descend the gradient of a recurrent network's error at all taught steps.

        dE/dw = sum over the steps t of  dE/dw(t),   w(t) = w

    The forward pass keeps the activities of every step; errors go back from the last
    to the first, and on to the learned initial state; one correlate a step adds to the
    same matrix. It is `Backprop` on the unrolled network, with the lecture's settings.

    Source: Hinton, CSC321 lecture 7; Rumelhart, Hinton & Williams 1986, figure 5 (which
    averages over the steps: a factor in the rate).

    Parameters
    ----------
    loss, tolerance : as for `Backprop`
    """

    type: Literal["bptt"] = Field(  # type: ignore[assignment]
        "bptt", description="backpropagation through all steps of a recurrent network"
    )
    networks: ClassVar[tuple[str, ...] | None] = ("recurrent",)
    learning_rate: Rates = 0.2
    momentum: float = Field(
        0.9, ge=0, lt=1, description="share of the last change added to the next, 0 to below 1"
    )
