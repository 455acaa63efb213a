"""Error recirculation: the reconstruction error itself goes round the loop."""

from typing import Literal

from pydantic import Field

from recirc_hw.rules.rule import Rates, Rule


class ErrorRecirculation(Rule):
    """Send the error through the network's own weights, without biases.

        O_0(1) = I - O_L(0),   O_h(1) = f_h(A_h O_(h-1)(1)) - f_h(0)
        dA_h = rate O_h(1) O_(h-1)(0)^T

    The response at rest, f(0), is taken off where it is not 0 (logistic units),
    so that no error means no change.

    Source: Baldi & Sadowski 2018, eq. 18.
    """

    type: Literal["error_recirculation"] = Field(
        "error_recirculation", description="the error goes round instead of the output"
    )
    learning_rate: Rates = 0.5

    def emit(self, build, network):
        """Emit the first pass, the error's pass, and one correlate per matrix."""
        slots = network.first_pass(build)
        with build.learning():
            errors = [build.subtract(slots[0], slots[-1], name="error")]
            for matrix in network.matrices[:-1]:
                errors.append(self._send(build, matrix, errors[-1]))
            for matrix, sender, error in zip(
                network.matrices, slots, [*errors[1:], errors[0]], strict=False
            ):
                build.correlate(matrix.name, error, sender)
            build.write(*(matrix.name for matrix in network.matrices))

    def _send(self, build, matrix, error):
        """Emit one group's response to an error, measured from its rest."""
        response = build.project(matrix.name, error, bias=False)
        if matrix.function != "logistic":
            return response
        silence = build.subtract(error, error, name="silence")
        rest = build.project(matrix.name, silence, bias=False, name="rest")
        return build.subtract(response, rest)
