"""Top only: the control that trains nothing but the weights into the output."""

from typing import Literal

from pydantic import Field

from recirc_hw.rules.rule import Loss, Rates, Rule, output_error


class TopOnly(Rule):
    """Train the weights into the visible group; hidden weights stay as they were.

        dA_L = rate (I - O_L) O_(L-1)^T

    Source: Baldi & Sadowski 2018, section 7.2 (TOP).

    Parameters
    ----------
    loss : "matched" or "squared"
        As for `Backprop`.
    """

    type: Literal["top_only"] = Field(
        "top_only", description="the control: hidden weights stay as they were"
    )
    learning_rate: Rates = 10.0
    loss: Loss = "matched"

    def emit(self, build, network):
        """Emit the first pass and the top matrix's correlate."""
        slots = network.first_pass(build)
        top = network.matrices[-1].name
        with build.learning():
            error = output_error(build, network, slots, self.loss)
            build.correlate(top, error, slots[-2])
            build.write(top)
