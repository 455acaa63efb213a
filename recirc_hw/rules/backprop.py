"""Backpropagation: errors return through the transposed weights."""

from typing import Literal

from pydantic import Field

from recirc_hw.rules.rule import Loss, Rates, Rule, output_error


class Backprop(Rule):
    """Descend the gradient of the reconstruction error.

        e_L = I - O_L,   e_h = f_h' * (A_(h+1)^T e_(h+1)),   dA_h = rate e_h O_(h-1)^T

    Source: Baldi & Sadowski 2018, eqs. 6 to 8; Hinton & McClelland 1988, eq. 7.

    Parameters
    ----------
    loss : "matched" or "squared"
        "matched": cross-entropy for logistic outputs, squared error for linear
        ones, so that e_L is the plain error. "squared": half the squared error,
        whatever the output units; e_L is gated by their slope.
    """

    type: Literal["backprop"] = Field(
        "backprop", description="errors return through the transposed weights"
    )
    learning_rate: Rates = 1.0
    loss: Loss = "matched"

    def emit(self, build, network):
        """Emit the first pass, then each matrix's correlate and the error's way back."""
        slots = network.first_pass(build)
        with build.learning():
            error = output_error(build, network, slots, self.loss)
            for h in range(len(network.matrices) - 1, -1, -1):
                matrix = network.matrices[h]
                build.correlate(matrix.name, error, slots[h])
                if h > 0:
                    error = build.carry(matrix.name, error, transposed=True)
                    if network.groups[h].function != "identity":
                        error = build.gate(error, slots[h], network.groups[h].function)
            build.write(*(matrix.name for matrix in network.matrices))
